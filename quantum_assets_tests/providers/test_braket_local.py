"""The seed of the local simulators: honoured, and proven to be."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers.braket import BraketProvider
from quantum_assets.providers.braket_circuits import for_simulator, ideal_tile
from quantum_assets.providers.braket_local import WIDEST, packed_outcomes, sampled, sampling_seed
from quantum_assets.providers.samples import packed_bits, samples_zscore, unpacked_bits, zero_shares
from quantum_assets_tests.providers.braket_service import changed
from quantum_assets_tests.providers.workloads import samples_workload, swapping_circuit


def coin(qubits: int = 2):
    from braket.circuits import Circuit

    circuit = Circuit()
    for qubit in range(qubits):
        circuit.h(qubit)
    return circuit.measure(range(qubits))


@pytest.mark.parametrize("backend", WIDEST)
def test_the_seed_decides_the_samples(backend):
    first, again, other = (sampled(backend, [coin()] * 4, 200, seed, (0, 1), zero_shares) for seed in (3, 3, 4))
    assert first.seeded
    assert np.array_equal(first.kept, again.kept)
    assert not np.array_equal(first.kept, other.kept)
    assert (first.shots, first.backend) == (200, backend)
    assert len(set(first.kept)) > 1  # the same circuit again is drawn again


def test_samples_are_those_of_the_sdk_for_that_generator():
    run = sampled("braket_sv", [coin(1)], 1000, 11, (0,), zero_shares)
    uniform = np.random.Generator(np.random.PCG64(11)).random(1000)
    assert run.kept[0] == np.mean(uniform <= 0.5)


def test_a_simulator_that_draws_elsewhere_is_not_called_seeded(monkeypatch):
    """As a later SDK would: its sampling moves to a generator of its own."""
    from braket.default_simulator.state_vector_simulation import StateVectorSimulation

    def elsewhere(self):
        return np.random.default_rng().integers(0, 4, self._shots)

    monkeypatch.setattr(StateVectorSimulation, "retrieve_samples", elsewhere)
    assert not sampled("braket_sv", [coin()], 50, 3, (0, 1), zero_shares).seeded


def test_a_simulator_that_draws_more_than_one_number_a_shot_is_not_called_seeded(monkeypatch):
    from braket.default_simulator.state_vector_simulation import StateVectorSimulation

    sdk = StateVectorSimulation.retrieve_samples

    def twice(self):
        sdk(self)
        return sdk(self)

    monkeypatch.setattr(StateVectorSimulation, "retrieve_samples", twice)
    assert not sampled("braket_sv", [coin()], 50, 3, (0, 1), zero_shares).seeded


@pytest.mark.parametrize("backend", WIDEST)
def test_samples_of_renamed_qubits_come_back_in_the_workloads_order(backend):
    asked = changed(backend=backend, shots=4000, transpilation={"optimization_level": 3})
    workload = samples_workload(swapping_circuit(), 2, 3)
    assert for_simulator(workload, asked.transpilation).qubits != (0, 1, 2)
    claim = BraketProvider().run(workload, asked)
    _, ideal = ideal_tile(workload, 2)
    assert samples_zscore(claim.data.packed, ideal) == claim.crosscheck_zscore < 5
    exchanged = packed_bits(unpacked_bits(claim.data.packed, 3)[..., [1, 0, 2]])
    assert samples_zscore(exchanged, ideal) > 6


def test_widths_are_those_of_the_sdk():
    from braket.devices import LocalSimulator

    assert {name: LocalSimulator(name).properties.paradigm.qubitCount for name in WIDEST} == WIDEST


def test_seeds_differ_by_seed_workload_and_replicate():
    seeds = {sampling_seed(seed, question, replicate) for seed in (0, 1) for question in "ab" for replicate in (0, 1)}
    assert len(seeds) == 8
    assert max(seeds) < 2**128


def test_outcomes_are_read_by_the_qubit_and_not_by_the_column():
    rows = [[0, 0, 1], [1, 0, 0]]
    assert packed_outcomes(rows, [7, 3, 5], [5, 7, 3]).tolist() == [[0b001], [0b010]]
    assert packed_outcomes(rows, [7, 3, 5], [3]).tolist() == [[0], [0]]


@pytest.mark.parametrize("measured", [[7, 3], [7, 3, 4], []])
def test_a_qubit_that_was_not_measured_is_an_error(measured):
    with pytest.raises(ProviderError, match="measured qubits"):
        packed_outcomes([[0, 0, 1], [1, 0, 0]], measured, [5, 7, 3])
