"""What the sidecar charges: a price per task (an accepted order) and a price per shot, in exact millionths."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.workload import Workload

MICROS = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Prices in millionths of the currency's unit.

    Attributes:
        per_task: For every accepted order, whatever it holds.
        per_shot: For every shot of every circuit that is really sampled.
        currency: ISO code.
    """

    per_task: int = 300_000
    per_shot: int = 4
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name, micros in (("per task", self.per_task), ("per shot", self.per_shot)):
            if micros < 0:
                raise PlanError(f"price {name}", f"is {micros} millionths", "Give zero or more")

    @classmethod
    def read(cls, per_task: str, per_shot: str, currency: str = "USD") -> Self:
        """From decimal text in currency units, for example ``0.30`` and ``0.00035``.

        Raises:
            PlanError: For text that is no number, or an amount that is not a whole number of millionths.
        """
        return cls(_micros("price per task", per_task), _micros("price per shot", per_shot), currency)

    def of(self, order: Order) -> int:
        """Price of an order, in millionths."""
        return self.per_task + self.per_shot * sum(shots(workload, order.profile.shots) for workload in order.workloads)

    def share(self, order: Order, position: int) -> int:
        """What one workload of an order costs: its own shots and an equal part of the task; the first takes the rest.

        The shares of all workloads sum to `of` the order exactly.
        """
        part, rest = divmod(self.per_task, len(order.workloads))
        return (
            part
            + (rest if position == 0 else 0)
            + self.per_shot * shots(order.workloads[position], order.profile.shots)
        )


def circuits(workload: Workload) -> int:
    """Circuits of a workload: one a pair, or one a binding."""
    return workload.n_circuits


def shots(workload: Workload, each: int | None) -> int:
    """Shots that a device would take for a workload; none where states are computed instead of circuits sampled."""
    return circuits(workload) * (each or 0) if workload.sampled else 0


def _micros(name: str, text: str) -> int:
    try:
        micros = Decimal(text) * MICROS
    except InvalidOperation:
        raise PlanError(name, f"is {text!r}, not a number", "Give a decimal number, for example 0.30") from None
    if not micros.is_finite() or micros != int(micros):
        raise PlanError(name, f"is {text}, not a whole number of millionths", "Give at most six decimal places")
    return int(micros)
