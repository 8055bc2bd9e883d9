"""The noise model is the stated one, and the probes tell whether a simulator really applies it."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import NoiseSpec
from quantum_assets.providers.noise import channel, gate_widths, noise_in_force, noise_model
from quantum_assets_tests.providers.reference import damping, depolarising
from quantum_assets_tests.providers.workloads import NOISE

BASIS = ("rz", "sx", "x", "cx")


def simulator(noise=None, basis=BASIS):
    from qiskit_aer import AerSimulator

    if noise is None:
        return AerSimulator(method="density_matrix", max_parallel_threads=1)
    return AerSimulator(method="density_matrix", noise_model=noise_model(noise, basis), max_parallel_threads=1)


@pytest.mark.parametrize("width", [1, 2])
def test_the_channel_is_depolarising_then_damping(width):
    rng = np.random.default_rng(0)
    dimension = 2**width
    root = rng.normal(size=(dimension, dimension)) + 1j * rng.normal(size=(dimension, dimension))
    rho = root @ root.conj().T
    strength = NOISE.depolarizing_1q if width == 1 else NOISE.depolarizing_2q
    after = sum(k @ rho @ k.conj().T for k in depolarising(strength, width))
    kraus = damping(NOISE.amplitude_damping)
    kraus = kraus if width == 1 else [np.kron(a, b) for a in kraus for b in kraus]
    after = sum(k @ after @ k.conj().T for k in kraus)
    found = (channel(NOISE, width) @ rho.reshape(-1, order="F")).reshape(dimension, dimension, order="F")
    np.testing.assert_allclose(found, after, atol=1e-12)


@pytest.mark.parametrize("noise", [NOISE, NoiseSpec(), NoiseSpec(depolarizing_2q=1.0), NoiseSpec(readout=0.5)])
def test_what_was_asked_is_seen_in_force(noise):
    assert noise_in_force(simulator(noise), BASIS, noise) == noise


def test_other_bases_carry_the_noise_too():
    basis = ("h", "p", "cz", "ecr", "u", "id")
    assert noise_in_force(simulator(NOISE, basis), basis, NOISE) == NOISE


def test_lost_noise_reads_back_as_none():
    assert noise_in_force(simulator(), BASIS, NOISE) is None
    assert noise_in_force(simulator(), BASIS, None) is None


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"depolarizing_1q": 0.011}, "gate rz"),
        ({"depolarizing_2q": 0.031}, "gate cx"),
        ({"amplitude_damping": 0.0}, "gate cx"),
        ({"readout": 0.05}, "readout"),
    ],
)
def test_other_noise_than_asked_is_an_error_that_names_where(change, culprit):
    running = simulator(NOISE.model_copy(update=change))
    with pytest.raises(ProviderError, match=culprit):
        noise_in_force(running, BASIS, NOISE)


def test_unasked_noise_is_an_error():
    with pytest.raises(ProviderError, match="other noise"):
        noise_in_force(simulator(NOISE), BASIS, None)


def test_a_gate_left_out_of_the_noise_model_is_found():
    partial = simulator(NOISE, ("rz", "x", "cx"))
    with pytest.raises(ProviderError, match="gate sx"):
        noise_in_force(partial, BASIS, NOISE)


def test_gates_that_are_too_wide_or_unknown():
    assert gate_widths(("sx", "cx", "ccx", "nonsense", "measure")) == {
        "sx": 1,
        "cx": 2,
        "ccx": 3,
        "nonsense": None,
        "measure": None,
    }
    with pytest.raises(ProviderError, match="ccx"):
        noise_model(NOISE, ("sx", "ccx"))
