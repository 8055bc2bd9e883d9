"""IBM's offline testing mode: what runs is what was asked, and samples follow the fake's own noise."""

import warnings

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.compiled import compiled_overlap
from quantum_assets.providers.device_noise import DeviceNoise
from quantum_assets.providers.fakes import fake_backend
from quantum_assets.providers.ibm_local import IbmLocal, batch_seed, sampled
from quantum_assets.providers.measured import zscore
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.samples import little_endian, zero_shares
from quantum_assets_tests.providers.conformance import changed
from quantum_assets_tests.providers.workloads import DEVICE_NOISE, MANAGED, ZZ, angles, overlaps_workload

BACKEND = "fake_manila"


def prepared(width=3, rows=3):
    backend = fake_backend(BACKEND)
    return backend, compiled_overlap(circuit_of(build(ZZ, width)), backend, Transpilation())


def raw_job(backend, overlap, pubs, shots, **simulator):
    from qiskit_ibm_runtime.executor_sampler import Sampler
    from qiskit_ibm_runtime.options_models import SamplerOptions

    return Sampler(mode=backend, options=SamplerOptions(simulator=simulator)).run(pubs, shots=shots).result()


def test_the_envelope_says_what_ran():
    envelope = IbmLocal().run(overlaps_workload(ZZ, 3, 3), MANAGED)
    ran = envelope.effective
    assert (ran.mode, ran.backend, ran.engine) == ("managed", BACKEND, "local-testing-mode")
    assert ran.transpilation.basis_gates == ("cx", "rz", "sx")
    assert ran.differences(MANAGED) == ()
    assert envelope.circuits_run == envelope.circuits_needed == 9
    assert envelope.metrics["compiled_two_qubit_gates"] == 16
    assert envelope.metrics["compiled_depth"] > 16
    assert envelope.metrics["compiled_difference"] < 1e-12
    assert envelope.data.p_zero.reshape(3, 3).diagonal().max() < 1


def test_samples_have_the_binomial_distribution_of_the_exact_noisy_value():
    backend, overlap = prepared()
    repeats, shots = 400, 200
    values = np.repeat(overlap.values(angles(3, 3), np.array([(0, 1)])), repeats, axis=0)
    p = DeviceNoise(backend).exact_outcomes(overlap, values[:1])[0, 0]
    found = sampled(backend, overlap, values, shots, 1, "q", zero_shares)
    assert (found.shots, found.backend, len(found.kept)) == (shots, BACKEND, repeats)
    # Five standard errors of the mean, and of the variance ratio of a binomial.
    assert abs(found.kept.mean() - p) < 5 * np.sqrt(p * (1 - p) / shots / repeats)
    assert abs(found.kept.var() / (p * (1 - p) / shots) - 1) < 5 * np.sqrt(2 / repeats)


def test_the_cross_check_finds_samples_of_another_backend():
    """The z-score is not decoration: Manila's samples against Lagos's exact values are far off."""
    workload = overlaps_workload(ZZ, 3, 4, [(0, 0), (1, 1), (2, 2)])
    envelope = IbmLocal().run(workload, changed(MANAGED, shots=4000))
    foreign = DeviceNoise(fake_backend("fake_lagos"))
    other = compiled_overlap(circuit_of(workload.circuit), foreign.backend, Transpilation())
    truth = foreign.exact_outcomes(other, other.values(workload.bindings, workload.pairs))[:, 0]
    assert envelope.crosscheck_zscore < 5
    assert zscore(envelope.data.p_zero, truth, 4000) > 10


def test_equal_pubs_of_one_vendors_job_are_equal_samples_which_is_why_every_batch_is_a_job():
    backend, overlap = prepared()
    measured, values = overlap.measured(), overlap.values(angles(3, 3), np.array([(0, 1)] * 5))
    first, second = raw_job(backend, overlap, [(measured, values)] * 2, 500, seed_simulator=3)
    np.testing.assert_array_equal(first.data.meas.array, second.data.meas.array)


def test_batches_of_one_workload_are_drawn_apart():
    backend, overlap = prepared()
    values = overlap.values(angles(3, 3), np.array([(0, 1)] * 20))
    found = sampled(backend, overlap, values, 500, 1, "q", zero_shares, batch_shots=5000).kept
    assert not np.array_equal(found[:10], found[10:])
    assert abs(np.corrcoef(found[:10], found[10:])[0, 1]) < 0.9


def test_angles_are_not_rounded(monkeypatch):
    """By default the SDK rounds angles to five decimals of a right angle before it simulates."""
    from qiskit_ibm_runtime.fake_provider.executor import run_quantum_program as vendor

    moved, rounding = [], vendor._round_to_clifford

    def watched(values, decimals):
        rounded = rounding(values, decimals)
        moved.append(np.abs(rounded - values).max())
        return rounded

    monkeypatch.setattr(vendor, "_round_to_clifford", watched)
    backend, overlap = prepared()
    values = overlap.values(angles(3, 3), np.array([(0, 1)]))
    sampled(backend, overlap, values, 10, 1, "q", zero_shares)
    raw_job(backend, overlap, [(overlap.measured(), values)], 10)
    ours, default = moved
    assert ours < 1e-14
    assert default > 1e-7


def test_seeds_of_batches_differ_and_are_stable():
    seeds = {batch_seed(s, q, n) for s in (0, 1) for q in ("a", "a/1", "b") for n in range(50)}
    assert len(seeds) == 300
    assert all(0 <= seed < 2**62 for seed in seeds)
    assert batch_seed(0, "a", 0) == batch_seed(0, "a", 0)


def test_shares_are_read_from_every_packed_byte():
    from qiskit.primitives import BitArray

    bits = np.zeros((2, 4, 9), dtype=bool)
    bits[0, 0, 8] = bits[1, :3, 0] = True
    np.testing.assert_allclose(zero_shares(little_endian(BitArray.from_bool_array(bits).array)), [0.75, 0.25])


def test_an_option_without_effect_is_an_error():
    """The local service warns; here the warning comes from a backend that is asked for something it drops."""

    class Warns(type(fake_backend(BACKEND))):
        @property
        def num_qubits(self):
            warnings.warn("Options {'x': 1} have no effect in local testing mode.", stacklevel=1)
            return 5

    _, overlap = prepared()
    values = overlap.values(angles(3, 3), np.array([(0, 1)]))
    with pytest.raises(ProviderError, match=r"ignores what it was asked for: Options .* have no effect"):
        sampled(Warns(), overlap, values, 10, 1, "q", zero_shares)


def test_other_warnings_are_not_taken_for_it():
    class Warns(type(fake_backend(BACKEND))):
        @property
        def num_qubits(self):
            warnings.warn("It is raining.", stacklevel=1)
            return 5

    _, overlap = prepared()
    values = overlap.values(angles(3, 3), np.array([(0, 1)]))
    with pytest.warns(UserWarning, match="raining"):
        assert sampled(Warns(), overlap, values, 10, 1, "q", zero_shares).shots == 10


def test_managed_and_simulated_noise_of_one_backend_agree():
    """Two routes to one noise: the SDK's local mode, and Aer with noise from the backend's properties."""
    from quantum_assets.providers.aer import AerProvider

    workload = overlaps_workload(ZZ, 4, 3)
    shots = 4000
    managed = IbmLocal().run(workload, changed(MANAGED, shots=shots)).data.p_zero
    noisy = AerProvider().run(workload, changed(DEVICE_NOISE, shots=shots)).data.p_zero
    spread = np.sqrt(np.maximum(noisy * (1 - noisy), 1 / shots) * 2 / shots)
    assert np.abs((managed - noisy) / spread).max() < 5
    assert not np.array_equal(managed, noisy)


def test_failures_of_the_sdk_become_provider_errors():
    from qiskit.exceptions import QiskitError

    class Broken(IbmLocal):
        def _run(self, *_):
            raise QiskitError("boom")

    with pytest.raises(ProviderError, match="provider ibm: failed: 'boom'") as caught:
        Broken().run(overlaps_workload(ZZ, 2, 2), MANAGED)
    assert isinstance(caught.value.__cause__, QiskitError)


def test_it_tells_width_and_error_of_the_fakes_that_are_named_and_leaves_out_what_it_does_not_know():
    named = changed(MANAGED, alternatives=("fake_lagos", "ibm_perth", "fake_nothing", "fake_manila"))
    manila, lagos = IbmLocal().backends(named)
    assert (manila.name, manila.n_qubits, manila.queue) == ("fake_manila", 5, 0)
    assert (lagos.name, lagos.n_qubits, lagos.queue) == ("fake_lagos", 7, 0)
    errors = [instruction.error for instruction in fake_backend("fake_manila").target["cx"].values()]
    assert manila.error == pytest.approx(np.median(errors))
