"""Sampled overlaps: distribution, seeds, and the exact noisy values against an independent simulator."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.contracts.profile import NoiseSpec, Transpilation
from quantum_assets.providers.aer_overlaps import (
    batch_seed,
    exact_zeros,
    run_overlaps,
    sampled_zeros,
    simulator_for,
    zscore,
)
from quantum_assets.providers.overlap import overlap_circuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets_tests.providers.reference import noisy_zero_probability
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    NOISE,
    NOISY,
    YY,
    ZZ,
    angles,
    overlaps_workload,
    swapping_circuit,
)

BASIS = ("rz", "sx", "x", "cx")


def joined(artifact, level=1):
    return overlap_circuit(circuit_of(artifact), Transpilation(optimization_level=level))


@pytest.mark.parametrize("artifact", [build(ZZ, 3), build(YY, 3), swapping_circuit()], ids=["zz", "yy", "swapping"])
@pytest.mark.parametrize("noise", [NOISE, NoiseSpec(amplitude_damping=0.1), NoiseSpec(readout=0.2)])
def test_exact_noisy_values_match_an_independent_density_matrix(artifact, noise):
    overlap = joined(artifact, level=2)
    values = overlap.values(angles(3, 3), np.array([(0, 1), (1, 0), (2, 2)]))
    found = exact_zeros(overlap.circuit, values, noise, BASIS)
    expected = [noisy_zero_probability(overlap.circuit.assign_parameters(row), noise) for row in values]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_noisy_kernels_are_not_symmetric_and_their_diagonal_is_below_one():
    overlap = joined(build(ZZ, 3))
    pairs = np.array([(i, j) for i in range(4) for j in range(4)])
    kernel = exact_zeros(overlap.circuit, overlap.values(angles(4, 3), pairs), NOISE, BASIS).reshape(4, 4)
    assert np.abs(kernel - kernel.T).max() > 1e-4
    assert kernel.diagonal().max() < 0.9


def test_sampling_has_the_binomial_distribution_of_the_exact_value():
    overlap = joined(build(ZZ, 2))
    repeats, shots = 400, 200
    values = np.repeat(overlap.values(angles(2, 2), np.array([(0, 1)])), repeats, axis=0)
    p = exact_zeros(overlap.circuit, values[:1], NOISE, BASIS)[0]
    found, returned = sampled_zeros(simulator_for(NOISY), overlap.measured(), values, shots, 1, "q")
    assert returned == shots
    assert len(found) == repeats
    # Five standard errors of the mean, and of the variance ratio of a binomial.
    assert abs(found.mean() - p) < 5 * np.sqrt(p * (1 - p) / shots / repeats)
    assert abs(found.var() / (p * (1 - p) / shots) - 1) < 5 * np.sqrt(2 / repeats)


def test_identical_pairs_are_drawn_independently_within_and_across_batches():
    overlap = joined(build(ZZ, 2))
    repeats = 300  # more than one batch
    values = np.repeat(overlap.values(angles(2, 2), np.array([(0, 1)])), repeats, axis=0)
    found, _ = sampled_zeros(simulator_for(CIRCUITS), overlap.measured(), values, 512, 1, "q")
    assert len(np.unique(found)) > 20
    assert not np.array_equal(found[:44], found[256:])
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.3


def test_seeds_of_batches_differ_and_are_stable():
    seeds = {batch_seed(s, q, n) for s in (0, 1) for q in ("a", "b") for n in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**62 for seed in seeds)
    assert batch_seed(0, "a", 0) == batch_seed(0, "a", 0)


def test_seed_zero_is_a_seed():
    workload = overlaps_workload(ZZ, 3, 2)
    profile = CIRCUITS.model_copy(update={"seed": 0})
    first, second = (run_overlaps(workload, workload.pairs, 512, profile) for _ in range(2))
    np.testing.assert_array_equal(first.p_zero, second.p_zero)


def test_another_workload_draws_other_numbers():
    values = joined(build(ZZ, 2)).values(angles(2, 2), np.array([(0, 1)] * 5))
    measured = joined(build(ZZ, 2)).measured()
    one, other = (sampled_zeros(simulator_for(CIRCUITS), measured, values, 512, 1, q)[0] for q in ("q", "r"))
    assert not np.array_equal(one, other)


def test_shares_are_read_from_more_than_eight_qubits():
    """Packed outcomes of nine qubits take two bytes: both must be zero."""
    from quantum_assets.contracts.study import FeatureMapSpec

    workload = overlaps_workload(FeatureMapSpec(kind="z", reps=1), 2, 9, [(0, 1), (0, 0), (1, 1)])
    run = run_overlaps(workload, workload.pairs, 4000, CIRCUITS)
    assert run.p_zero[1:].tolist() == [1.0, 1.0]
    x = workload.bindings
    exact = np.prod(np.cos(x[0] - x[1]) ** 2)
    assert abs(run.p_zero[0] - exact) < 5 * np.sqrt(max(exact, 1e-3) / 4000)


def test_the_zscore_finds_a_sampler_without_its_noise():
    overlap = joined(build(ZZ, 3))
    values = overlap.values(angles(3, 3), np.array([(0, 0), (1, 1), (2, 2)]))
    silent, shots = sampled_zeros(simulator_for(CIRCUITS), overlap.measured(), values, 2000, 1, "q")
    truth = exact_zeros(overlap.circuit, values, NOISE, BASIS)
    assert zscore(silent, truth, shots) > 10


def test_zscore_by_hand():
    assert zscore(np.array([0.6]), np.array([0.5]), 100) == pytest.approx(2.0)
    assert zscore(np.array([0.01]), np.array([0.0]), 100) == pytest.approx(1.0)  # the floor
