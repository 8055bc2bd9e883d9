"""The platform's own assets on small real ledgers: what is stored, what is plotted, when a check warns."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.alerts import mark_read
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.governance.budgets import read_budgets
from quantum_assets.orchestration import platform
from quantum_assets.orchestration.execution import EXECUTION_KEY
from quantum_assets.orchestration.io_manager import STORAGE_KEY, VERSION_KEY
from quantum_assets.store.digest import table_digest
from quantum_assets.store.store import Store
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.execution.ledger.materials import PROFILE, ask_for, guess, opened, raw, walk
from quantum_assets_tests.execution.rooms import DEFS, room_in
from quantum_assets_tests.orchestration.storage import storage_without_courier

KEY = "a" * 32
REMOTE = "remote/rehearsal"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def plane(tmp_path: Path, clock: ManualClock) -> ControlPlane:
    budgets = read_budgets(DEFS / "budgets.yaml")
    return ControlPlane.in_home(tmp_path, {}, lambda *_: (), budgets=budgets, clock=clock)


def rows(stored: platform.Stored) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stored.table.to_pylist()
    return found


def opened_breaker(plane: ControlPlane, failures: int = 5) -> None:
    for _ in range(failures):
        plane.ledger.count_failure(REMOTE)
    plane.ledger.set_breaker(REMOTE, state="open", opened_at=plane.clock.now())


def spent(plane: ControlPlane, micros: int, charged: int | None = None) -> None:
    """One order of one ticket, with a made-up price."""
    ticket, _ = plane.ledger.ask(ask_for(1, study="wine", partition="managed"))
    opened(plane.ledger, KEY, [ticket], [guess(micros, 1000)], provider="remote", backend="rehearsal")
    (named,) = plane.ledger.name_job(KEY, "job")
    if charged is not None:
        walk(plane.ledger, named, State.COMPLETED, State.ACCEPTED)
        plane.ledger.settle(KEY, Charge(charged))


def test_breakers_tell_their_state_and_the_worst_of_them(plane: ControlPlane) -> None:
    plane.ledger.count_failure("ibm/fake")
    opened_breaker(plane)
    stored = platform.breakers_now(plane)
    assert rows(stored) == [
        {"provider": "ibm", "backend": "fake", "state": "closed", "failures": 1, "since": "", "half_opens_at": ""},
        {
            "provider": "remote",
            "backend": "rehearsal",
            "state": "open",
            "failures": 5,
            "since": "2026-11-22 12:00:00",
            "half_opens_at": "2026-11-22 12:01:00",
        },
    ]
    assert stored.metrics["breakers/open"] == 1.0
    assert stored.notes["worst"] == ("remote rehearsal is open since 2026-11-22 12:00:00 UTC after 5 failures in a row")


def test_an_open_breaker_that_only_grows_older_is_the_same_version(plane: ControlPlane, clock: ManualClock) -> None:
    opened_breaker(plane)
    before = platform.breakers_now(plane)
    clock.advance(120)
    after = platform.breakers_now(plane)
    assert rows(before) != rows(after)
    assert table_digest(before.table, before.contract) == table_digest(after.table, after.contract)
    plane.ledger.set_breaker(REMOTE, state="closed", failures=0, opened_at=None)
    closed = platform.breakers_now(plane)
    assert table_digest(closed.table, closed.contract) != table_digest(after.table, after.contract)


def test_no_backend_and_all_closed_are_told_apart(plane: ControlPlane) -> None:
    assert platform.worst(()) == "no backend ever failed"
    plane.ledger.count_failure(REMOTE)
    assert platform.worst(plane.breakers.states()) == ("all 1 closed; most failures in a row: 1, of remote rehearsal")


def test_spending_stands_beside_its_limits(plane: ControlPlane) -> None:
    spent(plane, 400_000, charged=300_000)
    simulator, hardware = rows(platform.spending_now(plane))
    assert simulator == {
        "project": "default",
        "month": "2026-11",
        "kind": "simulator",
        "currency": "USD",
        "limit": 25.0,
        "reserved": 0.0,
        "settled": 0.3,
        "tickets": 1,
        "shots": 1000,
    }
    assert (hardware["kind"], hardware["limit"]) == ("hardware", 0.0)
    assert platform.spending_now(plane).metrics["share/default/simulator/USD"] == pytest.approx(0.012)


def test_spending_without_a_budget_has_no_limit(tmp_path: Path, clock: ManualClock) -> None:
    plane = ControlPlane.in_home(tmp_path, {}, lambda *_: (), clock=clock)
    spent(plane, 400_000)
    (only,) = rows(platform.spending_now(plane))
    assert (only["limit"], only["reserved"]) == (None, 0.4)


def test_tickets_are_counted_and_the_oldest_told(plane: ControlPlane, clock: ManualClock) -> None:
    spent(plane, 0)
    clock.advance(7200)
    failed = walk(plane.ledger, plane.ledger.ask(ask_for(2, study="wine", partition="managed"))[0], State.FAILED)
    again = plane.ledger.again(failed, State.RETRIED, "busy", profile=PROFILE, modification="")
    walk(plane.ledger, again, State.CANCELLED, State.FELL_BACK)
    walk(plane.ledger, plane.ledger.ask(ask_for(3, study="wine"))[0], State.COMPLETED, State.ACCEPTED)
    stored = platform.tickets_now(plane)
    assert [(row["provider"], row["state"], row["tickets"], row["oldest_open"]) for row in rows(stored)] == [
        ("", "accepted", 1, ""),
        ("", "fell_back", 1, ""),
        ("", "retried", 1, ""),
        ("remote", "submitted", 1, "2026-11-22 12:00:00"),
    ]
    assert stored.metrics == {
        "tickets/all": 4.0,
        "tickets/open": 1.0,
        "tickets/oldest_open_hours": 2.0,
        "tickets/retries": 1.0,
        "tickets/fallbacks": 1.0,
        "tickets/rejected": 0.0,
        "tickets/cache_hits": 1.0,
    }
    assert stored.notes["open"] == "1 submitted at remote for wine/managed"


def test_many_groups_of_open_tickets_are_cut_short(plane: ControlPlane) -> None:
    for number in range(13):
        plane.ledger.ask(ask_for(number, study=f"study{number:02}"))
    assert platform.tickets_now(plane).notes["open"].endswith("; and 3 groups more")


def test_the_breaker_check_warns_until_a_call_has_succeeded(plane: ControlPlane, clock: ManualClock) -> None:
    assert platform.no_breaker_is_open(plane).passed
    opened_breaker(plane)
    clock.advance(3600)
    assert not platform.no_breaker_is_open(plane).passed
    plane.breakers.guard("remote", "rehearsal").call(lambda: None)
    assert platform.no_breaker_is_open(plane).passed


@pytest.mark.parametrize(("micros", "passed"), [(19_999_999, True), (20_000_000, False), (26_000_000, False)])
def test_the_budget_check_warns_from_four_fifths_on(plane: ControlPlane, micros: int, passed: bool) -> None:
    spent(plane, micros)
    outcome = platform.budgets_have_room(plane)
    assert outcome.passed is passed
    assert "default simulator: " in outcome.description
    assert outcome.figures["largest_share"] == pytest.approx(micros / 25_000_000)


def test_the_budget_check_looks_at_this_month_only(plane: ControlPlane, clock: ManualClock) -> None:
    spent(plane, 24_000_000)
    clock.advance(15 * 86_400)
    assert platform.budgets_have_room(plane).passed


def test_the_ledger_check_names_what_is_broken(plane: ControlPlane) -> None:
    spent(plane, 100, charged=100)
    assert platform.ledger_invariants_hold(plane).description == "tickets, log, orders and money agree"
    with raw(plane.ledger) as connection:
        connection.execute("UPDATE orders SET micros = 99")
    outcome = platform.ledger_invariants_hold(plane)
    assert (outcome.passed, outcome.figures) == (False, {"broken": 1.0})
    assert "was settled with 0.000099 USD and is booked with 0.0001 USD" in outcome.description


def test_the_alert_check_warns_of_what_nobody_read(plane: ControlPlane, clock: ManualClock) -> None:
    plane.ledger.alert("job_lost", "ticket a", "the provider does not know it")
    outcome = platform.alerts_were_read(plane)
    assert not outcome.passed
    assert outcome.description == "1 unread, the last: job_lost, ticket a: the provider does not know it"
    mark_read(plane.ledger, "ada")
    assert platform.alerts_were_read(plane).passed
    plane.ledger.alert("job_lost", "ticket b", "the provider does not know it")
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert platform.alerts_were_read(plane).passed


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def materialise(home: Path, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    resources = {STORAGE_KEY: storage_without_courier(home), EXECUTION_KEY: room_in(home)}
    defs = dg.Definitions.merge(platform.build_platform(), dg.Definitions(resources=resources))
    return defs.resolve_job_def(platform.JOB).execute_in_process(instance=instance)


def test_the_job_stores_an_empty_platform_and_every_check_passes(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    result = materialise(tmp_path, instance)
    assert result.success
    store = Store(tmp_path / "store")
    assert {asset for asset, _ in store.assets()} == {("platform", n) for n in ("breakers", "spending", "tickets")}
    assert store.find(("platform", "breakers"), {}).rows == 0
    checks = result.get_asset_check_evaluations()
    assert {check.check_name: check.passed for check in checks} == {
        "no_breaker_is_open": True,
        "budgets_have_room": True,
        "ledger_invariants_hold": True,
        "alerts_were_read": True,
    }


def test_the_job_plots_numbers_keeps_versions_and_does_not_fail_on_a_warning(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    ledger = room_in(tmp_path).plane.ledger
    for _ in range(5):
        ledger.count_failure(REMOTE)
    ledger.set_breaker(REMOTE, state="open", opened_at=ledger.clock.now())
    first, second = materialise(tmp_path, instance), materialise(tmp_path, instance)
    assert first.success
    seen = [
        event.step_materialization_data.materialization.metadata
        for result in (first, second)
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["platform", "breakers"])
    ]
    assert [metadata["breakers/open"] for metadata in seen] == [dg.MetadataValue.float(1.0)] * 2
    assert seen[0][VERSION_KEY] == seen[1][VERSION_KEY]
    assert str(seen[0]["worst"].value).startswith("remote rehearsal is open since ")
    (warning,) = (check for check in first.get_asset_check_evaluations() if not check.passed)
    assert (warning.check_name, warning.severity, warning.blocking) == (
        "no_breaker_is_open",
        dg.AssetCheckSeverity.WARN,
        False,
    )


def test_the_schedule_waits_to_be_switched_on() -> None:
    (schedule,) = platform.build_platform().schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.name, schedule.default_status) == ("platform_hourly", dg.DefaultScheduleStatus.STOPPED)
