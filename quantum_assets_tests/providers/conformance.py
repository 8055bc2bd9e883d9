"""What every provider must do, written once: pass it a provider and the workloads that it supports or refuses.

To add a provider, add its line to `SUPPORTED` and `REFUSED`; `test_conformance.py` runs the laws over both.
"""

import numpy as np
import pytest

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, States
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import Provider
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    IDEAL,
    NOISY,
    SAMPLED,
    YY,
    ZZ,
    overlaps_workload,
    states_workload,
)

Case = tuple[Workload, ExecutionProfile]


def managed() -> ExecutionProfile:
    return ExecutionProfile(name="m", mode="managed", estimator="circuits", shots=10, providers=("aer",))


def tiny_memory(profile: ExecutionProfile) -> ExecutionProfile:
    return profile.model_copy(
        update={"guardrails": profile.guardrails.model_copy(update={"max_memory_bytes": 1_000_000})}
    )


SUPPORTED = {
    "statevector": lambda: (
        [(states_workload(ZZ, 5, 3), p) for p in (IDEAL, SAMPLED)] + [(states_workload(ZZ, 1, 1), IDEAL)]
    ),
    "aer": lambda: (
        [(states_workload(YY, 5, 3), p) for p in (IDEAL, SAMPLED)]
        + [(overlaps_workload(ZZ, 3, 2), p) for p in (CIRCUITS, NOISY)]
    ),
}
REFUSED = {
    "statevector": lambda: [
        (states_workload(YY, 3, 2), IDEAL),
        (states_workload(ZZ, 3, 2), CIRCUITS),
        (states_workload(ZZ, 3, 2), NOISY),
        (overlaps_workload(ZZ, 3, 2), IDEAL),
        (states_workload(ZZ, 64, 12), tiny_memory(IDEAL)),
    ],
    "aer": lambda: [
        (states_workload(YY, 3, 2), NOISY),
        (states_workload(YY, 3, 2), CIRCUITS),
        (overlaps_workload(ZZ, 3, 2), IDEAL),
        (overlaps_workload(ZZ, 3, 2), managed()),
        (overlaps_workload(ZZ, 2, 11), NOISY),
        (overlaps_workload(ZZ, 2, 2, np.empty((0, 2), dtype=np.int64)), NOISY),
        (states_workload(YY, 64, 12), tiny_memory(IDEAL)),
        (overlaps_workload(ZZ, 3, 2), with_basis(CIRCUITS, ("rz", "sx", "ccx"))),
        (overlaps_workload(ZZ, 3, 2), with_basis(NOISY, ("rz", "sx", "nonsense"))),
    ],
}


def with_basis(profile: ExecutionProfile, basis: tuple[str, ...]) -> ExecutionProfile:
    return profile.model_copy(update={"transpilation": profile.transpilation.model_copy(update={"basis_gates": basis})})


def answers_the_question(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    assert provider.supports(workload, profile) is None
    envelope = provider.run(workload, profile)
    assert envelope.workload_fingerprint == workload.fingerprint
    assert envelope.profile_fingerprint == profile.fingerprint
    assert envelope.effective.differences(profile) == ()
    assert envelope.effective.provider == provider.name
    assert envelope.effective.versions["qiskit"]
    _has_shape(envelope, workload)
    _is_crosschecked(envelope)
    assert envelope.circuits_needed >= 0
    assert all(np.isfinite(value) for value in envelope.metrics.values())
    assert envelope.timings.run > 0


def gives_the_same_again(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    first, second = (provider.run(workload, profile) for _ in range(2))
    assert fingerprint(first.data) == fingerprint(second.data)
    if profile.estimator == "circuits":
        other = provider.run(workload, profile.model_copy(update={"seed": profile.seed + 1}))
        assert fingerprint(other.data) != fingerprint(first.data)


def refuses_in_words(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    reason = provider.supports(workload, profile)
    assert reason is not None
    assert len(reason.split()) > 3
    with pytest.raises(ProviderError) as caught:
        provider.run(workload, profile)
    assert caught.value.problem == reason
    assert not caught.value.retry


def _has_shape(envelope: ResultEnvelope, workload: Workload) -> None:
    if workload.measure == "states":
        assert isinstance(envelope.data, States)
        amplitudes = envelope.data.amplitudes
        assert amplitudes.shape == (workload.n_bindings, 2**workload.circuit.n_qubits)
        assert amplitudes.dtype == np.complex128
        np.testing.assert_allclose(np.linalg.norm(amplitudes, axis=1), 1.0, atol=1e-12)
    else:
        assert isinstance(envelope.data, Overlaps)
        assert envelope.data.p_zero.shape == (len(workload.pairs),)
        assert envelope.data.p_zero.dtype == np.float64
        assert ((envelope.data.p_zero >= 0) & (envelope.data.p_zero <= 1)).all()
        assert envelope.data.shots == envelope.effective.shots


def _is_crosschecked(envelope: ResultEnvelope) -> None:
    if isinstance(envelope.data, States):
        assert envelope.crosscheck_difference is not None
        assert envelope.crosscheck_difference < 1e-12
    else:
        assert envelope.crosscheck_difference is None
        assert envelope.crosscheck_zscore is not None
        assert envelope.crosscheck_zscore < 5
