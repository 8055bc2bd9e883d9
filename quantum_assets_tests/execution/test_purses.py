"""Limits beside what was spent: every budget has its lines, and everything spent has one."""

from typing import Any

import pytest

from quantum_assets.contracts.money import Budget
from quantum_assets.execution.ledger.rows import Spending
from quantum_assets.execution.purses import Purse, purses

BUDGETS = {"lab": Budget(project="lab", simulator_per_month=25, hardware_per_month=0)}


def spent(**changes: Any) -> Spending:
    whole = {"project": "lab", "month": "2026-11", "kind": "simulator", "currency": "USD", "reserved": 5, "settled": 7}
    return Spending(**{**whole, "tickets": 2, "shots": 100, **changes})


def test_an_untouched_budget_has_a_line_for_each_kind_simulators_first() -> None:
    simulator, hardware = purses(BUDGETS, (), "2026-11")
    assert simulator == Purse("lab", "2026-11", "simulator", "USD", 25_000_000)
    assert (hardware.kind, hardware.limit) == ("hardware", 0)


def test_what_was_spent_stands_beside_its_limit() -> None:
    lines = purses(BUDGETS, [spent(), spent(month="2026-10", settled=9)], "2026-11")
    assert [(line.month, line.kind, line.spent, line.limit) for line in lines] == [
        ("2026-10", "simulator", 14, 25_000_000),
        ("2026-11", "simulator", 12, 25_000_000),
        ("2026-11", "hardware", 0, 0),
    ]


@pytest.mark.parametrize("changes", [{"project": "other"}, {"currency": "EUR"}])
def test_what_nobody_budgeted_is_told_without_a_limit(changes: dict[str, str]) -> None:
    (stray,) = (line for line in purses(BUDGETS, [spent(**changes)], "2026-11") if line.spent)
    assert (stray.limit, stray.share) == (None, 0.0)


@pytest.mark.parametrize(
    ("limit", "reserved", "settled", "share"),
    [(100, 40, 40, 0.8), (100, 0, 150, 1.5), (0, 0, 0, 0.0), (0, 1, 0, 1.0), (100, 0, -5, 0.0), (None, 9, 9, 0.0)],
)
def test_the_share_is_finite_whatever_the_limit(limit: int | None, reserved: int, settled: int, share: float) -> None:
    assert Purse("lab", "2026-11", "hardware", "USD", limit, reserved, settled).share == share


def test_the_order_is_by_project_and_month() -> None:
    other = {**BUDGETS, "art": Budget(project="art")}
    assert [line.project for line in purses(other, [spent()], "2026-11")] == ["art", "art", "lab", "lab"]
