"""Nothing is lost, nothing goes twice, limits hold, and the order is the promised one."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.jobs import BackendFact, Limits
from quantum_assets.contracts.profile import Batching
from quantum_assets.execution.pack import Waiting, by_urgency, order_key, pack, rank_backends

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ROOMY = Limits(max_workloads=100)
PATIENT = Batching(max_workloads=3, max_wait_seconds=60.0, stale_seconds=600.0)


def waiting(name: str = "a", *, age: float = 0.0, deadline: float | None = None, **changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "ticket_id": name,
        "question": f"question {name}",
        "circuits": 10,
        "priority": 0,
        "deadline": None if deadline is None else NOW + timedelta(seconds=deadline),
        "planned_at": NOW - timedelta(seconds=age),
        "profile_fingerprint": "p",
        "provider": "ibm",
        "backend": "",
    }
    return Waiting(**(fields | changes))


def ids(orders: Any) -> list[list[str]]:
    return [[one.ticket_id for one in order] for order in orders]


SECONDS = st.none() | st.integers(-100, 700).map(float)
CROWDS = st.lists(
    st.builds(
        waiting,
        age=st.integers(-50, 700).map(float),
        deadline=SECONDS,
        circuits=st.integers(1, 12),
        priority=st.integers(-1, 1),
        profile_fingerprint=st.sampled_from("pq"),
        provider=st.sampled_from(["ibm", "braket"]),
        backend=st.sampled_from(["", "garnet"]),
        replicate=st.integers(0, 1),
    ),
    max_size=30,
).map(lambda crowd: [with_id(one, f"{n:04d}") for n, one in enumerate(crowd)])
LIMITS = st.builds(Limits, max_circuits=st.integers(1, 25), max_workloads=st.integers(1, 5))
SETTINGS = st.builds(
    Batching,
    max_workloads=st.integers(1, 5),
    max_wait_seconds=st.sampled_from([0.0, 60.0, 300.0]),
    stale_seconds=st.sampled_from([400.0, 1e9]),
)


def with_id(one: Waiting, name: str) -> Waiting:
    return Waiting(**(vars(one) | {"ticket_id": name}))


def urgency(one: Waiting) -> tuple[Any, ...]:
    deadline = one.deadline or datetime.max.replace(tzinfo=UTC)
    return -one.priority, deadline, one.planned_at, one.ticket_id


def home(one: Waiting) -> tuple[Any, ...]:
    return one.provider, one.backend, one.profile_fingerprint, one.replicate


@given(CROWDS, LIMITS, SETTINGS, st.randoms())
def test_laws_of_packing(crowd: list[Waiting], limits: Limits, batching: Batching, random: Any) -> None:
    packing = pack(crowd, limits, batching, NOW)
    gone = [one for order in packing.orders for one in order]
    everybody = [*gone, *packing.hold, *(one for one, _ in packing.stale)]
    assert Counter(one.ticket_id for one in everybody) == Counter(one.ticket_id for one in crowd)
    for order in packing.orders:
        assert len(order) <= min(limits.max_workloads, batching.max_workloads)
        assert sum(one.circuits for one in order) <= limits.max_circuits
        assert len({home(one) for one in order}) == 1
        assert all(urgency(a) < urgency(b) for a, b in pairwise(order))
    heads = [urgency(order[0]) for order in packing.orders]
    assert heads == sorted(heads)
    assert all(reason for _, reason in packing.stale)
    if batching.max_wait_seconds == 0:
        assert packing.hold == ()
    shuffled = random.sample(crowd, len(crowd))
    assert pack(shuffled, limits, batching, NOW) == packing


@given(CROWDS, LIMITS, SETTINGS)
def test_nobody_who_is_due_or_late_is_held(crowd: list[Waiting], limits: Limits, batching: Batching) -> None:
    for one in pack(crowd, limits, batching, NOW).hold:
        waited = (NOW - one.planned_at).total_seconds()
        assert 0 <= waited < batching.max_wait_seconds
        assert waited < batching.stale_seconds
        assert one.deadline is None or (one.deadline - NOW).total_seconds() > batching.max_wait_seconds


@given(CROWDS, LIMITS, SETTINGS)
def test_what_is_held_goes_in_the_end(crowd: list[Waiting], limits: Limits, batching: Batching) -> None:
    patient = batching.model_copy(update={"stale_seconds": 1e9})
    held = pack(crowd, limits, patient, NOW).hold
    later = pack(held, limits, patient, NOW + timedelta(seconds=patient.max_wait_seconds))
    assert later.hold == ()
    assert later.stale == ()


@given(CROWDS, LIMITS, SETTINGS)
def test_no_two_orders_that_go_could_have_been_one(crowd: list[Waiting], limits: Limits, batching: Batching) -> None:
    groups = defaultdict(list)
    for order in pack(crowd, limits, batching, NOW).orders:
        groups[home(order[0])].append(order)
    for orders in groups.values():
        for early, late in pairwise(orders):
            full = len(early) == min(limits.max_workloads, batching.max_workloads)
            assert full or sum(one.circuits for one in early) + late[0].circuits > limits.max_circuits


def test_company_is_waited_for_until_the_order_is_full() -> None:
    assert pack([waiting("a"), waiting("b")], ROOMY, PATIENT, NOW).orders == ()
    assert ids(pack([waiting("a"), waiting("b"), waiting("c")], ROOMY, PATIENT, NOW).orders) == [["a", "b", "c"]]
    full = pack([waiting("a", circuits=25)], Limits(max_workloads=9, max_circuits=25), PATIENT, NOW)
    assert ids(full.orders) == [["a"]]
    turned_away = pack(
        [waiting("a", circuits=20), waiting("b", circuits=20)], Limits(max_workloads=9, max_circuits=25), PATIENT, NOW
    )
    assert ids(turned_away.orders) == [["a"]]
    assert [one.ticket_id for one in turned_away.hold] == ["b"]


def test_who_waited_long_enough_takes_its_company_along() -> None:
    assert ids(pack([waiting("a", age=59), waiting("b")], ROOMY, PATIENT, NOW).orders) == []
    assert ids(pack([waiting("a", age=60), waiting("b")], ROOMY, PATIENT, NOW).orders) == [["a", "b"]]


def test_a_near_deadline_goes_at_once() -> None:
    assert ids(pack([waiting(deadline=61)], ROOMY, PATIENT, NOW).orders) == []
    assert ids(pack([waiting(deadline=60)], ROOMY, PATIENT, NOW).orders) == [["a"]]


def test_priority_then_deadline_then_age() -> None:
    crowd = [
        waiting("young"),
        waiting("old", age=5),
        waiting("late", deadline=500),
        waiting("soon", deadline=300),
        waiting("dear", priority=1),
    ]
    solo = PATIENT.model_copy(update={"max_workloads": 1})
    assert ids(pack(crowd, ROOMY, solo, NOW).orders) == [["dear"], ["soon"], ["late"], ["old"], ["young"]]


@pytest.mark.parametrize(
    "change", [{"provider": "braket"}, {"backend": "garnet"}, {"profile_fingerprint": "q"}, {"replicate": 1}]
)
def test_strangers_do_not_travel_together(change: dict[str, Any]) -> None:
    crowd = [waiting("a", age=60), waiting("b", age=60, **change)]
    assert ids(pack(crowd, ROOMY, PATIENT, NOW).orders) == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (waiting(age=600), "waited 600 s unsubmitted, and goes stale after 600 s"),
        (waiting(deadline=0), "its deadline passed before it was submitted"),
        (waiting(circuits=26), "holds 26 circuits, and ibm takes 25 in one order"),
    ],
)
def test_what_must_not_go_is_dropped_with_its_reason(one: Waiting, reason: str) -> None:
    packing = pack([one, waiting("b", age=60)], Limits(max_workloads=9, max_circuits=25), PATIENT, NOW)
    ((dropped, why),) = packing.stale
    assert dropped is one
    assert reason in why
    assert ids(packing.orders) == [["b"]]


@pytest.mark.parametrize("back", [1.0, 3600.0, 1e7])
def test_a_clock_that_stepped_back_makes_nobody_stale_and_holds_nobody(back: float) -> None:
    packing = pack([waiting(age=-back)], ROOMY, PATIENT, NOW)
    assert ids(packing.orders) == [["a"]]


def test_the_key_of_an_order_is_its_tries_in_their_order() -> None:
    one, other = ("q1", 0, 1), ("q2", 0, 1)
    key = order_key([one, other])
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")
    assert key == order_key([("q1", 0, 1), ("q2", 0, 1)])
    others = [[one], [other, one], [one, ("q2", 1, 1)], [one, ("q2", 0, 2)], [one, other, other]]
    assert len({key, *map(order_key, others)}) == 6
    with pytest.raises(PlanError, match="no tickets"):
        order_key([])


def test_backends_are_ranked_by_queue_and_error_together() -> None:
    facts = [
        BackendFact("narrow", 4, 0, 0.0),
        BackendFact("busy", 127, 900, 0.02),
        BackendFact("good", 127, 3, 0.01),
        BackendFact("idle", 27, 0, 0.05),
        BackendFact("silent", 27),
    ]
    assert rank_backends(facts, 5) == ("good", "idle", "busy", "silent")
    assert rank_backends(facts, 28) == ("good", "busy")
    assert rank_backends(facts, 200) == ()
    assert rank_backends([BackendFact("b", 5), BackendFact("a", 5)], 5) == ("b", "a"), "ties stay as they were given"
    assert rank_backends(facts[::-1], 5) == rank_backends(facts, 5)


def test_orders_of_several_places_go_by_priority_deadline_suitability_and_age() -> None:
    facts = {
        ("ibm", "busy"): BackendFact("busy", 7, 40, 0.001),
        ("ibm", "noisy"): BackendFact("noisy", 7, 2, 0.02),
        ("ibm", "quiet"): BackendFact("quiet", 7, 2, 0.01),
    }
    orders = [
        (waiting("unknown", backend="elsewhere", age=50),),
        (waiting("old, busy", backend="busy", age=50),),
        (waiting("noisy", backend="noisy"),),
        (waiting("quiet", backend="quiet"),),
        (waiting("young, busy", backend="busy"),),
        (waiting("due", backend="busy", deadline=30), waiting("its company", backend="busy")),
        (waiting("urgent", backend="busy", priority=5),),
    ]
    first = [order[0].ticket_id for order in by_urgency(orders, facts)]
    assert first == ["urgent", "due", "quiet", "noisy", "old, busy", "young, busy", "unknown"]
    assert by_urgency(by_urgency(orders[::-1], facts), facts) == by_urgency(orders, facts)
