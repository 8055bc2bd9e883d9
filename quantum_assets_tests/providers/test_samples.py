"""Packed outcomes, and the statistic that tells honest samples from others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.providers.noise import flips
from quantum_assets.providers.samples import (
    counted_parities,
    exact_parities,
    little_endian,
    outcome_probabilities,
    packed_bits,
    samples_zscore,
    unpacked_bits,
    with_readout,
    zero_shares,
)


def random_distribution(width: int, seed: int = 0) -> np.ndarray:
    heights = np.random.default_rng(seed).exponential(size=2**width) ** 3
    return heights / heights.sum()


def drawn(probabilities: np.ndarray, shots: int, seed: int = 0) -> np.ndarray:
    """Packed samples of one distribution, by numpy alone."""
    width = len(probabilities).bit_length() - 1
    outcomes = np.random.default_rng(seed).choice(len(probabilities), shots, p=probabilities)
    return packed_bits(outcomes[:, None] >> np.arange(width) & 1)


@given(st.integers(1, 20), st.integers(0, 5), st.integers(0, 2**31))
def test_packing_goes_both_ways_and_leaves_padding_zero(width, shots, seed):
    bits = np.random.default_rng(seed).integers(0, 2, (2, shots, width))
    packed = packed_bits(bits)
    assert packed.shape == (2, shots, -(-width // 8))
    np.testing.assert_array_equal(unpacked_bits(packed, width), bits)
    for qubit in range(width):
        np.testing.assert_array_equal(packed[..., qubit // 8] >> qubit % 8 & 1, bits[..., qubit])
    assert width % 8 == 0 or not (packed[..., -1] >> width % 8).any()


@pytest.mark.parametrize("width", [3, 8, 11])
def test_qiskits_bytes_are_turned_round(width):
    from qiskit.primitives import BitArray

    bits = np.random.default_rng(1).integers(0, 2, (2, 50, width)).astype(bool)
    array = BitArray.from_bool_array(bits, order="little")
    assert array.get_counts(0)
    np.testing.assert_array_equal(unpacked_bits(little_endian(array.array), width), bits)
    labels = [string[::-1] for string in array[0].get_bitstrings()]
    assert labels == ["".join(map(str, row)) for row in bits[0].astype(int)]


def test_shares_of_all_zero_outcomes():
    bits = np.zeros((2, 4, 9), dtype=bool)
    bits[0, 1, 8] = bits[1, :3, 0] = True
    np.testing.assert_allclose(zero_shares(packed_bits(bits)), [0.75, 0.25])


def test_outcomes_of_some_qubits_by_qiskit():
    from qiskit.quantum_info import Statevector, random_statevector

    state = random_statevector(16, seed=3)
    found = outcome_probabilities(np.array([state.data]), (2, 0, 3))
    np.testing.assert_allclose(found[0], Statevector(state).probabilities([2, 0, 3]), atol=1e-15)


def test_readout_is_a_matrix_on_each_bit():
    one, two = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.7, 0.3], [0.4, 0.6]])
    found = with_readout(np.eye(4), [one, two])
    np.testing.assert_allclose(found, np.kron(two, one), atol=1e-15)
    np.testing.assert_allclose(found[:, 0], [0.9 * 0.7, 0.2 * 0.7, 0.9 * 0.4, 0.2 * 0.4])


def test_symmetric_flips_mix_outcomes_into_zero():
    probabilities = np.array([[1.0, 0, 0, 0], [0, 0, 0, 1.0], [0.5, 0.5, 0, 0]])
    found = with_readout(probabilities, [flips(0.1)] * 2)[:, 0]
    np.testing.assert_allclose(found, [0.81, 0.01, 0.5 * 0.81 + 0.5 * 0.09])
    np.testing.assert_allclose(with_readout(probabilities, [flips(0.0)] * 2), probabilities)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_exact_parities_by_their_definition(width):
    probabilities = random_distribution(width)
    sets = [1 << q for q in range(width)]
    sets += [1 << a | 1 << b for a in range(width) for b in range(a + 1, width)]
    odd = [[bin(z & mask).count("1") % 2 for z in range(2**width)] for mask in sets]
    np.testing.assert_allclose(exact_parities(probabilities), np.array(odd) @ probabilities, atol=1e-14)


@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 2**31))
def test_counted_parities_are_those_of_the_histogram(width, shots, seed):
    outcomes = np.random.default_rng(seed).integers(0, 2**width, shots)
    packed = packed_bits(outcomes[:, None] >> np.arange(width) & 1)
    shares = np.bincount(outcomes, minlength=2**width) / shots
    np.testing.assert_allclose(counted_parities(packed, width), exact_parities(shares) * shots, atol=1e-9)


def test_honest_samples_stay_below_the_limit_and_their_deviation_is_of_order_one():
    found = []
    for seed in range(60):
        probabilities = random_distribution(5, seed)
        found.append(samples_zscore(np.array([drawn(probabilities, 400, seed)]), probabilities[None]))
    assert max(found) < 5
    assert 1 < np.mean(found) < 3


def test_rare_outcomes_raise_no_false_alarm():
    """Where one shot in a thousand is odd, counts are Poisson: by standard errors alone, one in 700 would be over 6."""
    probabilities = np.array([[0.999, 0.001]])
    found = [samples_zscore(drawn(probabilities[0], 300, seed)[None], probabilities) for seed in range(400)]
    assert max(found) < 5


@pytest.mark.parametrize("wrong", ["reversed", "exchanged", "flipped", "noisy", "stuck"])
def test_wrong_samples_are_found(wrong):
    probabilities = random_distribution(5, 7)
    bits = unpacked_bits(drawn(probabilities, 4000), 5)
    lies = {
        "reversed": bits[:, ::-1],
        "exchanged": bits[:, [1, 0, 2, 3, 4]],
        "flipped": bits ^ np.array([0, 0, 1, 0, 0], dtype=np.uint8),
        "noisy": np.where(np.random.default_rng(0).random(bits.shape) < 0.1, 1 - bits, bits),
        "stuck": np.broadcast_to(bits[:1], bits.shape),
    }
    assert samples_zscore(np.array([packed_bits(bits)]), probabilities[None]) < 5
    assert samples_zscore(np.array([packed_bits(lies[wrong])]), probabilities[None]) > 6


def test_what_cannot_happen_is_as_far_as_a_tail_can_tell():
    certain = np.array([[1.0, 0.0]])
    assert samples_zscore(np.zeros((1, 100, 1), dtype=np.uint8), certain) == 0.0
    assert 30 < samples_zscore(np.ones((1, 100, 1), dtype=np.uint8), certain) < 39
