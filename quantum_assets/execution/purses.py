"""What projects may spend beside what they did: the budgets' limits and the ledger's figures, a purse a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantum_assets.contracts.money import Budget, Kind
from quantum_assets.execution.ledger.rows import Spending
from quantum_assets.governance.policy import limit_micros

KINDS: tuple[Kind, ...] = ("simulator", "hardware")


@dataclass(frozen=True)
class Purse:
    """One project's money for one kind of backend in one month. Amounts in millionths of the currency's unit.

    Attributes:
        project: Whose.
        month: UTC, for example ``2026-11``.
        kind: simulator or hardware.
        currency: Of all amounts.
        limit: What may be spent; None: nobody wrote a budget for this project in this currency.
        reserved: Held for orders whose charge is not known yet.
        settled: Charged.
        tickets: Behind both.
        shots: Behind both, as estimated.
    """

    project: str
    month: str
    kind: Kind
    currency: str
    limit: int | None
    reserved: int = 0
    settled: int = 0
    tickets: int = 0
    shots: int = 0

    @property
    def spent(self) -> int:
        """Reserved and settled: what counts against the limit."""
        return self.reserved + self.settled

    @property
    def share(self) -> float:
        """How much of the limit is spent, 1.0 being all; 0 without a limit, and 1 for anything spent of nothing."""
        if not self.limit:
            return 0.0 if self.limit is None or self.spent <= 0 else 1.0
        return max(self.spent / self.limit, 0.0)


def purses(budgets: Mapping[str, Budget], spending: Sequence[Spending], month: str) -> tuple[Purse, ...]:
    """Every purse with a budget, spent from or not, and every one that was spent from.

    Args:
        budgets: By project.
        spending: As the ledger has it, of any months.
        month: For which untouched budgets are listed, too, for example ``2026-11``.

    Returns:
        By project, month, kind and currency; simulators first.
    """
    found = {
        (budget.project, month, kind, budget.currency): Purse(
            budget.project, month, kind, budget.currency, limit_micros(budget, kind)
        )
        for budget in budgets.values()
        for kind in KINDS
    }
    for one in spending:
        budget = budgets.get(one.project)
        same = budget is not None and budget.currency == one.currency
        limit = limit_micros(budget, one.kind) if budget is not None and same else None
        found[one.project, one.month, one.kind, one.currency] = Purse(
            one.project, one.month, one.kind, one.currency, limit, one.reserved, one.settled, one.tickets, one.shots
        )
    return tuple(sorted(found.values(), key=lambda p: (p.project, p.month, KINDS.index(p.kind), p.currency)))
