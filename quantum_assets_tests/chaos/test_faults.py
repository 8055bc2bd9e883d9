from collections import Counter

import pytest

from quantum_assets_tests.chaos.faults import CALLS, KINDS, Fault, Script, Seeded


def test_a_script_gives_each_fault_to_the_next_call_of_its_kind():
    lost, refused, well = Fault("submit", "lose"), Fault("submit", "raise", "http_503"), Fault("status", "well")
    script = Script([lost, well, refused, Fault("fetch", "nan")])
    assert [script.next(call) for call in ("status", "submit", "find", "submit", "submit")] == [
        well, lost, None, refused, None,
    ]  # fmt: skip
    assert script.left == (Fault("fetch", "nan"),)


@pytest.mark.parametrize(("call", "kind"), [("submit", "nan"), ("fetch", "twice"), ("status", "miss")])
def test_a_fault_belongs_to_calls_that_it_can_happen_to(call, kind):
    with pytest.raises(ValueError, match="cannot happen"):
        Fault(call, kind)


def test_an_error_must_be_known():
    with pytest.raises(ValueError, match="no error"):
        Fault("submit", "raise", "nonsense")


def drawn(seed, calls=200, **more):
    lottery = Seeded(seed, **more)
    return [lottery.next(CALLS[at % len(CALLS)]) for at in range(calls)]


def test_a_lottery_is_the_same_for_the_same_seed():
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_lottery_ends_and_keeps_to_its_kinds():
    faults = [fault for fault in drawn(3, rate=1.0, most=25, kinds=("lose", "nan"), errors=("http_503",)) if fault]
    assert len(faults) == 25
    assert {(fault.kind, fault.error) for fault in faults} <= {("lose", "http_503"), ("nan", "http_503")}
    assert all(0 <= fault.seconds <= 120 for fault in faults)


def test_a_rate_is_a_probability():
    assert not any(drawn(4, rate=0.0))
    share = sum(fault is not None for fault in drawn(4, calls=2000, rate=0.3, most=2000)) / 2000
    assert 0.25 < share < 0.35


def test_a_lottery_draws_every_kind_sooner_or_later():
    kinds = [kind for kind in KINDS if kind != "well"]
    seen = Counter(fault.kind for fault in drawn(5, calls=6000, rate=1.0, most=6000, kinds=kinds) if fault)
    assert set(seen) == set(kinds)


def test_a_duplicated_delivery_is_drawn_only_where_it_is_asked_for():
    """A network that delivers twice to a vendor without idempotency double-charges whatever we do."""
    assert all(fault is None or fault.kind not in ("twice", "well") for fault in drawn(6, calls=3000, most=3000))
