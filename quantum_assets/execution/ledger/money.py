"""Money: held before a submission, charged or freed after it, exact to the millionth.

A month's budget is the month (UTC) in which an order was opened; its charge is booked to the same month, whenever the
bill comes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, bindparam, distinct, func, insert, select, text, update

from quantum_assets.contracts.errors import BudgetError, LedgerError
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.money import MICROS, Estimate
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.execution.ledger.rows import Spending, Stamp
from quantum_assets.execution.ledger.schema import alerts, charges, orders, reservations

# Statements of the hot path are built once: building one takes longer than running it
_ORDER = select(orders).where(orders.c.key == bindparam("order")).with_for_update()
_MEMBERS = select(reservations).where(reservations.c.order_key == bindparam("order")).order_by(reservations.c.position)
_RESERVING, _CHARGING = insert(reservations), insert(charges)
_FREEING = update(reservations).where(reservations.c.order_key == bindparam("order")).values(state=bindparam("state"))
_CLOSING = (
    update(orders)
    .where(orders.c.key == bindparam("order"))
    .values({name: bindparam(name) for name in ("state", "closed_at", "micros")})
)
_Purse = tuple[str, str, str, str]
_BUDGET = ("project", "month", "kind", "currency")


def _total(table: Table) -> Select[int]:
    """What a table holds for one purse."""
    purse = (table.c[name] == bindparam(name) for name in _BUDGET)
    return select(func.coalesce(func.sum(table.c.micros), 0)).where(*purse)


_HELD = _total(reservations).where(reservations.c.state == "held")
_PAID = _total(charges)


def reserve(
    connection: Connection,
    order_key: str,
    asked: Sequence[Ticket],
    estimates: Sequence[Estimate],
    limit_micros: int | Mapping[str, int] | None,
    stamp: Stamp,
) -> None:
    """Hold what an order may cost, one reservation a ticket.

    Raises:
        BudgetError: If a project would then have spent and reserved more than its limit.
    """
    month = f"{stamp.at:%Y-%m}"
    wanted: dict[_Purse, int] = {}
    for ticket, estimate in zip(asked, estimates, strict=True):
        purse: _Purse = (ticket.project, month, estimate.kind, estimate.currency)
        wanted[purse] = wanted.get(purse, 0) + estimate.micros
    for purse in sorted(wanted):
        limit = limit_micros.get(purse[0]) if isinstance(limit_micros, Mapping) else limit_micros
        if limit is not None:
            _require_room(connection, purse, wanted[purse], limit)
    rows = [
        {
            "order_key": order_key,
            "ticket": ticket.id,
            "position": place,
            "project": ticket.project,
            "month": month,
            "kind": estimate.kind,
            "currency": estimate.currency,
            "micros": estimate.micros,
            "shots": estimate.shots,
            "state": "held",
            "at": stamp.at,
        }
        for place, (ticket, estimate) in enumerate(zip(asked, estimates, strict=True))
    ]
    connection.execute(_RESERVING, rows)


def _require_room(connection: Connection, purse: _Purse, wanted: int, limit: int) -> None:
    if connection.dialect.name == "postgresql":  # two orders at once would each find room for itself alone
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:purse, 0))"), {"purse": "/".join(purse)}
        )
    named = dict(zip(_BUDGET, purse, strict=True))
    spent = sum(int(connection.execute(query, named).scalar_one()) for query in (_HELD, _PAID))
    if spent + wanted <= limit:
        return
    project, month, kind, currency = purse
    raise BudgetError(
        f"project {project}: {kind} budget of {month}",
        f"{shown(spent, currency)} spent or reserved and {shown(wanted, currency)} asked for are over the limit of "
        f"{shown(limit, currency)}",
        "Raise the budget, wait for the next month, or name a cheaper profile",
    )


def shown(micros: int, currency: str) -> str:
    """An amount for people, exact."""
    whole, rest = divmod(abs(micros), MICROS)
    cents = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{cents} {currency}"


def settle(connection: Connection, order_key: str, charge: Charge, stamp: Stamp) -> None:
    """Book an order's charge, split over its tickets in the ratio of their estimates, exactly and once.

    A charge for an order that was released is booked too, with an alert: what is billed is a fact.

    Raises:
        LedgerError: If the order was settled with another amount, or is billed in another currency.
    """
    order = _order(connection, order_key)
    if charge.currency != order.currency and charge.micros:
        raise LedgerError(
            f"order {order_key}",
            f"is billed in {charge.currency} and was estimated in {order.currency}",
            "Mend the price's currency, and convert the charge before settling",
        )
    if order.state == "settled":
        if order.micros == charge.micros:
            return
        raise LedgerError(
            f"order {order_key}",
            f"was settled with {shown(order.micros, order.currency)} and cannot be again with "
            f"{shown(charge.micros, charge.currency)}",
            "Ask the provider which of the two it bills",
        )
    held = connection.execute(_MEMBERS, {"order": order_key}).all()
    shares = split(charge.micros, [row.micros for row in held], [row.shots for row in held])
    connection.execute(_CHARGING, [_charge(row, share, stamp) for row, share in zip(held, shares, strict=True)])
    _close(connection, order_key, "settled", stamp, micros=charge.micros)
    if order.state == "released":
        message = f"billed {shown(charge.micros, order.currency)}, though it was released as never to be billed"
        connection.execute(
            insert(alerts).values(
                kind="charge_after_release",
                subject=f"order {order_key}",
                message=message,
                correlation_id="",
                actor=stamp.actor,
                at=stamp.at,
            )
        )


def _charge(held: Row[Any], share: int, stamp: Stamp) -> dict[str, Any]:
    names = ("order_key", "ticket", *_BUDGET)
    return {**{name: getattr(held, name) for name in names}, "micros": share, "at": stamp.at, "actor": stamp.actor}


def split(amount: int, weights: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    """Split an amount exactly, in the ratio of the weights, by largest remainders.

    Args:
        amount: Millionths; negative for a credit.
        weights: Not negative, one a share; where all are 0, `second` counts, and where that is 0 too, all are equal.
        second: As many.

    Returns:
        Shares that sum to `amount`, each within one millionth of its exact part; ties go to the earlier share.
    """
    used = next((list(given) for given in (weights, second) if any(given)), [1] * len(weights))
    total = sum(used)
    sign = -1 if amount < 0 else 1
    parts = [divmod(abs(amount) * weight, total) for weight in used]
    left = abs(amount) - sum(whole for whole, _ in parts)
    first = sorted(range(len(parts)), key=lambda place: -parts[place][1])[:left]
    return tuple(sign * (whole + (place in first)) for place, (whole, _) in enumerate(parts))


def release(connection: Connection, order_key: str, stamp: Stamp) -> None:
    """Free what an order held, for it is proved that nobody will bill it; harmless a second time.

    Raises:
        LedgerError: If the order was settled.
    """
    order = _order(connection, order_key)
    if order.state == "released":
        return
    if order.state == "settled":
        raise LedgerError(f"order {order_key}", "was settled, so nothing is left to release", "Leave it as it is")
    _close(connection, order_key, "released", stamp, micros=None)


def _close(connection: Connection, order_key: str, state: str, stamp: Stamp, micros: int | None) -> None:
    connection.execute(_FREEING, {"order": order_key, "state": state})
    connection.execute(_CLOSING, {"order": order_key, "state": state, "closed_at": stamp.at, "micros": micros})


def _order(connection: Connection, order_key: str) -> Row[Any]:
    row = connection.execute(_ORDER, {"order": order_key}).one_or_none()
    if row is None:
        raise LedgerError(f"order {order_key}", "is not in the ledger", "Open its window first")
    return row


def charge_of(connection: Connection, ticket_id: str) -> Charge | None:
    """What was charged for a ticket, over all orders that it was in; None before any is settled."""
    query = select(func.sum(charges.c.micros), charges.c.currency).where(charges.c.ticket == ticket_id)
    row = connection.execute(query.group_by(charges.c.currency)).first()
    return None if row is None else Charge(int(row[0]), row[1])


def estimate_of(connection: Connection, ticket_id: str) -> Charge | None:
    """What a ticket was expected to cost, over all orders that it was in and that were not released; None: in none."""
    query = select(func.sum(reservations.c.micros), reservations.c.currency).where(
        reservations.c.ticket == ticket_id, reservations.c.state != "released"
    )
    row = connection.execute(query.group_by(reservations.c.currency)).first()
    return None if row is None else Charge(int(row[0]), row[1])


def spending(connection: Connection, project: str | None, month: str | None) -> tuple[Spending, ...]:
    """What was spent and is reserved, a row for each project, month, kind and currency."""
    held: dict[tuple[str, ...], list[int]] = {}
    keys = [reservations.c[name] for name in _BUDGET]
    query = (
        select(
            *keys,
            func.sum(reservations.c.micros).filter(reservations.c.state == "held"),
            func.count(distinct(reservations.c.ticket)),
            func.sum(reservations.c.shots),
        )
        .where(reservations.c.state != "released")
        .group_by(*keys)
        .order_by(*keys)
    )
    for *purse, reserved, count, shots in connection.execute(_narrowed(query, reservations, project, month)):
        held[tuple(purse)] = [int(reserved or 0), int(count), int(shots)]
    paid_keys = [charges.c[name] for name in _BUDGET]
    paid_query = select(*paid_keys, func.sum(charges.c.micros)).group_by(*paid_keys)
    paid = {
        tuple(purse): int(total) for *purse, total in connection.execute(_narrowed(paid_query, charges, project, month))
    }
    return tuple(
        Spending(purse[0], purse[1], purse[2], purse[3], reserved, paid.get(purse, 0), count, shots)  # type: ignore[arg-type]
        for purse, (reserved, count, shots) in held.items()
    )


def _narrowed(query: Any, table: Any, project: str | None, month: str | None) -> Any:
    if project is not None:
        query = query.where(table.c.project == project)
    return query if month is None else query.where(table.c.month == month)


def paid_orders(connection: Connection, project: str, day: str) -> int:
    """Orders with an estimate over nothing that a project opened on a day (UTC), but for the released ones."""
    query = select(func.count(distinct(reservations.c.order_key))).where(
        reservations.c.project == project,
        reservations.c.micros > 0,
        reservations.c.state != "released",
        func.substr(reservations.c.at, 1, 10) == day,
        reservations.c.month == day[:7],
    )
    return int(connection.execute(query).scalar_one())
