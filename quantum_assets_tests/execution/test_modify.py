"""Each change does what its sentence says, keeps its bounds, and ends when there is nothing left to change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.failure import Action, Modification, Rule
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.execution.modify import MOST_SHOTS, candidates, modify, moved
from quantum_assets.execution.policy import read_policy


def profile(**fields: Any) -> ExecutionProfile:
    known = {"name": "sampled", "mode": "managed", "estimator": "circuits", "providers": ("ibm",), "shots": 4096}
    return ExecutionProfile(**{**known, **fields})


def change(knob: str, **fields: Any) -> Modification:
    return Modification(knob=knob, **fields)


def test_the_changed_profile_and_the_sentence_of_every_knob() -> None:
    asked = profile(backend="a", alternatives=("b", "c"), seed=6)
    cases = [
        (change("shots", factor=0.5, floor=128), {"shots": 2048}, "shots 4096 → 2048"),
        (change("shots", factor=2, floor=100_000), {"shots": 8192}, "shots 4096 → 8192"),
        (change("seed"), {"seed": 7}, "seed 6 → 7"),
        (change("backend"), {"backend": "b"}, "backend a → b"),
    ]
    for modification, fields, sentence in cases:
        modified = modify(asked, [modification], 0)
        assert modified is not None
        assert modified == (asked.model_copy(update=fields), sentence)

    compiled, sentence = modify(asked, [change("optimization_level")], 0)  # type: ignore[misc]
    assert (compiled.transpilation.optimization_level, sentence) == (2, "optimization_level 1 → 2")
    assert compiled.transpilation.basis_gates == asked.transpilation.basis_gates
    split, sentence = modify(asked, [change("split")], 0)  # type: ignore[misc]
    assert (split.batching.max_workloads, sentence) == (10, "workloads an order 20 → 10")
    assert split.guardrails == asked.guardrails
    assert split.fingerprint == asked.fingerprint


@pytest.mark.parametrize(
    ("fields", "modification"),
    [
        ({"shots": 128}, change("shots", factor=0.5, floor=128)),
        ({"shots": 100}, change("shots", factor=0.5, floor=128)),
        ({"shots": 1}, change("shots", factor=0.5)),
        ({"shots": 100_000}, change("shots", factor=2, floor=100_000)),
        ({"shots": MOST_SHOTS}, change("shots", factor=2)),
        ({}, change("shots", factor=1)),
        ({"estimator": "exact", "shots": None, "mode": "ideal"}, change("shots", factor=0.5)),
        ({"backend": "a"}, change("backend")),
        ({"backend": "a", "alternatives": ("a",)}, change("backend")),
        ({"backend": "b", "alternatives": ("a", "b")}, change("backend")),
        ({"transpilation": {"optimization_level": 3}}, change("optimization_level")),
        ({"batching": {"max_workloads": 1}}, change("split")),
        ({"batching": {"max_workloads": 4}}, change("split", floor=4)),
    ],
)
def test_nothing_left_to_change_is_none(fields, modification) -> None:
    assert modify(profile(**fields), [modification], 0) is None


def test_backends_are_taken_in_order_and_each_once() -> None:
    at, visited = profile(backend="x", alternatives=("a", "x", "b")), []
    for tries in range(10):
        modified = modify(at, [change("backend")], tries)
        if modified is None:
            break
        at, _ = modified
        visited.append(at.backend)
    assert visited == ["b"]  # x stands second among the alternatives: what is before it was tried

    at, visited = profile(alternatives=("a", "b")), []
    while (modified := modify(at, [change("backend")], 0)) is not None:
        at, sentence = modified
        visited.append(sentence)
    assert visited == ["backend of the provider → a", "backend a → b"]


def test_changes_are_tried_in_turn_and_the_last_goes_on() -> None:
    rule = Rule(
        name="long",
        action=Action.MODIFY,
        modify=(change("split"), change("shots", factor=0.5, floor=1000)),
        mend="Ask for less",
    )
    at, said = profile(batching={"max_workloads": 3}), []
    for tries in range(5):
        modified = modify(at, rule, tries)
        if modified is None:
            said.append("none")
            continue
        at, sentence = modified
        said.append(sentence)
    assert said == ["workloads an order 3 → 1", "shots 4096 → 2048", "shots 2048 → 1024", "shots 1024 → 1000", "none"]


def test_a_change_without_room_gives_its_turn_to_the_next() -> None:
    alone = profile(batching={"max_workloads": 1})
    modified = modify(alone, [change("split"), change("backend"), change("seed")], 0)
    assert modified is not None
    assert modified[1] == "seed 0 → 1"


def test_split_halves_what_was_really_ordered() -> None:
    modified = modify(profile(), [change("split")], 0, ordered=3)
    assert modified is not None
    assert modified[0].batching.max_workloads == 1
    assert modify(profile(), [change("split")], 0, ordered=1) is None


def test_seeds_wrap_around() -> None:
    modified = modify(profile(seed=2**63 - 1), [change("seed")], 0)
    assert modified is not None
    assert modified[0].seed == 0


def test_negative_tries_are_refused_and_no_change_is_none() -> None:
    with pytest.raises(PlanError, match="tries: is -1"):
        modify(profile(), [change("seed")], -1)
    assert modify(profile(), [], 3) is None


@given(
    shots=st.integers(1, MOST_SHOTS),
    factor=st.floats(0.001, 100, allow_nan=False),
    floor=st.integers(1, MOST_SHOTS),
)
def test_shots_stay_positive_within_bounds_and_move_one_way(shots, factor, floor) -> None:
    modified = modify(profile(shots=shots), [change("shots", factor=factor, floor=floor)], 0)
    if modified is None:
        return
    after = modified[0].shots
    assert after is not None
    assert 1 <= after <= MOST_SHOTS
    if factor < 1:
        assert min(floor, shots) <= after < shots
    else:
        assert shots < after <= (floor if floor > 1 else MOST_SHOTS)


@pytest.mark.parametrize("rule", [r for r in read_policy().rules if r.modify], ids=lambda rule: rule.name)
def test_every_shipped_rule_ends_and_every_step_is_another_profile(rule) -> None:
    at = profile(backend="a", alternatives=("b", "c"))
    for tries in range(rule.at_most + 200):
        modified = modify(at, rule, tries)
        if modified is None:
            break
        assert modified[0] != at
        assert "→" in modified[1]
        at = modified[0]
        if "seed" in {step.knob for step in rule.modify}:
            break  # seeds never run out; at_most ends those
    else:
        raise AssertionError(f"{rule.name} never runs out")


def test_a_profile_on_another_of_its_backends_has_all_the_others_as_alternatives() -> None:
    asked = profile(backend="a", alternatives=("b", "a", "c", "b"))
    assert [(one.backend, one.alternatives) for one in candidates(asked)] == [
        ("a", ("b", "a", "c", "b")),
        ("b", ("a", "c")),
        ("c", ("a", "b")),
    ]
    assert moved(asked, "a") is asked
    assert len({one.fingerprint for one in candidates(asked)}) == 3
    assert candidates(profile()) == (profile(),)


def test_a_retry_after_a_choice_tries_the_profile_s_own_backend_and_then_the_rest() -> None:
    at, tried = moved(profile(backend="a", alternatives=("b", "c")), "c"), []
    while (after := modify(at, [change("backend")], 0)) is not None:
        at = after[0]
        tried.append(at.backend)
    assert tried == ["a", "b"]
