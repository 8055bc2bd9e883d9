"""Real processes, killed with SIGKILL at every place that matters; others go on, and the sidecar's books are ours.

The sidecar is the witness: it keeps its own append-only account of what it accepted and bills, and every test ends by
laying the two side by side.
"""

from dataclasses import replace

import pytest

from quantum_assets.contracts.ticket import State
from quantum_assets_tests.faults.place import PRICE
from quantum_assets_tests.faults.worker import started

pytestmark = pytest.mark.slow

QUEUED = {"at": "status", "kind": "lie", "word": "QUEUED"}
RUNNING = {"at": "status", "kind": "lie", "word": "RUNNING"}
NONSENSE = {"at": "status", "kind": "lie", "word": "Zugzwang"}
FAILS_ONCE = {"at": "run", "kind": "fail", "code": "5203"}
FAILS_FOR_GOOD = {"at": "run", "kind": "fail", "code": "9999"}


#: Every state of a ticket and every step between two, in the order in which one try meets them.
STEPS = (
    "after planned",
    "before submitting",
    "after submitting",
    "before call submit",
    "after call submit",
    "before submitted",
    "after submitted",
    "after queued",
    "after running",
    "before settled",
    "after settled",
    "before completed",
    "after completed",
    "before call fetch",
    "after call fetch",
    "before stored",
    "after stored",
    "before cached",
    "after cached",
    "before accepted",
    "after accepted",
)


@pytest.mark.parametrize("profile", ["waiting", "later"])
@pytest.mark.parametrize("stop", STEPS)
def test_one_job_and_one_charge_wherever_the_process_is_killed(place, stop, profile):
    place.go_wrong(QUEUED, RUNNING)
    place.killed(stop, profile=profile)
    (told,) = place.finished(profile=profile)
    (job,) = place.jobs()
    assert (told.path, told.reason) == ("quantum", "")
    assert job.micros == PRICE
    (spent,) = place.ledger.spending()
    assert (spent.settled, spent.reserved) == (job.micros, 0)


@pytest.mark.parametrize(
    ("stop", "path", "jobs"),
    [
        ("after unknown", "quantum", 1),
        ("before failed", "quantum", 2),
        ("after failed", "quantum", 2),
        ("before retried", "quantum", 2),
        ("after retried", "quantum", 2),
        ("before fell_back", "classical", 1),
        ("after fell_back", "quantum", 2),  # ended when it died: the run that is launched again asks anew
    ],
)
@pytest.mark.parametrize("profile", ["waiting", "later"])
def test_a_failure_is_decided_once_wherever_the_process_is_killed(place, stop, path, jobs, profile):
    faults = {"unknown": [NONSENSE], "fell_back": [FAILS_FOR_GOOD]}.get(stop.split()[1], [FAILS_ONCE])
    place.go_wrong(*faults)
    place.killed(stop, profile=profile)
    (told,) = place.finished(profile=profile)
    assert (told.path, bool(told.reason)) == (path, path != "quantum")
    assert len(place.jobs()) == jobs
    states = [ticket.state for ticket in place.ledger.tickets()]
    assert states.count(State.ACCEPTED) == 1
    assert len(states) == 2 if jobs == 2 or path == "classical" else 1


@pytest.mark.parametrize("stop", ["before expired", "after expired", "before fell_back", "after fell_back"])
@pytest.mark.parametrize("profile", ["waiting", "later"])
def test_a_deadline_that_passes_at_the_provider_is_paid_for_what_was_used(place, stop, profile):
    """The asker is killed while its job is with the provider, the sensor's process while it gives it up."""
    place.go_wrong({"at": "run", "kind": "delay", "seconds": 1.0})
    place.killed("after submitted", profile=profile, deadline=60.0)
    place.killed(stop, profile="later", rows=(), ahead=3600.0)
    place.at_rest(ahead=3600.0)
    (job,), (ticket,), (spent,) = place.jobs(), place.ledger.tickets(), place.ledger.spending()
    assert (ticket.state, spent.settled, spent.reserved) == (State.FELL_BACK, job.micros, 0)
    assert "its deadline has passed" in ticket.reason


def test_the_second_process_is_killed_as_well(place):
    """Recovery is a piece of work like any other."""
    place.killed("after call submit")
    for stop in ("before call find", "after call find", "before submitted", "after submitted", "before call fetch"):
        place.killed(stop)
    (told,) = place.finished()
    assert (told.path, len(place.jobs())) == ("quantum", 1)


@pytest.mark.parametrize("profile", ["waiting", "later"])
def test_two_processes_that_materialise_the_same_partition_at_once_make_one_job(place, profile):
    first = started(replace(place.task, stop="after call submit", profile=profile))
    assert first.reached() == "after call submit"
    second = started(replace(place.task, stop="after planned", profile=profile))  # adopts the first one's ticket
    assert second.reached() == "after planned"
    second.go_on()
    first.go_on()
    told = [*first.told(), *second.told()]
    assert [one.path for one in told] == ["quantum"] * 2
    assert len({one.digest for one in told}) == 1
    assert len(place.jobs()) == 1
    assert len(place.ledger.tickets()) == 1


def test_three_processes_race_from_the_start(place, report_figures):
    children = [started(replace(place.task, rows=(2, 3, 4, 5))) for _ in range(3)]
    told = [child.told() for child in children]
    assert {one.path for lines in told for one in lines} == {"quantum"}
    assert len({tuple(one.digest for one in lines) for lines in told}) == 1
    jobs, tickets = place.jobs(), place.ledger.tickets()
    assert len({ticket.question for ticket in tickets}) == 4
    assert sorted(q for job in jobs for q in job.questions) == sorted({q for job in jobs for q in job.questions})
    report_figures(f"3 processes, 4 partitions: {len(jobs)} jobs, {len(tickets)} tickets")


@pytest.mark.parametrize("storm", [1, 3])
def test_a_503_storm_on_submit_creates_exactly_one_job(place, storm):
    place.go_wrong({"at": "submit", "kind": "refuse", "status": 503, "times": storm})
    (told,) = place.finished()
    assert (told.path, len(place.jobs())) == ("quantum", 1)
    (order,) = place.ledger.orders()
    assert order.submissions == storm + 1


@pytest.mark.parametrize("kind", ["lose", "hang_up"])
@pytest.mark.parametrize("lookup", ["well", "refuse", "lose"])
def test_a_lost_answer_to_a_submission_creates_exactly_one_job(place, kind, lookup):
    """Accepted and not told, or not even accepted: the look-up decides, also when it fails at first."""
    place.go_wrong({"at": "submit", "kind": kind})
    if lookup != "well":
        place.go_wrong({"at": "lookup", "kind": lookup, "times": 2})
    (told,) = place.finished()
    assert (told.path, len(place.jobs())) == ("quantum", 1)
    assert place.left() == []


@pytest.mark.parametrize("at", ["submit", "status", "result", "lookup"])
def test_too_many_requests_are_slowed_down_as_asked(place, at):
    if at == "lookup":
        place.go_wrong({"at": "submit", "kind": "lose"})
    place.go_wrong({"at": at, "kind": "refuse", "status": 429, "retry_after": 7})
    (told,) = place.finished()
    assert (told.path, len(place.jobs())) == ("quantum", 1)
    if at == "submit":
        opened = [m for m in place.ledger.transitions(told.tickets[0]) if m.after is State.SUBMITTING]
        assert (opened[1].at - opened[0].at).total_seconds() >= 7


def test_a_breaker_that_one_process_opened_is_honoured_by_another(place):
    place.go_wrong({"at": "submit", "kind": "refuse", "status": 503, "times": 5})
    (first,) = place.finished()
    assert (first.path, len(place.jobs())) == ("classical", 0)
    place.go_wrong({"at": "submit", "kind": "refuse", "status": 500})  # would be used up by any call
    before = place.left()
    (second,) = place.finished(rows=(4,))
    assert (second.path, place.left()) == ("classical", before)
    assert "breaker" in second.reason
    assert "open since" in second.reason
    (third,) = place.finished(rows=(5,), ahead=86_400.0)  # the probe meets the 500, and is told apart from a refusal
    assert third.path in ("quantum", "classical")
    assert place.left() == []
    place.jobs()


def test_a_budget_that_is_used_up_goes_to_the_fallback_and_says_so(place):
    told = place.finished(rows=(2, 3, 4), budget=0.65)
    assert [one.path for one in told] == ["quantum", "quantum", "classical"]
    assert "budget_used_up" in told[2].reason
    assert "simulator budget" in told[2].reason
    (spent,) = place.ledger.spending()
    assert (spent.settled, len(place.jobs())) == (2 * PRICE, 2)


@pytest.mark.parametrize("stop", ["before call submit", "after call submit"])
def test_money_that_a_dead_process_held_is_free_again_or_paid(place, stop):
    place.killed(stop, budget=0.35)
    (told,) = place.finished(budget=0.35)
    assert (told.path, len(place.jobs())) == ("quantum", 1)


@pytest.mark.parametrize("kind", ["truncate", "corrupt", "foreign", "duplicate", "missing"])
def test_a_damaged_result_is_never_the_answer(place, kind):
    place.finished(rows=(5,))  # somebody else's result, which the foreign one is taken from
    place.go_wrong({"at": "result", "kind": kind})
    (told,) = place.finished()
    (honest,) = place.finished(rows=(3,), home=place.task.home.with_name("another"))
    assert (told.path, told.digest) == ("quantum", honest.digest)
    assert place.left() == []


@pytest.mark.parametrize("word", ["FAILED", "COMPLETED", "CANCELLED", "Zugzwang"])
def test_a_status_that_lies_costs_no_second_charge_for_one_try(place, word):
    place.go_wrong({"at": "run", "kind": "delay", "seconds": 0.3}, {"at": "status", "kind": "lie", "word": word})
    (told,) = place.finished()
    place.at_rest(ahead=7200.0)
    tries = [ticket for ticket in place.ledger.tickets() if ticket.order]
    assert len(place.jobs()) == len(tries)
    assert told.path == "quantum" or told.reason


def test_how_many_were_killed(kills, report_figures):
    """The last test of the module: it sums up those before it."""
    report_figures(f"{len(kills)} processes killed with SIGKILL, at {len(set(kills))} places")
