"""Overlaps and samples side by side: what is refused, kept, and judged."""

import numpy as np
import pytest

from quantum_assets.contracts.envelope import Overlaps, Samples
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.measured import (
    checked_tile,
    circuits_fault,
    compiled_for,
    data_of,
    deviation,
    expected,
    kept_of,
    samples_fault,
)
from quantum_assets_tests.providers.conformance import changed, with_limits
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    SAMPLED,
    ZZ,
    overlaps_workload,
    qaoa_circuit,
    samples_workload,
    states_workload,
)

PAIRS, SHOTS = overlaps_workload(ZZ, 3, 3), samples_workload(ZZ, 3, 3)
PACKED = np.array([[[0], [0], [5]], [[1], [2], [3]]], dtype=np.uint8)


def test_what_is_no_question_for_circuits_is_refused_in_words():
    assert circuits_fault(PAIRS, CIRCUITS) is circuits_fault(SHOTS, CIRCUITS) is None
    assert "estimator is binomial" in circuits_fault(SHOTS, SAMPLED)
    assert "measures states" in circuits_fault(states_workload(ZZ, 2, 2), CIRCUITS)
    assert "no pairs" in circuits_fault(overlaps_workload(ZZ, 2, 2, np.empty((0, 2), dtype=np.int64)), CIRCUITS)


def test_the_memory_of_shots_is_counted():
    many = changed(CIRCUITS, shots=10_000_000)
    assert samples_fault(SHOTS, many) is None
    assert "GB" in samples_fault(SHOTS, with_limits(many, max_memory_bytes=20_000_000))
    assert samples_fault(PAIRS, with_limits(many, max_memory_bytes=20_000_000)) is None


def test_outcomes_are_kept_by_the_measure():
    overlaps = data_of(PAIRS, kept_of(PAIRS)(PACKED), 3)
    samples = data_of(SHOTS, kept_of(SHOTS)(PACKED), 3)
    assert isinstance(overlaps, Overlaps)
    np.testing.assert_allclose(overlaps.p_zero, [2 / 3, 0])
    assert isinstance(samples, Samples)
    np.testing.assert_array_equal(samples.packed, PACKED)


@pytest.mark.parametrize("workload", [PAIRS, SHOTS], ids=["overlaps", "samples"])
def test_a_tile_is_judged_by_what_was_kept(workload):
    compiled = compiled_for(workload, Transpilation())
    tile = checked_tile(workload, compiled, CIRCUITS)
    assert tile.difference < 1e-12
    assert tile.ideal.shape[0] == len(tile.rows)
    everything_zero = np.zeros((workload.n_circuits, 500, 1), dtype=np.uint8)
    data = data_of(workload, kept_of(workload)(everything_zero), 500)
    certain = expected(workload, np.eye(8)[np.zeros(len(tile.rows), dtype=int)])
    assert deviation(data, tile.rows, certain) == 0
    assert deviation(data, tile.rows, tile.ideal) > 6


def test_overlaps_without_shots_are_no_samples():
    with pytest.raises(ProviderError, match="no shots"):
        deviation(Overlaps(np.ones(2), None), np.array([0]), np.ones(1))


def test_a_damaged_circuit_is_found():
    workload = samples_workload(qaoa_circuit(), 2, 4)
    other = compiled_for(samples_workload(qaoa_circuit(4, "xy_ring"), 2, 4), Transpilation())
    with pytest.raises(ProviderError, match="differs from it by"):
        checked_tile(workload, other, CIRCUITS)
