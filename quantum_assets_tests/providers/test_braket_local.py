"""The seed of the local simulators: honoured, and proven to be."""

import numpy as np
import pytest

from quantum_assets.providers.braket_local import WIDEST, sampled_zeros, sampling_seed, zero_share


def coin(qubits: int = 2):
    from braket.circuits import Circuit

    circuit = Circuit()
    for qubit in range(qubits):
        circuit.h(qubit)
    return circuit.measure(range(qubits))


@pytest.mark.parametrize("backend", WIDEST)
def test_the_seed_decides_the_samples(backend):
    first, again, other = (sampled_zeros(backend, [coin()] * 4, 200, seed) for seed in (3, 3, 4))
    assert first.seeded
    assert np.array_equal(first.p_zero, again.p_zero)
    assert not np.array_equal(first.p_zero, other.p_zero)
    assert (first.shots, first.backend) == (200, backend)
    assert len(set(first.p_zero)) > 1  # the same circuit again is drawn again


def test_samples_are_those_of_the_sdk_for_that_generator():
    run = sampled_zeros("braket_sv", [coin(1)], 1000, 11)
    uniform = np.random.Generator(np.random.PCG64(11)).random(1000)
    assert run.p_zero[0] == np.mean(uniform <= 0.5)


def test_a_simulator_that_draws_elsewhere_is_not_called_seeded(monkeypatch):
    """As a later SDK would: its sampling moves to a generator of its own."""
    from braket.default_simulator.state_vector_simulation import StateVectorSimulation

    def elsewhere(self):
        return np.random.default_rng().integers(0, 4, self._shots)

    monkeypatch.setattr(StateVectorSimulation, "retrieve_samples", elsewhere)
    assert not sampled_zeros("braket_sv", [coin()], 50, 3).seeded


def test_a_simulator_that_draws_more_than_one_number_a_shot_is_not_called_seeded(monkeypatch):
    from braket.default_simulator.state_vector_simulation import StateVectorSimulation

    sdk = StateVectorSimulation.retrieve_samples

    def twice(self):
        sdk(self)
        return sdk(self)

    monkeypatch.setattr(StateVectorSimulation, "retrieve_samples", twice)
    assert not sampled_zeros("braket_sv", [coin()], 50, 3).seeded


def test_widths_are_those_of_the_sdk():
    from braket.devices import LocalSimulator

    assert {name: LocalSimulator(name).properties.paradigm.qubitCount for name in WIDEST} == WIDEST


def test_seeds_differ_by_seed_workload_and_replicate():
    seeds = {sampling_seed(seed, question, replicate) for seed in (0, 1) for question in "ab" for replicate in (0, 1)}
    assert len(seeds) == 8
    assert max(seeds) < 2**128


def test_share_of_zeros():
    assert zero_share([[0, 0], [0, 1], [1, 0], [0, 0]]) == 0.5
