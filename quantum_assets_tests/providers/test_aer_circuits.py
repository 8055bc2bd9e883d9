"""Measured circuits: distribution, seeds, and the exact noisy values against an independent simulator."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.contracts.profile import NoiseSpec, Transpilation
from quantum_assets.providers.aer_circuits import (
    batch_seed,
    exact_outcomes,
    run_circuits,
    sampled,
    simulator_for,
)
from quantum_assets.providers.compiled_circuit import basis_circuit
from quantum_assets.providers.measured import zscore
from quantum_assets.providers.overlap import overlap_circuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.samples import outcome_probabilities, samples_zscore, unpacked_bits, zero_shares
from quantum_assets.providers.tile import qiskit_states
from quantum_assets_tests.providers.conformance import changed
from quantum_assets_tests.providers.reference import noisy_probabilities, noisy_zero_probability
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    NOISE,
    NOISY,
    YY,
    ZZ,
    angles,
    overlaps_workload,
    qaoa_circuit,
    samples_workload,
    swapping_circuit,
)


def joined(artifact, level=1):
    return overlap_circuit(circuit_of(artifact), Transpilation(optimization_level=level))


@pytest.mark.parametrize("artifact", [build(ZZ, 3), build(YY, 3), swapping_circuit()], ids=["zz", "yy", "swapping"])
@pytest.mark.parametrize("noise", [NOISE, NoiseSpec(amplitude_damping=0.1), NoiseSpec(readout=0.2)])
def test_exact_noisy_values_match_an_independent_density_matrix(artifact, noise):
    overlap = joined(artifact, level=2)
    values = overlap.values(angles(3, 3), np.array([(0, 1), (1, 0), (2, 2)]))
    found = exact_outcomes(overlap, values, noise)[:, 0]
    expected = [noisy_zero_probability(overlap.circuit.assign_parameters(row), noise) for row in values]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("artifact", [qaoa_circuit(3), swapping_circuit()], ids=["qaoa", "swapping"])
def test_exact_noisy_outcomes_match_an_independent_density_matrix(artifact):
    noise = NoiseSpec(depolarizing_2q=0.04, amplitude_damping=0.03, readout=0.07)
    compiled = basis_circuit(circuit_of(artifact), Transpilation(optimization_level=3))
    values = compiled.values(angles(2, len(artifact.parameters)))
    expected = [noisy_probabilities(compiled.circuit.assign_parameters(row), noise) for row in values]
    order = [[sum((o >> b & 1) << q for b, q in enumerate(compiled.landed)) for o in range(8)]] * 2
    found = exact_outcomes(compiled, values, noise)
    np.testing.assert_allclose(found, np.take_along_axis(np.array(expected), np.array(order), axis=1), atol=1e-12)


@pytest.mark.parametrize("profile", [CIRCUITS, NOISY], ids=["ideal", "noisy"])
def test_samples_follow_the_ideal_or_noisy_outcomes_of_every_binding(profile):
    """A compiler that renames qubits, packed outcomes of every shot, and each binding by itself."""
    level = changed(profile, shots=4000, transpilation={"optimization_level": 3})
    workload = samples_workload(swapping_circuit(), 3, 3)
    run = run_circuits(workload, 4000, level)
    compiled = run.setup.compiled
    assert compiled.landed != (0, 1, 2)
    ideal = outcome_probabilities(qiskit_states(circuit_of(workload.circuit), workload.bindings), range(3))
    truth = ideal if run.setup.exact is None else run.setup.exact(compiled.values(workload.bindings))
    for row in range(3):
        shares = np.bincount(run.data.packed[row, :, 0], minlength=8) / 4000
        deviations = (shares - truth[row]) / np.sqrt(np.maximum(truth[row] * (1 - truth[row]), 1 / 4000) / 4000)
        assert np.abs(deviations).max() < 5
    assert run.zscore < 5
    far = samples_zscore(run.data.packed, ideal)
    assert far < 5 if profile is CIRCUITS else far > 6


def test_samples_of_more_than_eight_qubits_take_two_bytes():
    run = run_circuits(samples_workload(qaoa_circuit(10), 2, 10), 3000, CIRCUITS)
    assert run.data.packed.shape == (2, 3000, 2)
    assert run.data.packed[..., 1].any()
    assert not (run.data.packed[..., 1] >> 2).any()
    assert run.zscore < 5


def test_a_dicke_start_and_an_xy_mixer_keep_the_number_of_ones():
    run = run_circuits(samples_workload(qaoa_circuit(5, "xy_ring", 2), 2, 5), 2000, CIRCUITS)
    ones = unpacked_bits(run.data.packed, 5).sum(axis=-1)
    assert (ones == 2).all()
    noisy = run_circuits(samples_workload(qaoa_circuit(5, "xy_ring"), 2, 5), 2000, NOISY)
    assert (unpacked_bits(noisy.data.packed, 5).sum(axis=-1) != 2).mean() > 0.1


def test_noisy_kernels_are_not_symmetric_and_their_diagonal_is_below_one():
    overlap = joined(build(ZZ, 3))
    pairs = np.array([(i, j) for i in range(4) for j in range(4)])
    kernel = exact_outcomes(overlap, overlap.values(angles(4, 3), pairs), NOISE)[:, 0].reshape(4, 4)
    assert np.abs(kernel - kernel.T).max() > 1e-4
    assert kernel.diagonal().max() < 0.9


def test_sampling_has_the_binomial_distribution_of_the_exact_value():
    overlap = joined(build(ZZ, 2))
    repeats, shots = 400, 200
    values = np.repeat(overlap.values(angles(2, 2), np.array([(0, 1)])), repeats, axis=0)
    p = exact_outcomes(overlap, values[:1], NOISE)[0, 0]
    found, returned = sampled(simulator_for(NOISY), overlap.measured(), values, shots, 1, "q", zero_shares)
    assert returned == shots
    assert len(found) == repeats
    # Five standard errors of the mean, and of the variance ratio of a binomial.
    assert abs(found.mean() - p) < 5 * np.sqrt(p * (1 - p) / shots / repeats)
    assert abs(found.var() / (p * (1 - p) / shots) - 1) < 5 * np.sqrt(2 / repeats)


def test_identical_pairs_are_drawn_independently_within_and_across_batches():
    overlap = joined(build(ZZ, 2))
    repeats = 300  # more than one batch
    values = np.repeat(overlap.values(angles(2, 2), np.array([(0, 1)])), repeats, axis=0)
    found, _ = sampled(simulator_for(CIRCUITS), overlap.measured(), values, 512, 1, "q", zero_shares)
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
    first, second = (run_circuits(workload, 512, profile) for _ in range(2))
    np.testing.assert_array_equal(first.data.p_zero, second.data.p_zero)


def test_another_workload_draws_other_numbers():
    values = joined(build(ZZ, 2)).values(angles(2, 2), np.array([(0, 1)] * 5))
    measured = joined(build(ZZ, 2)).measured()
    one, other = (sampled(simulator_for(CIRCUITS), measured, values, 512, 1, q, zero_shares)[0] for q in ("q", "r"))
    assert not np.array_equal(one, other)


def test_shares_are_read_from_more_than_eight_qubits():
    """Packed outcomes of nine qubits take two bytes: both must be zero."""
    from quantum_assets.contracts.study import FeatureMapSpec

    workload = overlaps_workload(FeatureMapSpec(kind="z", reps=1), 2, 9, [(0, 1), (0, 0), (1, 1)])
    run = run_circuits(workload, 4000, CIRCUITS)
    assert run.data.p_zero[1:].tolist() == [1.0, 1.0]
    x = workload.bindings
    exact = np.prod(np.cos(x[0] - x[1]) ** 2)
    assert abs(run.data.p_zero[0] - exact) < 5 * np.sqrt(max(exact, 1e-3) / 4000)


def test_the_zscore_finds_a_sampler_without_its_noise():
    overlap = joined(build(ZZ, 3))
    values = overlap.values(angles(3, 3), np.array([(0, 0), (1, 1), (2, 2)]))
    silent, shots = sampled(simulator_for(CIRCUITS), overlap.measured(), values, 2000, 1, "q", zero_shares)
    truth = exact_outcomes(overlap, values, NOISE)[:, 0]
    assert zscore(silent, truth, shots) > 10


def test_zscore_by_hand():
    assert zscore(np.array([0.6]), np.array([0.5]), 100) == pytest.approx(2.0)
    assert zscore(np.array([0.01]), np.array([0.0]), 100) == pytest.approx(1.0)  # the floor
