"""Aer as a provider: what the envelope reports, and that it reports what ran."""

from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.circuits.archive import archive
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import NoiseSpec
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.aer import AerProvider
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    DEVICE_NOISE,
    IDEAL,
    NOISE,
    NOISY,
    YY,
    ZZ,
    overlaps_workload,
    states_workload,
    swapping_circuit,
)


def test_states_are_counted_as_circuits_that_ran():
    envelope = AerProvider().run(states_workload(YY, 6, 3), IDEAL)
    assert (envelope.circuits_run, envelope.circuits_needed) == (6, 15)
    assert (envelope.effective.engine, envelope.effective.transpilation) == ("statevector", None)
    assert set(envelope.effective.versions) == {"numpy", "qiskit", "qiskit-aer"}


def test_noisy_overlaps_report_their_noise_and_engine():
    workload = overlaps_workload(ZZ, 4, 3)
    envelope = AerProvider().run(workload, NOISY)
    assert envelope.effective.noise == NOISE
    assert (envelope.effective.mode, envelope.effective.engine) == ("noisy", "density_matrix")
    assert envelope.effective.transpilation == NOISY.transpilation
    assert envelope.circuits_run == envelope.circuits_needed == 16
    assert envelope.metrics["compiled_difference"] < 1e-12
    kernel = envelope.data.p_zero.reshape(4, 4)
    assert kernel.diagonal().max() < 1
    assert np.abs(kernel - kernel.T).max() > 0


def test_ideal_overlaps_have_a_diagonal_of_one():
    envelope = AerProvider().run(overlaps_workload(ZZ, 3, 3), CIRCUITS)
    assert (envelope.effective.mode, envelope.effective.engine) == ("ideal", "statevector")
    np.testing.assert_array_equal(envelope.data.p_zero.reshape(3, 3).diagonal(), 1.0)


@pytest.mark.parametrize("level", [0, 3])
def test_swaps_survive_compilation(level):
    profile = CIRCUITS.model_copy(
        update={"transpilation": CIRCUITS.transpilation.model_copy(update={"optimization_level": level})}
    )
    envelope = AerProvider().run(overlaps_workload(swapping_circuit(), 3, 3), profile)
    assert envelope.crosscheck_zscore < 5
    assert envelope.metrics["compiled_difference"] < 1e-12


def test_noise_without_strength_is_still_the_asked_noise():
    profile = NOISY.model_copy(update={"noise": NoiseSpec()})
    envelope = AerProvider().run(overlaps_workload(ZZ, 2, 2), profile)
    assert envelope.effective.differences(profile) == ()


def test_a_circuit_without_parameters_is_refused():
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(1)
    circuit.h(0)
    workload = Workload(archive(circuit, "constant"), np.empty((2, 0)), "states")
    assert "no parameters" in AerProvider().supports(workload, IDEAL)


def test_failures_of_the_sdk_become_provider_errors():
    poor = CIRCUITS.model_copy(
        update={"transpilation": CIRCUITS.transpilation.model_copy(update={"basis_gates": ("rz", "cx")})}
    )
    with pytest.raises(ProviderError, match="provider aer: failed"):
        AerProvider().run(overlaps_workload(ZZ, 2, 2), poor)


def test_a_damaged_circuit_is_a_provider_error():
    workload = states_workload(YY, 3, 2)
    broken = replace(workload, circuit=replace(workload.circuit, qpy=workload.circuit.qpy[:300]))
    with pytest.raises(ProviderError, match="cannot be read"):
        AerProvider().run(broken, IDEAL)


def test_noise_of_a_backend_is_read_back_with_its_calibration():
    provider, workload = AerProvider(), overlaps_workload(ZZ, 3, 3)
    envelope = provider.run(workload, DEVICE_NOISE)
    assert envelope.effective.noise == NoiseSpec(backend="fake_manila")
    assert envelope.effective.differences(DEVICE_NOISE) == ()
    assert envelope.effective.backend == "aer_simulator_density_matrix"
    assert envelope.calibration_digest == provider.calibration(DEVICE_NOISE).digest
    assert provider.calibration(NOISY) is None
    kernel = envelope.data.p_zero.reshape(3, 3)
    assert kernel.diagonal().max() < 1


def test_circuits_are_compiled_for_the_gates_of_the_backend_that_the_noise_is_of():
    profile = DEVICE_NOISE.model_copy(update={"noise": NoiseSpec(backend="fake_fractional")})
    ran = AerProvider().run(overlaps_workload(ZZ, 2, 2), profile).effective
    assert "rx" in ran.transpilation.basis_gates
    assert ran.differences(profile) == ()


def test_noise_of_another_backend_reads_back_as_another():
    envelope = AerProvider().run(overlaps_workload(ZZ, 2, 2), DEVICE_NOISE)
    other = DEVICE_NOISE.model_copy(update={"noise": NoiseSpec(backend="fake_lima")})
    assert any(difference.startswith("noise") for difference in envelope.effective.differences(other))
