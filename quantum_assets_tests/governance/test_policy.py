"""Who must be asked and how much may be spent, at the limit and just past it."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import BudgetError
from quantum_assets.contracts.money import Budget, Estimate
from quantum_assets.governance.policy import limit_micros, money, needs_approval, require_approvals, require_budget

BUDGET = Budget(
    project="lab",
    simulator_per_month=25.0,
    hardware_per_month=100.0,
    approval_above_shots=1000,
    approval_above_requests_per_day=10,
)


def costing(micros: int = 1_000_000, kind: str = "simulator", shots: int = 1000, currency: str = "USD") -> Estimate:
    return Estimate(
        provider="remote",
        backend="rehearsal",
        kind=kind,  # type: ignore[arg-type]
        micros=micros,
        currency=currency,
        shots=shots,
        circuits=1,
        price_version=date(2026, 11, 22),
    )


def test_the_purses_are_apart_and_rounded_down() -> None:
    assert limit_micros(BUDGET, "simulator") == 25_000_000
    assert limit_micros(BUDGET, "hardware") == 100_000_000
    assert limit_micros(Budget(simulator_per_month=0.1), "simulator") == 100_000
    assert limit_micros(Budget(simulator_per_month=0.0000019), "simulator") == 1
    assert limit_micros(Budget(), "hardware") == 0


def test_within_every_limit_nobody_is_asked() -> None:
    assert needs_approval(costing(), BUDGET, 9) == ()


@pytest.mark.parametrize(
    ("estimate", "requests", "kinds"),
    [
        (costing(shots=1001), 0, ("high_shots",)),
        (costing(), 10, ("high_frequency",)),
        (costing(shots=1001), 10, ("high_shots", "high_frequency")),
        (costing(kind="hardware"), 0, ("hardware",)),
        (costing(kind="hardware", micros=0), 0, ("hardware",)),
        (costing(kind="hardware", shots=1001), 10, ("hardware", "high_shots", "high_frequency")),
        (costing(micros=0, shots=10**9), 10**6, ()),
        (costing(micros=1, shots=1001), 0, ("high_shots",)),
    ],
)
def test_what_needs_a_word(estimate: Estimate, requests: int, kinds: tuple[str, ...]) -> None:
    assert needs_approval(estimate, BUDGET, requests) == kinds


def test_hardware_goes_without_only_where_the_budget_says_so() -> None:
    trusting = BUDGET.model_copy(update={"approval_for_hardware": False})
    assert needs_approval(costing(kind="hardware"), trusting, 0) == ()
    assert needs_approval(costing(kind="hardware", micros=0, shots=1001), trusting, 10) == (
        "high_shots",
        "high_frequency",
    )


def test_a_missing_approval_is_told_with_project_month_figures_and_command() -> None:
    estimate = costing(micros=1_234_500, kind="hardware", shots=2000)
    with pytest.raises(BudgetError) as caught:
        require_approvals(estimate, BUDGET, 10, {"hardware"}, "2026-11")
    message = str(caught.value)
    assert message.startswith("project lab, 2026-11: 1.2345 USD on remote/rehearsal lacks an approval: ")
    shots = "high_shots (2,000 shots asked for at once, over 1,000)"
    assert f"{shots}; high_frequency (request 11 of today, over 10)" in message
    assert "`quantum-assets approve high_shots --project lab`" in message
    assert "approve hardware" not in message
    require_approvals(estimate, BUDGET, 10, {"hardware", "high_shots", "high_frequency"}, "2026-11")
    require_approvals(costing(), BUDGET, 0, (), "2026-11")


def test_a_budget_is_spent_to_the_last_micro_and_not_one_further() -> None:
    require_budget(costing(5_000_000), BUDGET, 20_000_000, "2026-11")
    with pytest.raises(BudgetError) as caught:
        require_budget(costing(5_000_000), BUDGET, 20_000_001, "2026-11")
    message = str(caught.value)
    assert "project lab, 2026-11: 5.00 USD more on simulator does not fit: 20.000001 USD of 25.00 USD" in message
    assert "raise its simulator_per_month" in message
    with pytest.raises(BudgetError, match=r"does not fit: 99\.00 USD of 100\.00 USD.*hardware_per_month"):
        require_budget(costing(1_000_001, "hardware"), BUDGET, 99_000_000, "2026-11")


def test_what_costs_nothing_fits_into_an_empty_purse() -> None:
    require_budget(costing(0), Budget(project="poor"), 0, "2026-11")
    require_budget(costing(0, currency="EUR"), Budget(project="poor"), 10, "2026-11")


def test_currencies_are_not_mixed() -> None:
    with pytest.raises(BudgetError, match="remote charges in EUR and the budget is in USD"):
        require_budget(costing(1, currency="EUR"), BUDGET, 0, "2026-11")


@given(st.integers(0, 10**12))
def test_money_is_told_exactly(micros: int) -> None:
    text = money(micros, "USD").removesuffix(" USD").replace(",", "")
    assert Fraction(text) * 1_000_000 == micros
    assert len(text.split(".")[1]) >= 2
    assert money(-micros - 1, "USD").startswith("-")
