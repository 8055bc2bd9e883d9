"""Prices, budgets and approvals as values: versioned data that people edit, not code.

Money is counted in millionths of the currency's unit (`micros`), in integers, so that sums are exact.
"""

from datetime import date
from typing import Literal

from pydantic import Field

from quantum_assets.contracts.profile import Frozen

Kind = Literal["simulator", "hardware"]
ApprovalKind = Literal["high_shots", "high_frequency", "hardware"]
MICROS = 1_000_000


class Price(Frozen):
    """What one provider's backend costs. Amounts in currency units; the estimate is the sum of the parts."""

    provider: str
    backend: str = Field("*", description="Glob pattern of backend names; the first entry that matches counts.")
    kind: Kind
    currency: str = "USD"
    task: Literal["circuit", "order"] = Field(
        "circuit", description="What counts as one task: each circuit, or an order."
    )
    per_task: float = Field(0.0, ge=0)
    per_shot: float = Field(0.0, ge=0)
    per_second: float = Field(0.0, ge=0)
    minimum_seconds: float = Field(0.0, ge=0, description="Billed at least, a task.")
    seconds_per_task: float = Field(0.0, ge=0, description="For the estimate: overhead of one task.")
    seconds_per_shot: float = Field(0.0, ge=0, description="For the estimate: run time of one shot of one circuit.")
    seconds_per_circuit: float = Field(0.0, ge=0, description="For the estimate: overhead of one circuit.")
    source: str = Field("", description="Where the figures come from, and when they were read.")


class PriceBook(Frozen):
    """A dated list of prices; its version goes into every estimate."""

    version: date
    prices: tuple[Price, ...]


class Budget(Frozen):
    """What a project may spend in a calendar month (UTC), simulators and hardware apart; in currency units."""

    project: str = "default"
    currency: str = "USD"
    simulator_per_month: float = Field(0.0, ge=0)
    hardware_per_month: float = Field(0.0, ge=0)
    approval_above_shots: int = Field(
        5_000_000,
        ge=1,
        description="Shots asked for at once on anything that costs money, over which they must be approved: by one "
        "step of one run, in however many requests and orders.",
    )
    approval_above_requests_per_day: int = Field(
        500, ge=1, description="Requests a day on anything that costs money, over which they must be approved."
    )
    approval_for_hardware: bool = Field(True, description="Whether any hardware run needs a recorded approval.")


class Estimate(Frozen):
    """What a submission is expected to cost, made before it is.

    `micros` is rounded up. `shots` is the number of shots of all its circuits together.
    """

    provider: str
    backend: str
    kind: Kind
    micros: int = Field(ge=0)
    currency: str
    shots: int = Field(ge=0)
    circuits: int = Field(ge=0)
    price_version: date
