"""Commands for work under way: `tickets`, `cancel`, `poll` and `cache`."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantum_assets.cli.ledger import open_ledger, open_plane, person
from quantum_assets.cli.listing import json_option, show, show_json
from quantum_assets.cli.options import home_option
from quantum_assets.contracts.errors import PlanError, StaleTicket

if TYPE_CHECKING:
    from quantum_assets.contracts.ticket import State, Ticket
    from quantum_assets.execution.ledger.ledger import Ledger, RequestRow
    from quantum_assets.execution.plane import ControlPlane

#: `contracts.ticket.State`, written again so that --help loads nothing.
STATES = (
    "planned", "submitting", "submitted", "queued", "running", "completed", "failed", "cancelled", "expired", "unknown",
    "retried", "fell_back", "accepted", "rejected",
)  # fmt: skip
_RACES = 5


def whose_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--study` and `--partition`."""
    command = click.option("--partition", metavar="KEY", help="Asked for by this partition, for example slow.")(command)
    return click.option("--study", help="Asked for by this study.")(command)


@click.command(epilog="Example: quantum-assets tickets --study wine --open")
@click.argument("ticket_id", required=False)
@whose_options
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    metavar="STATE",
    help="In this state, for example queued; repeat for several.",
)
@click.option("--open", "only_open", is_flag=True, help="Only those without an outcome yet.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Newest tickets to show.")
@json_option
@home_option
def tickets(
    ticket_id: str | None,
    study: str | None,
    partition: str | None,
    states: tuple[str, ...],
    only_open: bool,
    limit: int,
    as_json: bool,
    home: Path,
) -> None:
    """List what was asked of providers, or tell one ticket whole.

    A ticket is one try at one question; the oldest comes first. TICKET_ID, or its beginning, shows one with its tries,
    moves, order, charge and everybody who asked.
    """
    from quantum_assets.cli import ticket_report as report

    ledger = open_ledger(home)
    if ticket_id is not None:
        one = report.dossier(ledger, report.find_ticket(ledger, ticket_id))
        if as_json:
            show_json(one)
            return
        for listing in (report.facts(one), report.tries(one), report.moves(one), report.asked_by(one)):
            show(listing)
            click.echo()
        return
    found = ledger.tickets(states=_states(states, only_open), study=study, partition=partition)
    shown = found[-limit:]
    if as_json:
        show_json(shown)
    elif not found:
        click.echo("No tickets.")
    else:
        if len(found) > limit:
            click.echo(f"({len(found) - limit} older tickets; --limit {len(found)} shows all)")
        show(report.ticket_list(ledger, shown))


@click.command(epilog="Example: quantum-assets cancel --study wine --partition slow --reason typo")
@click.argument("ticket_ids", nargs=-1, metavar="[TICKET]...")
@whose_options
@click.option("--run", "run_id", metavar="ID", help="Asked for by this Dagster run.")
@click.option("--reason", required=True, help="Why; it is kept with your name.")
@home_option
def cancel(
    ticket_ids: tuple[str, ...], study: str | None, partition: str | None, run_id: str | None, reason: str, home: Path
) -> None:
    """Cancel tickets by name, or what one study, partition or run alone is waiting for.

    What others wait for too goes on, unless you name the ticket itself. A job is cancelled at its provider once nobody
    waits for any ticket in it; what it costs until then is still charged.
    """
    if not reason.strip():
        raise PlanError("--reason", "is empty", "Say why; whoever waits will ask")
    if not (ticket_ids or study or partition or run_id):
        raise PlanError("cancel", "names nothing to cancel", "Name tickets, or --study, --partition or --run")
    if ticket_ids and (study or partition or run_id):
        raise PlanError("cancel", "names tickets and an owner", "Name either; the rules differ")
    plane = open_plane(home)
    plan = by_name(plane.ledger, ticket_ids) if ticket_ids else by_owner(plane.ledger, study, partition, run_id)
    ended = cancel_now(plane, plan.chosen, f"{person()}: {reason.strip()}")
    for line in told(plane.ledger, plan, ended):
        click.echo(line)


@click.command(epilog="Example: quantum-assets poll --until-done --at-most 600")
@click.option("--until-done", is_flag=True, help="Go on until every submitted ticket has its outcome.")
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(0.01), help="Seconds between two looks.")
@click.option("--at-most", type=click.FloatRange(0), metavar="SECONDS", help="Give up waiting after this.")
@home_option
def poll(until_done: bool, every: float, at_most: float | None, home: Path) -> None:
    """Take every submitted ticket a step further, without Dagster.

    Does what the sensor does at each tick: hands in what is due, asks for statuses, fetches, judges, retries or falls
    back. It collects nothing into assets: the sensor of `quantum-assets ui` does, or another `quantum-assets run`. With
    --until-done the exit status is 1 if tickets are still open when the time is up.
    """
    plane = open_plane(home)
    if not until_done:
        click.echo(look(plane))
        return
    sys.exit(0 if follow(plane, every, at_most) else 1)


@click.command(epilog="Example: quantum-assets cache")
@click.option("--clear", is_flag=True, help="Remove every entry; the next time each answer is computed or paid again.")
@click.option("--tidy", is_flag=True, help="Remove spooled workloads and collected answers that nobody needs any more.")
@json_option
@home_option
def cache(clear: bool, tidy: bool, as_json: bool, home: Path) -> None:
    """Tell how full the cache of answers is, empty it, or tidy what waits beside it."""
    from quantum_assets.cli.store_commands import size_of
    from quantum_assets.execution.cache import Cache

    if tidy:
        from quantum_assets.execution.tidying import tidy as clean

        gone = clean(open_plane(home))
        click.echo(f"Removed {gone.workloads} workloads, {gone.answers} answers and {gone.leftovers} leftovers.")
        return
    kept = Cache(home / "execution" / "cache")
    if clear:
        click.echo(f"Removed {kept.clear()} answers.")
        return
    stats = kept.stats()
    if as_json:
        show_json(stats)
        return
    click.echo(f"{stats.entries} answers, {size_of(stats.bytes)} of {size_of(stats.max_bytes)}")
    if stats.quarantined:
        click.echo(f"{stats.quarantined} entries failed their checksum and were set aside; --clear removes them too")


@dataclass(frozen=True)
class CancelPlan:
    """What a command to cancel comes to.

    Attributes:
        chosen: Tickets to end.
        left: Open tickets that others wait for too, each with those others.
        over: Tickets named that had their outcome already.
    """

    chosen: "tuple[Ticket, ...]"
    left: "tuple[tuple[Ticket, str], ...]" = ()
    over: "tuple[Ticket, ...]" = ()


def by_name(ledger: "Ledger", names: Iterable[str]) -> CancelPlan:
    """Exactly these tickets, whoever waits for them.

    Raises:
        PlanError: If a name is no ticket's.
    """
    from quantum_assets.cli.ticket_report import find_ticket

    found = {ticket.id: ticket for ticket in (find_ticket(ledger, name) for name in names)}.values()
    return CancelPlan(tuple(t for t in found if not t.ended), over=tuple(t for t in found if t.ended))


def by_owner(ledger: "Ledger", study: str | None, partition: str | None, run_id: str | None) -> CancelPlan:
    """Open tickets that only this study, partition and run asked for; None: any."""
    from quantum_assets.cli.ticket_report import askers, waiting_for

    def is_mine(row: "RequestRow") -> bool:
        wanted = {"study": study, "partition": partition, "run_id": run_id}
        return all(getattr(row, name) == value for name, value in wanted.items() if value is not None)

    chosen, left = [], []
    for ticket in ledger.tickets(states=_states((), True), study=study, partition=partition, run_id=run_id):
        others = [row for row in askers(ledger, ticket) if not is_mine(row)]
        if others:
            left.append((ticket, waiting_for(others)))
        else:
            chosen.append(ticket)
    return CancelPlan(tuple(chosen), tuple(left))


def cancel_now(plane: "ControlPlane", chosen: "Sequence[Ticket]", by: str) -> "tuple[Ticket, ...]":
    """End tickets; where another process moves one meanwhile, read it again and decide anew."""
    from quantum_assets.execution.answering import cancel as end_tickets

    now = tuple(chosen)
    for _ in range(_RACES):
        try:
            return end_tickets(plane, now, by)
        except StaleTicket:
            now = tuple(plane.ledger.ticket(ticket.id) for ticket in chosen)
    return end_tickets(plane, now, by)


def told(ledger: "Ledger", plan: CancelPlan, ended: "Sequence[Ticket]") -> list[str]:
    """What was cancelled, what was not and why, and what goes on at providers."""
    from quantum_assets.cli.ticket_report import SHORT, askers, place, waiting_for

    before = {ticket.id: ticket for ticket in plan.chosen}
    lines, cancelled = [], 0
    for ticket in ended:
        was, whose = before[ticket.id], waiting_for(askers(ledger, ticket))
        if ticket.reason.startswith("cancelled by "):
            cancelled += 1
            at = f" at {place(was)}" if place(was) else ""
            lines.append(f"cancelled  {ticket.id[:SHORT]}  {whose}: it was {was.state.value}{at}")
        else:
            lines.append(f"too late   {ticket.id[:SHORT]}  {whose}: it is {ticket.state.value}")
    lines += [f"goes on    {t.id[:SHORT]}  {others} waits for it too" for t, others in plan.left]
    lines += [f"had ended  {t.id[:SHORT]}  {t.state.value}: {t.reason}" for t in plan.over]
    lines += _jobs_told(ledger, ended)
    return [*lines, f"{cancelled} tickets cancelled." if cancelled else "Nothing was cancelled."]


def _jobs_told(ledger: "Ledger", ended: "Sequence[Ticket]") -> list[str]:
    lines = []
    for key in dict.fromkeys(ticket.order for ticket in ended if ticket.order and ticket.ended):
        row, members = ledger.order(key), ledger.tickets(order=key)
        others = sum(not ticket.ended for ticket in members)
        if row is None or row.state != "open":
            continue
        job = f"job {row.job}" if row.job else f"order {key[:12]}"
        if others:
            lines.append(f"{job} of {row.provider} goes on: {others} other tickets wait for it")
        else:
            lines.append(f"{job} of {row.provider} was asked to stop; `quantum-assets poll` learns what it cost")
    return lines


def look(plane: "ControlPlane") -> str:
    """One look at every submitted ticket, in bounded turns; what it found, in a line."""
    from quantum_assets.execution.answering import turn_ledger

    cursor, looked_at, settled = "", 0, 0
    while True:
        turn = turn_ledger(plane, cursor=cursor)
        looked_at, settled, cursor = looked_at + len(turn.tickets), settled + turn.settled, turn.cursor
        if not cursor:
            break
    left = _submitted(plane)
    states = Counter(ticket.state.value for ticket in left)
    standing = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    queue = min((t.queue_position for t in left if t.queue_position is not None), default=None)
    first = "" if queue is None else f"; jobs before the first of them: {queue}"
    now = f"{len(left)} open ({standing}){first}" if left else "nothing open"
    return f"{looked_at} tickets looked at, {settled} orders settled late; {now}"


def follow(plane: "ControlPlane", every: float, at_most: float | None) -> bool:
    """Look again and again until no submitted ticket is open; whether that came in time.

    Args:
        plane: The control plane; its clock does the waiting.
        every: Seconds between two looks.
        at_most: Seconds altogether; None: as long as it takes.
    """
    started, said = plane.clock.monotonic(), ""
    while True:
        line = look(plane)
        if line != said:
            click.echo(line)
        said = line
        if not _submitted(plane):
            click.echo("Every submitted ticket has its outcome.")
            return True
        if at_most is not None and plane.clock.monotonic() - started + every > at_most:
            click.echo(f"Still open after {at_most:g} s; nothing is lost, and another poll goes on.", err=True)
            return False
        plane.clock.sleep(every)


def _submitted(plane: "ControlPlane") -> "tuple[Ticket, ...]":
    return plane.ledger.tickets(states=_states((), True), asynchronous=True)


def _states(named: Sequence[str], only_open: bool) -> "frozenset[State] | None":
    from quantum_assets.contracts.ticket import OUTCOMES, State

    chosen = frozenset(State(name) for name in named) if named else frozenset(State)
    if only_open:
        return chosen - OUTCOMES
    return chosen if named else None
