"""Commands for who may do what, and what it costs: `approve`, `approvals`, `budget`, `breakers` and `alerts`."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_assets.cli.ledger import find_ledger, new_ledger, open_ledger, person, shipped_budgets
from quantum_assets.cli.listing import Listing, json_option, moment, show, show_json, stamp
from quantum_assets.cli.options import home_option
from quantum_assets.contracts.errors import PlanError

if TYPE_CHECKING:
    from quantum_assets.execution.breaker import BreakerState
    from quantum_assets.execution.ledger.ledger import Ledger
    from quantum_assets.execution.purses import Purse

#: `contracts.money.ApprovalKind`, written again so that --help loads nothing.
KINDS = ("high_shots", "high_frequency", "hardware")
_RACES = 5


def budgets_option(command: Any) -> Any:
    """Add `--budgets FILE`."""
    return click.option(
        "--budgets",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Another budgets.yaml; by default the one in the defs folder.",
    )(command)


@click.command(epilog="Example: quantum-assets approve high_shots --project default --reason thesis --until 2099-12-31")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.option("--project", required=True, help="Whose submissions; a profile names its project.")
@click.option("--reason", required=True, help="Why; it is kept with your name.")
@click.option("--until", metavar="DATE", help="Last day (UTC), or a moment in ISO 8601; without it, for ever.")
@budgets_option
@home_option
def approve(kind: str, project: str, reason: str, until: str | None, budgets: Path | None, home: Path) -> None:
    """Record that you allow a kind of submission.

    KIND is high_shots, high_frequency or hardware; budgets.yaml says when each is needed. The last word on a project
    and kind counts, and budgets still hold.
    """
    from quantum_assets.governance.budgets import budget_of
    from quantum_assets.governance.policy import limit_micros, money

    budget = budget_of(shipped_budgets(budgets), project)
    ledger = new_ledger(home)
    ends = None if until is None else ending(until, ledger.clock.now())
    given = ledger.approve(project, kind, by=person(), reason=reason, until=ends)  # type: ignore[arg-type]
    how_long = "for ever" if given.until is None else f"until {moment(given.until)}"
    click.echo(f"{given.approver} allows {kind} for project {project} {how_long}: {given.reason}")
    if kind == "hardware" and not limit_micros(budget, "hardware"):
        none = money(0, budget.currency)
        click.echo(f"Its hardware budget is {none} a month, so nothing that costs money runs on a device yet.")


@click.command(epilog="Example: quantum-assets approvals --project default")
@click.option("--project", help="Of this project only.")
@json_option
@home_option
def approvals(project: str | None, as_json: bool, home: Path) -> None:
    """List every approval ever given, and which of them hold.

    An approval is never taken back: one that ends today, given with --until, replaces it.
    """
    ledger = open_ledger(home)
    given = ledger.approvals(project)
    if as_json:
        show_json(given)
        return
    if not given:
        click.echo("No approvals.")
        return
    now = {pair: ledger.approved(*pair) for pair in {(one.project, one.kind) for one in given}}
    rows = []
    for one in given:
        holds = now[one.project, one.kind] == one
        standing = "holds" if holds else "has ended" if _is_over(one.until, ledger) else "replaced"
        ends = stamp(one.until, "for ever")
        rows.append((one.project, one.kind, standing, ends, one.approver, stamp(one.at), one.reason))
    show(Listing(("project", "kind", "now", "until (UTC)", "by", "given (UTC)", "reason"), tuple(rows)))


@click.command(epilog="Example: quantum-assets budget --month 2026-11")
@click.option("--project", help="Of this project only.")
@click.option("--month", metavar="YYYY-MM", help="Calendar month in UTC; by default this one.")
@budgets_option
@json_option
@home_option
def budget(project: str | None, month: str | None, budgets: Path | None, as_json: bool, home: Path) -> None:
    """Show what projects may spend in a month, and what is reserved and charged.

    Simulators and devices have purses of their own. What is reserved belongs to orders whose bill has not come.
    """
    from quantum_assets.execution.purses import purses

    limits = shipped_budgets(budgets)
    ledger = find_ledger(home)
    month = a_month(month) if month else f"{datetime.now(UTC):%Y-%m}"
    spending = () if ledger is None else ledger.spending(project, month)
    lines = [one for one in purses(limits, spending, month) if project in (None, one.project)]
    if not lines:
        raise PlanError(f"project {project}", "has no budget and spent nothing", f"Choose from {', '.join(limits)}")
    if as_json:
        show_json(lines)
        return
    columns = ("project", "month", "kind", "limit", "reserved", "charged", "used", "tickets", "shots")
    numbers = frozenset(columns[3:])
    show(Listing(columns, tuple(_purse_row(one) for one in lines), numbers))


@click.command(epilog="Example: quantum-assets breakers")
@click.option("--reset", metavar="PROVIDER/BACKEND", help="Close this one now; its next call goes through.")
@click.option("--reason", help="With --reset: why; it is kept with your name.")
@json_option
@home_option
def breakers(reset: str | None, reason: str | None, as_json: bool, home: Path) -> None:
    """Show the circuit breaker of every backend that ever failed, or close one by hand.

    An open breaker lets one call through by itself after a while; a success closes it.
    """
    from quantum_assets.execution.breaker import Breakers

    ledger = open_ledger(home)
    if reset is not None:
        if not (reason or "").strip():
            raise PlanError("--reset", "comes without --reason", "Say why; others share this breaker")
        click.echo(close_breaker(ledger, reset, f"{person()}: {(reason or '').strip()}"))
        return
    if reason is not None:
        raise PlanError("--reason", "comes without --reset", "Name the breaker to close")
    states = Breakers(ledger).states()
    if as_json:
        show_json(states)
    elif not states:
        click.echo("No backend ever failed.")
    else:
        columns = ("provider", "backend", "state", "failures", "since (UTC)", "next call")
        show(Listing(columns, tuple(_breaker_row(one) for one in states), frozenset({"failures"})))


@click.command(epilog="Example: quantum-assets alerts --since 17")
@click.option("--since", default=0, type=click.IntRange(0), metavar="SEQ", help="Only those after this number.")
@click.option("--unread", "only_unread", is_flag=True, help="Only those that nobody has read.")
@click.option("--mark-read", is_flag=True, help="Write down that you have read all of them.")
@json_option
@home_option
def alerts(since: int, only_unread: bool, mark_read: bool, as_json: bool, home: Path) -> None:
    """List what a person should know, oldest first; and who read it, or closed a breaker."""
    from quantum_assets.execution import alerts as log

    ledger = open_ledger(home)
    known = ledger.alerts()
    chosen = log.unread(known) if only_unread else known
    found = [alert for alert in chosen if alert.sequence > since]
    if mark_read:
        log.mark_read(ledger, person())
    if as_json:
        show_json(found)
        return
    if not found:
        click.echo("No alerts.")
        return
    rows = tuple((str(a.sequence), stamp(a.at), a.kind, a.subject, a.message) for a in found)
    show(Listing(("seq", "at (UTC)", "kind", "about", "message"), rows, frozenset({"seq"})))
    left = len(log.unread(ledger.alerts()))
    told = "none is unread" if not left else f"{left} unread; --mark-read says that you have read them"
    click.echo(f"{len(found)} alerts up to {found[-1].sequence}; {told}")


def ending(text: str, now: datetime) -> datetime:
    """The moment (UTC) at which an approval ends: the end of a day, or a moment as written.

    Raises:
        PlanError: For what is neither, and for what has passed.
    """
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            ends = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
        else:
            read = datetime.fromisoformat(text)
            ends = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PlanError(f"--until {text}", "is not a date", "Write for example 2026-12-31") from error
    if ends <= now:
        raise PlanError(f"--until {text}", "has passed", "Name a later day")
    return ends


def a_month(text: str) -> str:
    """A calendar month as it stands in the ledger.

    Raises:
        PlanError: For anything else.
    """
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text) is None:
        raise PlanError(f"--month {text}", "is not a month", "Write for example 2026-11")
    return text


def close_breaker(ledger: "Ledger", key: str, by: str) -> str:
    """Close a breaker on a person's word and record who; what was done, in a sentence.

    Raises:
        PlanError: If no breaker has that name.
    """
    from quantum_assets.execution.alerts import BREAKER_RESET

    known = [row.key for row in ledger.breakers()]
    if key not in known:
        raise PlanError(
            f"breaker {key}", "is not in the ledger", f"Choose from {', '.join(known) or 'none: all is well'}"
        )
    for _ in range(_RACES):
        row = ledger.breaker(key)
        if row.state == "closed" and not row.failures:
            return f"{key} is closed already."
        fresh = {"state": "closed", "failures": 0, "successes": 0, "opened_at": None}
        if ledger.set_breaker(key, expected=row.version, **fresh) is not None:
            ledger.alert(BREAKER_RESET, key, f"closed by {by}; it was {row.state} after {row.failures} failures")
            return f"{key} is closed; it was {row.state} after {row.failures} failures."
    raise PlanError(f"breaker {key}", "keeps changing under other processes", "Try again")


def _purse_row(one: "Purse") -> tuple[str, ...]:
    from quantum_assets.governance.policy import money

    limit = "none" if one.limit is None else money(one.limit, one.currency)
    used = "" if one.limit is None else f"{one.share:.0%}"
    amounts = (limit, money(one.reserved, one.currency), money(one.settled, one.currency), used)
    return (one.project, one.month, one.kind, *amounts, f"{one.tickets:,}", f"{one.shots:,}")


def _breaker_row(one: "BreakerState") -> tuple[str, ...]:
    if one.state == "closed":
        following = "goes through"
    elif one.half_opens_at is None:
        following = "is let through to try"
    else:
        following = f"refused until {moment(one.half_opens_at)}"
    return (one.provider, one.backend, one.state, str(one.failures), stamp(one.since), following)


def _is_over(ends: datetime | None, ledger: "Ledger") -> bool:
    return ends is not None and ends <= ledger.clock.now()
