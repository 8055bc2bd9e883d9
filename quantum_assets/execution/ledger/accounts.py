"""What is owed: orders and their submit windows, reservations, charges, budgets' figures and approvals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.money import ApprovalKind, Estimate
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.execution.ledger import money, notes, orders
from quantum_assets.execution.ledger.door import Door
from quantum_assets.execution.ledger.rows import Approval, OrderRow, Spending


@dataclass(frozen=True, repr=False)
class Accounts(Door):
    """The part of a ledger that orders and money are kept in."""

    # Orders

    def open_window(
        self,
        asked: Sequence[Ticket],
        *,
        order_key: str,
        provider: str,
        backend: str,
        owner: str,
        estimates: Sequence[Estimate],
        limit_micros: int | Mapping[str, int] | None,
        durable: bool = False,
    ) -> tuple[Ticket, ...]:
        """Write that tickets are being submitted, before the provider is called: order, reservations and moves at once.

        Args:
            asked: Planned tickets, in the order's sequence.
            order_key: Its idempotency key. One that was used before, for the same tickets, is the same order: it is
                opened again, and money is reserved again only if it was released.
            provider: To whom it goes.
            backend: Which of its devices; empty where it has only one.
            owner: Process that submits it.
            estimates: What each ticket is expected to cost, in one currency.
            limit_micros: What a project may spend in this month (UTC) on the estimates' kind; a mapping gives it by
                project, and one that it does not name has no limit; None: no limit.
            durable: Whether this must outlive a loss of power: for a provider whose jobs outlive the process.

        Raises:
            BudgetError: If a limit would be passed; nothing was changed.
            StaleTicket: If another process moved one of them; nothing was changed.
        """
        return self._write(
            lambda connection, stamp: orders.open_window(
                connection,
                asked,
                order_key=order_key,
                provider=provider,
                backend=backend,
                owner=owner,
                estimates=estimates,
                limit_micros=limit_micros,
                stamp=stamp,
            ),
            durable=durable,
        )

    def name_job(self, order_key: str, job: str) -> tuple[Ticket, ...]:
        """Record the provider's id of an order, and move its waiting tickets to submitted; returns those that moved.

        Raises:
            LedgerError: If the order is known under another job.
        """
        return self._write(lambda connection, stamp: orders.name_job(connection, order_key, job, stamp))

    def order(self, order_key: str) -> OrderRow | None:
        """The order of a key."""
        return self._read(lambda connection: orders.order(connection, order_key))

    def orders(self, settled: bool | None = None, after: str = "", limit: int | None = None) -> tuple[OrderRow, ...]:
        """Orders, oldest first: the open ones (False), the settled ones (True), or all, the released among them."""
        return self._read(lambda connection: orders.find(connection, settled, after, limit))

    def submissions(self, order_key: str) -> int:
        """How many times the window of an order was opened; 0 for an unknown key."""
        found = self.order(order_key)
        return 0 if found is None else found.submissions

    def opened_for(self, key: str) -> tuple[Ticket, ...]:
        """The tickets that an order was opened for, as its members; also those that went elsewhere since."""
        return self._read(lambda connection: orders.opened_for(connection, key))

    # Money

    def settle(self, order_key: str, charge: Charge) -> None:
        """Book what an order cost, split exactly over its tickets; the same charge a second time changes nothing.

        Raises:
            LedgerError: If it was settled with another amount, or was estimated in another currency.
        """
        self._write(lambda connection, stamp: money.settle(connection, order_key, charge, stamp))

    def charge_of(self, ticket_id: str) -> Charge | None:
        """A ticket's share of what its orders were charged; None before any of them is settled."""
        return self._read(lambda connection: money.charge_of(connection, ticket_id))

    def estimate_of(self, ticket_id: str) -> Charge | None:
        """What a ticket was expected to cost, over all orders that it was in and that were not released; None: none."""
        return self._read(lambda connection: money.estimate_of(connection, ticket_id))

    def release(self, order_key: str) -> None:
        """Free what an order held, for it is proved that nobody will bill it: it was not accepted, or died unbilled.

        Raises:
            LedgerError: If it was settled.
        """
        self._write(lambda connection, stamp: money.release(connection, order_key, stamp))

    def spending(self, project: str | None = None, month: str | None = None) -> tuple[Spending, ...]:
        """What was spent and is reserved, by project, month (``2026-11``), kind and currency."""
        return self._read(lambda connection: money.spending(connection, project, month))

    def requests_today(self, project: str) -> int:
        """Orders with a price that a project opened this day (UTC) by the clock."""
        day = f"{self.clock.now().astimezone(UTC):%Y-%m-%d}"
        return self._read(lambda connection: money.paid_orders(connection, project, day))

    # Approvals

    def approve(
        self, project: str, kind: ApprovalKind, *, by: str, reason: str, until: datetime | None = None
    ) -> Approval:
        """Write down that a person allows it, until a moment (UTC) or for ever; the last word on a kind counts."""
        return self._write(
            lambda connection, stamp: notes.approve(
                connection, project, kind, approver=by, reason=reason, until=until, stamp=stamp
            )
        )

    def approvals(self, project: str | None = None) -> tuple[Approval, ...]:
        """Every approval ever given, in order."""
        return self._read(lambda connection: notes.approval_list(connection, project))

    def approved(self, project: str, kind: ApprovalKind) -> Approval | None:
        """The approval that holds now by the clock; None: there is none, or it has ended."""
        now = self.clock.now()
        return self._read(lambda connection: notes.approved(connection, project, kind, now))
