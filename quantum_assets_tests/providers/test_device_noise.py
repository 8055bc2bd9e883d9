"""Noise from a backend's properties: Aer applies what is defined, and exact values match an independent simulation."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.compiled import compiled_overlap, compiled_sample
from quantum_assets.providers.device_noise import DeviceNoise, confusion, gate_channel
from quantum_assets.providers.fakes import fake_backend
from quantum_assets.providers.qpy import circuit_of
from quantum_assets_tests.providers.reference import device_probabilities, device_zero_probability
from quantum_assets_tests.providers.workloads import YY, ZZ, angles, qaoa_circuit, swapping_circuit

PAIRS = np.array([(0, 1), (1, 0), (2, 2)])


def overlap_on(backend, artifact):
    return compiled_overlap(circuit_of(artifact), backend, Transpilation(optimization_level=1))


@pytest.mark.parametrize("name", ["fake_manila", "fake_lagos", "fake_fractional"])
@pytest.mark.parametrize("artifact", [build(ZZ, 4), build(YY, 3), swapping_circuit()], ids=["zz", "yy", "swapping"])
def test_exact_values_match_an_independent_density_matrix(name, artifact):
    backend = fake_backend(name)
    overlap = overlap_on(backend, artifact)
    values = overlap.values(angles(3, artifact.n_qubits), PAIRS)
    found = DeviceNoise(backend).exact_outcomes(overlap, values)[:, 0]
    expected = [device_zero_probability(overlap, row, backend.target) for row in values]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert found[2] < 0.95


@pytest.mark.parametrize("name", ["fake_manila", "fake_lagos", "fake_fractional", "fake_guadalupe"])
def test_aer_applies_the_definition_gate_by_gate(name):
    noise = DeviceNoise(fake_backend(name))
    noise.require_in_force(noise.simulator(), overlap_on(noise.backend, build(ZZ, 3)))


def test_lost_noise_is_found():
    from qiskit_aer import AerSimulator

    noise = DeviceNoise(fake_backend("fake_manila"))
    with pytest.raises(ProviderError, match=r"gate cx on qubits \(\d, \d\) shows other noise than .* fake_manila"):
        noise.require_in_force(AerSimulator(method="density_matrix"), overlap_on(noise.backend, build(ZZ, 3)))


def test_another_backends_noise_is_found():
    noise, other = (DeviceNoise(fake_backend(name)) for name in ("fake_manila", "fake_lima"))
    with pytest.raises(ProviderError, match="shows other noise"):
        noise.require_in_force(other.simulator(), overlap_on(noise.backend, build(ZZ, 3)))


def test_noise_of_an_earlier_calibration_is_found():
    old, new = (DeviceNoise(fake_backend("fake_manila")) for _ in range(2))
    old.backend.properties()
    for gate in old.backend._props_dict["gates"]:
        if gate["gate"] == "cx":
            gate["parameters"][0]["value"] *= 1.01
    with pytest.raises(ProviderError, match="gate cx"):
        new.require_in_force(old.simulator(), overlap_on(new.backend, build(ZZ, 3)))


def test_lost_readout_errors_are_found():
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel

    noise = DeviceNoise(fake_backend("fake_manila"))
    model = NoiseModel.from_backend(noise.backend, readout_error=False)
    running = AerSimulator(method="density_matrix", noise_model=model)
    with pytest.raises(ProviderError, match=r"the measurement of qubit \d"):
        noise.require_in_force(running, overlap_on(noise.backend, build(ZZ, 3)))


@pytest.mark.parametrize(("gate", "qubits"), [("sx", (2,)), ("cx", (1, 2)), ("cx", (2, 1))])
def test_a_channel_has_the_reported_average_infidelity(gate, qubits):
    from qiskit.quantum_info import SuperOp, average_gate_fidelity

    target = fake_backend("fake_manila").target
    channel = SuperOp(gate_channel(target, gate, qubits))
    assert channel.is_cptp()
    assert 1 - average_gate_fidelity(channel) == pytest.approx(target[gate][qubits].error, rel=1e-9)


def test_a_gate_that_relaxation_alone_makes_worse_than_reported_is_not_made_better():
    from qiskit.quantum_info import SuperOp, average_gate_fidelity

    target = fake_backend("fake_manila").target
    channel = SuperOp(gate_channel(target, "sx", (0,)))
    assert channel.is_cptp()
    assert 1 - average_gate_fidelity(channel) > 1.01 * target["sx"][(0,)].error


def test_qubits_relax_each_with_its_own_times():
    """With no gate error left, a channel is the product of its qubits' relaxations, the first the least significant."""
    backend = fake_backend("fake_manila")
    target = backend.target
    properties = target["cx"][(1, 2)]
    properties.error = 0.0
    channel = gate_channel(target, "cx", (1, 2))
    excited = np.zeros((4, 4))
    excited[1, 1] = 1.0  # qubit 1 excited, qubit 2 not
    after = (channel @ excited.reshape(-1, order="F")).reshape(4, 4, order="F")
    stays = np.exp(-properties.duration / target.qubit_properties[1].t1)
    np.testing.assert_allclose(after.diagonal().real, [1 - stays, stays, 0, 0], atol=1e-12)


@pytest.mark.parametrize("artifact", [qaoa_circuit(3), swapping_circuit()], ids=["qaoa", "swapping"])
def test_exact_outcomes_of_samples_match_an_independent_density_matrix(artifact):
    backend = fake_backend("fake_manila")
    sample = compiled_sample(circuit_of(artifact), backend, Transpilation(optimization_level=3))
    values = sample.values(angles(1, len(artifact.parameters)))
    found = DeviceNoise(backend).exact_outcomes(sample, values)
    np.testing.assert_allclose(found[0], device_probabilities(sample, values[0], backend.target), atol=1e-7)


def test_a_gate_without_properties_is_noiseless():
    np.testing.assert_array_equal(gate_channel(fake_backend("fake_manila").target, "rz", (0,)), np.eye(4))


def test_confusion_is_read_from_the_target():
    target = fake_backend("fake_manila").target
    error = target["measure"][(3,)].error
    np.testing.assert_allclose(confusion(target, 3), [[1 - error, error], [error, 1 - error]])
