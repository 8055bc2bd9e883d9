"""The platform about itself, as assets: breakers, spending and tickets, from the ledger, with checks that only warn.

They are unpartitioned, versioned and recorded like every other asset, so that Dagster and MLflow plot them over time.
Unchanged content is the same version. The schedule is off until somebody switches it on.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.money import MICROS
from quantum_assets.contracts.tables import BREAKERS, SPENDING, TICKETS
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.alerts import unread
from quantum_assets.execution.breaker import BreakerState
from quantum_assets.execution.ledger.rows import Alert
from quantum_assets.execution.ledger.tally import Tally
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.purses import Purse, purses
from quantum_assets.governance.policy import money
from quantum_assets.orchestration.checks import CheckOutcome
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.stored import Stored, materialized

PLATFORM = "platform"
JOB, SCHEDULE = "platform_job", "platform_hourly"
ALARMING_SHARE = 0.8
"""Share of a month's budget from which on its check warns."""
NEWS = timedelta(days=1)
_ARROW = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
_WORST = ("closed", "half-open", "open")
Content = Callable[[ControlPlane], Stored]
Opinion = Callable[[ControlPlane], CheckOutcome]


def build_platform() -> dg.Definitions:
    """The three assets, their checks, the job that materialises them and its hourly schedule."""
    job = dg.define_asset_job(
        JOB, selection=dg.AssetSelection.groups(PLATFORM), description="Look at breakers, spending and tickets."
    )
    schedule = dg.ScheduleDefinition(
        name=SCHEDULE,
        job=job,
        cron_schedule="0 * * * *",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Looks at the platform every hour; unchanged content makes no new version.",
    )
    return dg.Definitions(
        assets=[_asset(name, about, content) for name, about, content in _ASSETS],
        asset_checks=[_check(name, check, severity, opinion) for name, check, severity, opinion in _CHECKS],
        jobs=[job],
        schedules=[schedule],
    )


def breakers_now(plane: ControlPlane) -> Stored:
    """Every breaker that ever counted a failure."""
    states = plane.breakers.states()
    rows = [
        (one.provider, one.backend, one.state, one.failures, _moment(one.since), _moment(one.half_opens_at))
        for one in states
    ]
    counts = Counter(one.state for one in states)
    metrics = {f"breakers/{state}": float(counts[state]) for state in _WORST}
    metrics["breakers/failures"] = float(sum(one.failures for one in states))
    return _stored(BREAKERS, rows, metrics, {"worst": worst(states)})


def spending_now(plane: ControlPlane) -> Stored:
    """Every purse of every month, with the budgets of this one."""
    found = _purses(plane)
    rows = [
        (
            one.project,
            one.month,
            one.kind,
            one.currency,
            None if one.limit is None else one.limit / MICROS,
            one.reserved / MICROS,
            one.settled / MICROS,
            one.tickets,
            one.shots,
        )
        for one in found
    ]
    metrics: dict[str, float] = {}
    for one in found:
        if one.month == _month(plane):
            name = f"{one.project}/{one.kind}/{one.currency}"
            metrics[f"spent/{name}"] = one.spent / MICROS
            metrics[f"share/{name}"] = float(one.share)
    return _stored(SPENDING, rows, metrics, {"this month": _told(found, _month(plane))})


def tickets_now(plane: ControlPlane) -> Stored:
    """All tickets, counted by who asked, who got them and where they stand."""
    found = plane.ledger.tally()
    rows = [
        (
            one.study,
            one.partition,
            one.provider,
            one.state.value,
            one.tickets,
            one.retries,
            one.cache_hits,
            _moment(one.oldest),
        )
        for one in found
    ]
    return _stored(TICKETS, rows, _ticket_metrics(found, plane.clock.now()), {"open": _waiting(found)})


def worst(states: Sequence[BreakerState]) -> str:
    """The breaker that is worst off, in words."""
    if not states:
        return "no backend ever failed"
    one = max(states, key=lambda state: (_WORST.index(state.state), state.failures))
    name = f"{one.provider} {one.backend}".strip()
    if one.state == "closed":
        return f"all {len(states)} closed; most failures in a row: {one.failures}, of {name}"
    since = f" since {_moment(one.since)} UTC" if one.since else ""
    return f"{name} is {one.state}{since} after {one.failures} failures in a row"


def no_breaker_is_open(plane: ControlPlane) -> CheckOutcome:
    """No provider is being kept away from: every breaker is closed."""
    states = plane.breakers.states()
    bad = [one for one in states if one.state != "closed"]
    return CheckOutcome(not bad, worst(states), {"not_closed": float(len(bad))})


def budgets_have_room(plane: ControlPlane) -> CheckOutcome:
    """This month's reserved and charged money is under 80 % of every budget."""
    month = _month(plane)
    current = [one for one in _purses(plane) if one.month == month]
    full = [one for one in current if one.share >= ALARMING_SHARE]
    most = max((one.share for one in current), default=0.0)
    return CheckOutcome(not full, _told(full or current, month), {"largest_share": float(most)})


def ledger_invariants_hold(plane: ControlPlane) -> CheckOutcome:
    """Log, tickets, orders and money of the ledger agree with each other."""
    wrong = plane.ledger.check()
    return CheckOutcome(
        not wrong, "; ".join(wrong) or "tickets, log, orders and money agree", {"broken": float(len(wrong))}
    )


def alerts_were_read(plane: ControlPlane) -> CheckOutcome:
    """Somebody has read the alerts of the last day (`quantum-assets alerts --mark-read`)."""
    news = unread(plane.ledger.alerts(), since=plane.clock.now() - NEWS)
    return CheckOutcome(not news, _alerts_told(news), {"unread": float(len(news))})


def _asset(name: str, about: str, content: Content) -> dg.AssetsDefinition:
    @dg.asset(
        key=[PLATFORM, name],
        description=about,
        group_name=PLATFORM,
        kinds={"parquet"},
        tags={"quantum_assets/kind": PLATFORM},
        io_manager_key=STORAGE_KEY,
        required_resource_keys={EXECUTION_KEY},
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Stored]:
        return materialized(content(_plane(context.resources)))

    return asset


def _check(name: str, check: str, severity: dg.AssetCheckSeverity, opinion: Opinion) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey([PLATFORM, name]),
        name=check,
        description=(opinion.__doc__ or "").strip(),
        blocking=False,
        required_resource_keys={EXECUTION_KEY},
    )
    def run(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        outcome = opinion(_plane(context.resources))
        return dg.AssetCheckResult(
            passed=outcome.passed,
            severity=severity,
            description=outcome.description,
            metadata={figure: float(value) for figure, value in outcome.figures.items()},
        )

    return run


def _plane(resources: Any) -> ControlPlane:
    room: ExecutionRoom = getattr(resources, EXECUTION_KEY)
    return room.plane


def _stored(
    contract: TableContract, rows: Sequence[tuple[Any, ...]], metrics: dict[str, float], notes: dict[str, str]
) -> Stored:
    columns = {
        column.name: pa.array([row[place] for row in rows], _ARROW[column.type])
        for place, column in enumerate(contract.columns)
    }
    return Stored(pa.table(columns), contract, {"source": "the ledger"}, metrics=metrics, notes=notes)


def _purses(plane: ControlPlane) -> tuple[Purse, ...]:
    return purses(plane.budgets, plane.ledger.spending(), _month(plane))


def _month(plane: ControlPlane) -> str:
    return f"{plane.clock.now().astimezone(UTC):%Y-%m}"


def _told(found: Sequence[Purse], month: str) -> str:
    """Purses of a month against their limits, a sentence."""
    parts = [
        f"{one.project} {one.kind}: {money(one.spent, one.currency)} of "
        + ("no budget" if one.limit is None else f"{money(one.limit, one.currency)} ({one.share:.0%})")
        for one in found
        if one.month == month
    ]
    return "; ".join(parts) or f"no budget, and nothing spent in {month}"


def _ticket_metrics(found: Sequence[Tally], now: datetime) -> dict[str, float]:
    """Totals; the oldest open ticket in hours, 0 where none is open."""
    ended = Counter[State]()
    for one in found:
        ended[one.state] += one.tickets
    oldest = min((one.oldest for one in found if one.oldest is not None), default=now)
    return {
        "tickets/all": float(sum(ended.values())),
        "tickets/open": float(sum(one.tickets for one in found if one.oldest is not None)),
        "tickets/oldest_open_hours": max((now - oldest).total_seconds() / 3600, 0.0),
        "tickets/retries": float(sum(one.retries for one in found)),
        "tickets/fallbacks": float(ended[State.FELL_BACK]),
        "tickets/rejected": float(ended[State.REJECTED]),
        "tickets/cache_hits": float(sum(one.cache_hits for one in found)),
    }


def _waiting(found: Sequence[Tally]) -> str:
    """Who waits for what, most tickets first."""
    waiting = sorted((one for one in found if one.oldest is not None), key=lambda one: -one.tickets)
    parts = [
        f"{one.tickets} {one.state.value}"
        + (f" at {one.provider}" if one.provider else "")
        + f" for {one.study or 'nobody named'}"
        + (f"/{one.partition}" if one.partition else "")
        for one in waiting[:10]
    ]
    more = f"; and {len(waiting) - 10} groups more" if len(waiting) > 10 else ""
    return ("; ".join(parts) or "nothing is open") + more


def _alerts_told(news: Sequence[Alert]) -> str:
    if not news:
        return "no unread alert of the last day"
    last = news[-1]
    return f"{len(news)} unread, the last: {last.kind}, {last.subject}: {last.message}"


def _moment(when: datetime | None) -> str:
    """To the second, in UTC; empty for none."""
    return "" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


_BREAKERS = (
    "**Circuit breakers of providers and backends**, as all processes see them. An open one refuses calls at once; "
    "after a while one call is let through to try. `quantum-assets breakers --reset` closes one by hand."
)
_SPENDING = (
    "**What projects spend, by month (UTC)**, against `budgets.yaml`, simulators and devices apart. What is reserved "
    "belongs to orders whose bill has not come."
)
_TICKETS = (
    "**Every question put to a provider**, counted by study, partition, provider and state; with retries and answers "
    "from the cache. `quantum-assets tickets` tells one whole."
)
_ASSETS: tuple[tuple[str, str, Content], ...] = (
    ("breakers", _BREAKERS, breakers_now),
    ("spending", _SPENDING, spending_now),
    ("tickets", _TICKETS, tickets_now),
)
_CHECKS: tuple[tuple[str, str, dg.AssetCheckSeverity, Opinion], ...] = (
    ("breakers", "no_breaker_is_open", dg.AssetCheckSeverity.WARN, no_breaker_is_open),
    ("spending", "budgets_have_room", dg.AssetCheckSeverity.WARN, budgets_have_room),
    ("tickets", "ledger_invariants_hold", dg.AssetCheckSeverity.ERROR, ledger_invariants_hold),
    ("tickets", "alerts_were_read", dg.AssetCheckSeverity.WARN, alerts_were_read),
)
