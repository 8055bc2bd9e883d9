"""Parts ask together what the whole asks, and their answers joined are the answer to the whole."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.envelope import Attempt, Overlaps, ResultEnvelope, Samples, States, Timings
from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.split import join, split
from quantum_assets.providers.aer import AerProvider
from quantum_assets.providers.statevector import StatevectorProvider
from quantum_assets.trust.admit import require
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    IDEAL,
    ZZ,
    overlaps_workload,
    qaoa_circuit,
    samples_workload,
    states_workload,
)
from quantum_assets_tests.trust import honest

EXACT = honest.EXACT
SAMPLED = honest.CIRCUITS


def pairs_of(rows: int, n_pairs: int, seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, rows, (n_pairs, 2))


@given(st.integers(1, 6), st.integers(0, 25), st.integers(1, 12), st.integers(0, 2**32))
def test_the_parts_of_overlaps_ask_for_every_pair_once_and_in_order(rows: int, n: int, limit: int, seed: int) -> None:
    whole = dataclasses.replace(honest.overlaps_workload(rows), pairs=pairs_of(rows, n, seed))
    parts = split(whole, limit)
    asked = [(part.bindings[a], part.bindings[b]) for part in parts for a, b in part.pairs]  # type: ignore[union-attr]
    wanted = [(whole.bindings[a], whole.bindings[b]) for a, b in whole.pairs]  # type: ignore[union-attr]
    assert np.array_equal(np.array(asked), np.array(wanted))
    assert all(len(part.pairs) <= limit for part in parts if part.pairs is not None)
    assert len({part.fingerprint for part in parts}) == len(parts)
    assert len(parts) == max(1, -(-n // limit))


@given(st.integers(1, 30), st.integers(1, 12))
def test_the_parts_of_states_hold_every_binding_once_and_in_order(rows: int, limit: int) -> None:
    whole = states_workload_plain(rows)
    parts = split(whole, limit)
    assert np.array_equal(np.concatenate([part.bindings for part in parts]), whole.bindings)
    phases = [part.diagonal.phases for part in parts if part.diagonal is not None]
    assert whole.diagonal is not None
    assert np.array_equal(np.concatenate(phases), whole.diagonal.phases)
    sizes = [part.n_bindings for part in parts]
    assert max(sizes) <= limit
    assert max(sizes) - min(sizes) <= 1


def states_workload_plain(rows: int) -> Workload:
    from quantum_assets.contracts.workload import DiagonalForm

    plain = honest.states_workload(rows)
    return dataclasses.replace(plain, diagonal=DiagonalForm(2, ((0,), (0, 1)), plain.bindings + 1))


def test_what_fits_is_left_alone() -> None:
    for whole in (honest.states_workload(4), honest.overlaps_workload(3)):
        assert split(whole, 9)[0] is whole
        assert len(split(whole, 9)) == 1
    empty = dataclasses.replace(honest.overlaps_workload(3), pairs=np.empty((0, 2), dtype=np.int64))
    assert split(empty, 1) == (empty,)
    with pytest.raises(PlanError, match="at least one circuit"):
        split(honest.states_workload(), 0)


def test_parts_are_labelled_and_keep_only_the_bindings_they_need() -> None:
    whole = dataclasses.replace(honest.overlaps_workload(6), pairs=np.array([[5, 0], [5, 5], [2, 3], [3, 2]]))
    first, second = split(whole, 2)
    assert first.label == "a question, part 1 of 2"
    assert second.label == "a question, part 2 of 2"
    assert np.array_equal(first.bindings, whole.bindings[[0, 5]])
    assert first.pairs is not None
    assert first.pairs.tolist() == [[1, 0], [1, 1]]
    assert np.array_equal(second.bindings, whole.bindings[[2, 3]])


def test_pairs_that_are_repeated_are_drawn_anew_in_every_part() -> None:
    """One ticket a question: without a difference the draws of one part would serve as those of all."""
    whole = overlaps_workload(ZZ, 2, 2, pairs=[(0, 1)] * 6)
    parts = split(whole, 2)
    assert len({part.fingerprint for part in parts}) == 3
    claims = [AerProvider().run(part, CIRCUITS) for part in parts]
    joined = require(join(claims, whole, CIRCUITS), whole, CIRCUITS).envelope
    assert isinstance(joined.data, Overlaps)
    assert len({values.tobytes() for values in joined.data.p_zero.reshape(3, 2)}) > 1


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
def test_exact_states_joined_are_the_states_of_the_whole(rows: int, limit: int, width: int) -> None:
    whole, provider = states_workload(ZZ, rows, width), StatevectorProvider()
    alone = provider.run(whole, IDEAL)
    joined = join([provider.run(part, IDEAL) for part in split(whole, limit)], whole, IDEAL)
    assert isinstance(joined.data, States)
    assert isinstance(alone.data, States)
    # a batch of another size may sum in another order: equal but for the last bit
    np.testing.assert_allclose(joined.data.amplitudes, alone.data.amplitudes, rtol=0, atol=1e-15)
    assert joined.effective == alone.effective
    assert joined.circuits_needed == alone.circuits_needed
    assert joined.circuits_run == alone.circuits_run
    assert joined.workload_fingerprint == alone.workload_fingerprint
    require(joined, whole, IDEAL)


def test_sampled_overlaps_joined_are_admitted_as_a_whole() -> None:
    whole, provider = overlaps_workload(ZZ, 3, 2), AerProvider()
    parts = split(whole, 4)
    claims = [provider.run(part, CIRCUITS) for part in parts]
    joined = require(join(claims, whole, CIRCUITS), whole, CIRCUITS).envelope
    assert isinstance(joined.data, Overlaps)
    assert joined.data.shots == CIRCUITS.shots
    assert len(joined.data.p_zero) == 9
    assert joined.circuits_run == 9
    assert joined.metrics["compiled_depth"] == max(claim.metrics["compiled_depth"] for claim in claims)
    assert joined.metrics["crosscheck_rows"] == sum(claim.metrics["crosscheck_rows"] for claim in claims)


def test_samples_are_cut_by_bindings_and_joined_shot_by_shot() -> None:
    whole, provider = samples_workload(qaoa_circuit(3), 5, 3), AerProvider()
    parts = split(whole, 2)
    assert [part.n_bindings for part in parts] == [1, 2, 2]
    assert all(part.measure == "samples" and part.pairs is None for part in parts)
    assert np.array_equal(np.concatenate([part.bindings for part in parts]), whole.bindings)
    claims = [provider.run(part, CIRCUITS) for part in parts]
    joined = require(join(claims, whole, CIRCUITS), whole, CIRCUITS).envelope
    assert isinstance(joined.data, Samples)
    assert joined.data.packed.shape == (5, CIRCUITS.shots, 1)
    assert joined.data.shots == CIRCUITS.shots
    assert np.array_equal(joined.data.packed[1:3], claims[1].data.outcomes)
    assert (joined.circuits_run, joined.circuits_needed) == (5, 5)
    assert joined.crosscheck_zscore == max(claim.crosscheck_zscore or 0 for claim in claims)


def test_samples_of_repeated_rows_are_not_cut_into_one_question() -> None:
    """One ticket would answer all parts that ask the same, and copies would pass as independent shots."""
    plain = honest.samples_workload(2)
    repeated = dataclasses.replace(plain, bindings=np.repeat(plain.bindings[:1], 4, axis=0))
    assert split(repeated, 4) == (repeated,)
    with pytest.raises(PlanError, match="repeats rows of bindings, and 4 circuits are too many for one order of 2"):
        split(repeated, 2)
    mixed = dataclasses.replace(plain, bindings=plain.bindings[[0, 0, 1]])
    assert len({part.fingerprint for part in split(mixed, 2)}) == 2


Forge = Callable[[ResultEnvelope], ResultEnvelope]


def three(workload: Workload | None = None) -> tuple[Workload, list[ResultEnvelope]]:
    whole = workload or honest.overlaps_workload(3)
    return whole, [honest.envelope_for(part, SAMPLED) for part in split(whole, 3)]


def test_everything_that_is_told_of_the_parts_is_told_of_the_whole() -> None:
    whole, (a, b, c) = three()
    told = dataclasses.replace
    parts = [
        told(a, timings=Timings(1, 2, 30), cost=0.1, job="j1", attempts=(Attempt(1, "p", "", "completed"),)),
        told(b, timings=Timings(1, 2, 50), cost=0.2, job="j1", crosscheck_zscore=3.5, metrics={"compiled_depth": 9.0}),
        told(c, timings=Timings(1, 2, 10), cost=0.3, job="j2", cache_hit=True, metrics={"compiled_depth": 4.0}),
    ]
    joined = join(parts, whole, SAMPLED)
    assert joined.timings == Timings(3, 6, 50)
    assert joined.cost == 0.6
    assert joined.job == "j1, j2"
    assert joined.attempts == parts[0].attempts
    assert joined.crosscheck_zscore == 3.5
    assert joined.crosscheck_difference is None
    assert joined.metrics == {"compiled_depth": 9.0}
    assert (joined.cache_hit, joined.mocked) == (False, False)
    assert joined.calibration_digest is None
    assert joined.circuits_needed == 18
    cached = [told(part, cache_hit=True) for part in parts]
    assert join(cached, whole, SAMPLED).cache_hit
    assert join([*parts[:2], told(c, mocked=True)], whole, SAMPLED).mocked


def test_a_check_that_one_part_misses_is_missing_of_the_whole() -> None:
    whole, (a, b, c) = three()
    assert join([a, dataclasses.replace(b, crosscheck_zscore=None), c], whole, SAMPLED).crosscheck_zscore is None
    bad = join([a, dataclasses.replace(b, crosscheck_zscore=float("nan")), c], whole, SAMPLED).crosscheck_zscore
    assert bad is not None
    assert np.isnan(bad)


def test_a_digest_of_several_calibrations_is_that_of_all() -> None:
    whole, parts = three()

    def digest(*digests: str | None) -> str | None:
        dated = [dataclasses.replace(p, calibration_digest=d) for p, d in zip(parts, digests, strict=True)]
        return join(dated, whole, SAMPLED).calibration_digest

    assert digest("a", "a", "a") == "a"
    assert len({digest("a", "b", "a"), digest("a", "b", "b"), "a", "b"}) == 3
    assert digest("a", "b", "b") != digest("b", "a", "a")
    assert digest("a", None, None) not in {"a", None}
    dated = [dataclasses.replace(p, calibration_digest=d) for p, d in zip(parts, "aba", strict=True)]
    assert join(dated, whole, SAMPLED).metrics["calibrations"] == 2.0


def ran(**changes: Any) -> Forge:
    return lambda part: dataclasses.replace(part, effective=part.effective.model_copy(update=changes))


def with_data(data: States | Overlaps | Samples) -> Forge:
    return lambda part: dataclasses.replace(part, data=data)


@pytest.mark.parametrize(
    ("forge", "sentence"),
    [
        (ran(shots=99), "part 2 of 3: cannot be joined to the others: shots is 99, the first part's is 100"),
        (ran(seed=8), "seed is 8"),
        (ran(backend="garnet"), "backend is garnet, the first part's is None"),
        (ran(engine="other"), "engine is other"),
        (ran(versions={"sdk": "2"}), "versions is"),
        (lambda part: dataclasses.replace(part, workload_fingerprint="f" * 64), "it answers workload ffffffffffff"),
        (lambda part: dataclasses.replace(part, profile_fingerprint="f" * 64), "it was given profile ffffffffffff"),
        (lambda part: dataclasses.replace(part, currency="EUR"), "currency is EUR"),
        (with_data(Overlaps(np.ones(2), 100)), r"needs 9 outcomes, and its parts have \[3, 2, 3\]"),
        (with_data(Overlaps(np.empty(0), 100)), "needs 9 outcomes"),
        (with_data(Overlaps(np.ones(3), 50)), "50 shots, the first part's are overlaps"),
        (with_data(Overlaps(np.ones(3, np.float32), 100)), "float32"),
        (with_data(States(np.ones((3, 2), complex))), "outcomes are states"),
        (with_data(Samples(np.zeros((3, 100, 1), np.uint8), 100)), "outcomes are samples of shape"),
    ],
)
def test_a_part_that_does_not_belong_is_named(forge: Forge, sentence: str) -> None:
    whole, (a, b, c) = three()
    with pytest.raises(ProviderError, match=sentence):
        join([a, forge(b), c], whole, SAMPLED)


def test_parts_in_another_order_or_number_are_refused() -> None:
    whole, (a, b, c) = three()
    for wrong in ([b, a, c], [a, b], [a, b, c, c], [a, a, a]):
        with pytest.raises(ProviderError):
            join(wrong, whole, SAMPLED)
    with pytest.raises(ProviderError, match="has no parts"):
        join([], whole, SAMPLED)
    assert join([honest.envelope_for(whole, SAMPLED)], whole, SAMPLED).circuits_run == 9
