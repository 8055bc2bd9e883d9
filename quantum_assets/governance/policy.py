"""When a submission needs a person's word, and how much a project may spend: pure functions of figures.

A budget is a hard limit on the estimates reserved and the charges settled in one calendar month (UTC), simulators and
hardware apart. An approval is a person's recorded word for one kind of submission; what needs one is decided here,
whether there is one is looked up by the caller.
"""

from collections.abc import Collection
from decimal import ROUND_FLOOR, Decimal

from quantum_assets.contracts.errors import BudgetError
from quantum_assets.contracts.money import MICROS, ApprovalKind, Budget, Estimate, Kind


def limit_micros(budget: Budget, kind: Kind) -> int:
    """What may be spent on this kind of backend in a month, in millionths, rounded down."""
    amount = budget.hardware_per_month if kind == "hardware" else budget.simulator_per_month
    return int((Decimal(repr(amount)) * MICROS).to_integral_value(ROUND_FLOOR))


def needs_approval(estimate: Estimate, budget: Budget, requests_today: int) -> tuple[ApprovalKind, ...]:
    """Which approvals one submission needs.

    Devices always count as costing money: their minutes are scarce even on a plan that charges nothing.

    Args:
        estimate: Of what would be submitted together; its shots are those of all that was asked for at once.
        budget: Of the project that pays.
        requests_today: Submissions of that project on anything that costs money, this UTC day, without this one.

    Returns:
        The kinds, in a fixed order; empty when it may go without.
    """
    hardware = estimate.kind == "hardware"
    if not (hardware or estimate.micros):
        return ()
    needed: list[ApprovalKind] = []
    if hardware and budget.approval_for_hardware:
        needed.append("hardware")
    if estimate.shots > budget.approval_above_shots:
        needed.append("high_shots")
    if requests_today + 1 > budget.approval_above_requests_per_day:
        needed.append("high_frequency")
    return tuple(needed)


def require_approvals(
    estimate: Estimate, budget: Budget, requests_today: int, approved: Collection[ApprovalKind], month: str
) -> None:
    """Refuse a submission that lacks an approval.

    Args:
        estimate: As for `needs_approval`.
        budget: Of the project that pays.
        requests_today: As for `needs_approval`.
        approved: Kinds for which a valid approval is recorded.
        month: Of the submission, for the message, for example ``2026-11``.

    Raises:
        BudgetError: Naming project, month, every figure over its limit, and the commands that record the approvals.
    """
    missing = [kind for kind in needs_approval(estimate, budget, requests_today) if kind not in approved]
    if not missing:
        return
    why = {
        "hardware": "every run on a device needs one",
        "high_shots": f"{estimate.shots:,} shots asked for at once, over {budget.approval_above_shots:,}",
        "high_frequency": f"request {requests_today + 1} of today, over {budget.approval_above_requests_per_day}",
    }
    commands = " and ".join(f"`quantum-assets approve {kind} --project {budget.project}`" for kind in missing)
    where = f"{estimate.provider}/{estimate.backend}" if estimate.backend else estimate.provider
    raise BudgetError(
        f"project {budget.project}, {month}",
        f"{money(estimate.micros, estimate.currency)} on {where} lacks an approval: "
        + "; ".join(f"{kind} ({why[kind]})" for kind in missing),
        f"Look at the figures, then run {commands}",
    )


def require_budget(estimate: Estimate, budget: Budget, spent_micros: int, month: str) -> None:
    """Refuse a submission that the month's budget does not cover; the ledger does the same again, in its transaction.

    Args:
        estimate: Of what would be submitted together.
        budget: Of the project that pays.
        spent_micros: Reserved and settled this month on the estimate's kind, without this one.
        month: For the message, for example ``2026-11``.

    Raises:
        BudgetError: Naming project, month and figures; or that the price is in another currency than the budget.
    """
    who = f"project {budget.project}, {month}"
    if estimate.micros and estimate.currency != budget.currency:
        raise BudgetError(
            who,
            f"{estimate.provider} charges in {estimate.currency} and the budget is in {budget.currency}",
            "Give the project a budget in the currency of its provider",
        )
    limit = limit_micros(budget, estimate.kind)
    if estimate.micros and spent_micros + estimate.micros > limit:
        raise BudgetError(
            who,
            f"{money(estimate.micros, budget.currency)} more on {estimate.kind} does not fit: "
            f"{money(spent_micros, budget.currency)} of {money(limit, budget.currency)} is reserved or spent",
            f"Wait for next month, ask for less, or raise its {estimate.kind}_per_month in budgets.yaml",
        )


def money(micros: int, currency: str) -> str:
    """An amount for people, exact and with at least two decimals: ``0.30 USD``."""
    sign, (units, rest) = "-" if micros < 0 else "", divmod(abs(micros), MICROS)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{units:,}.{decimals} {currency}"
