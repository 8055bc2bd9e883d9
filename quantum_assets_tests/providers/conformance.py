"""What every provider must do, written once: the laws of the job protocol, and the cases that they are held over.

To add a provider, give it a line in `SUPPORTED` and one in `REFUSED`; where its registered constructor alone cannot be
tested offline, also one in `MADE`. `test_conformance.py` runs every law over every case. A name may carry a suffix
after ``@`` for a second way of making the same provider.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, Samples, States
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import JobStatus, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers import PROVIDERS
from quantum_assets.providers.base import Provider, remains_of
from quantum_assets.providers.braket_local import WIDEST
from quantum_assets_tests.providers import braket_service
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    DEVICE_NOISE,
    HARDWARE,
    IDEAL,
    MANAGED,
    NOISY,
    SAMPLED,
    SLOW,
    YY,
    ZZ,
    overlaps_workload,
    qaoa_circuit,
    samples_workload,
    states_workload,
)

Case = tuple[Workload, ExecutionProfile]
Cases = Callable[[], list[Case]]

_FINAL = ("completed", "failed", "cancelled")
DEVICE, SECOND_DEVICE = "ibm_perth", "ibm_oslo"
_LOOKS = 6000  # at a job that is not ours to hurry, 5 ms apart
_keys = count(1)


def changed(profile: ExecutionProfile, **update) -> ExecutionProfile:
    return ExecutionProfile.model_validate(profile.model_dump() | update)


def with_limits(profile: ExecutionProfile, **update) -> ExecutionProfile:
    return changed(profile, guardrails=profile.guardrails.model_dump() | update)


def with_basis(profile: ExecutionProfile, basis: tuple[str, ...]) -> ExecutionProfile:
    return changed(profile, transpilation=profile.transpilation.model_dump() | {"basis_gates": basis})


def _is_alike(one: str, other: str) -> bool:
    """Of one kind: both offline copies or local simulators, or both behind a service."""
    return one.partition("_")[0] == other.partition("_")[0] and one.startswith("arn:") == other.startswith("arn:")


def tiny_memory(profile: ExecutionProfile) -> ExecutionProfile:
    return with_limits(profile, max_memory_bytes=1_000_000)


def no_pairs() -> Workload:
    return overlaps_workload(ZZ, 2, 2, np.empty((0, 2), dtype=np.int64))


def exact_pairs() -> Workload:
    """Overlaps with a diagonal form, which an exact engine can multiply out."""
    states = states_workload(ZZ, 3, 2)
    return replace(states, measure="overlaps", pairs=np.array([(0, 1), (2, 2), (1, 0)]))


def shots_of(width: int = 4, mixer: str = "x", rows: int = 3) -> Workload:
    """Samples of an optimisation ansatz."""
    return samples_workload(qaoa_circuit(width, mixer), rows, width)


def _ibm_service() -> Provider:
    """IBM's provider over its real SDK and a stand-in of the service's wire, where every job is done at once."""
    from quantum_assets.providers.ibm import IbmProvider
    from quantum_assets_tests.providers.ibm_service import Service, Wire

    service = Service(Wire(at_once=True), Wire(1, SECOND_DEVICE, "fake_oslo", at_once=True))
    return IbmProvider(environment={}, connect=lambda: service)


def _ibm_cut_off() -> tuple[Provider, Callable[[], list[str]]]:
    """IBM's provider, whose next submission is accepted and not answered."""
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    from quantum_assets.providers.ibm import IbmProvider
    from quantum_assets_tests.providers.ibm_service import Service, Wire

    wire = Wire()
    wire.after_accept.append(RequestsApiError("connection reset"))
    provider = IbmProvider(environment={}, connect=lambda: Service(wire))
    return provider, lambda: [job.state["status"] for job in wire.accepted]


def _remote_service() -> Provider:
    """The sidecar's client, over a sidecar of this process."""
    from quantum_assets.providers.remote import RemoteProvider
    from quantum_assets_tests.service.standing import standing

    return RemoteProvider(standing())


SUPPORTED: dict[str, Cases] = {
    "statevector": lambda: (
        [(states_workload(ZZ, 5, 3), p) for p in (IDEAL, SAMPLED)]
        + [(states_workload(ZZ, 1, 1), IDEAL), (exact_pairs(), IDEAL)]
    ),
    "aer": lambda: (
        [(states_workload(YY, 5, 3), p) for p in (IDEAL, SAMPLED)]
        + [(overlaps_workload(ZZ, 3, 2), p) for p in (CIRCUITS, NOISY, DEVICE_NOISE)]
        + [(overlaps_workload(YY, 3, 2), IDEAL)]
        + [(shots_of(), p) for p in (CIRCUITS, NOISY, DEVICE_NOISE)]
        + [(replace(shots_of(4, "xy_ring"), measure="states"), p) for p in (IDEAL, SAMPLED)]
    ),
    "ibm": lambda: [
        (overlaps_workload(ZZ, 3, 2), MANAGED),
        (shots_of(3), MANAGED),
        (overlaps_workload(YY, 2, 4), changed(MANAGED, backend="fake_lagos", shots=100)),
        (shots_of(4, "xy_ring"), changed(MANAGED, backend="fake_lagos", shots=100)),
    ],
    "ibm@service": lambda: [(w, HARDWARE) for w in (overlaps_workload(ZZ, 3, 2), shots_of(3))],
    "braket": lambda: [(w, braket_service.LOCAL) for w in (overlaps_workload(braket_service.SMALL, 3, 2), shots_of(3))],
    "braket@service": lambda: [
        (w, p)
        for w in (overlaps_workload(braket_service.SMALL, 3, 2), shots_of(3))
        for p in (braket_service.CLOUD, braket_service.DEVICE)
    ],
    "remote": lambda: [
        (overlaps_workload(ZZ, 3, 2), SLOW),
        (shots_of(), SLOW),
        (states_workload(YY, 5, 3), changed(SLOW, estimator="exact", shots=None, backend=None)),
    ],
}
REFUSED: dict[str, Cases] = {
    "statevector": lambda: [
        (states_workload(YY, 3, 2), IDEAL),
        (replace(shots_of(), measure="states"), IDEAL),
        (replace(states_workload(ZZ, 3, 2), measure="samples"), IDEAL),
        (shots_of(), CIRCUITS),
        (states_workload(ZZ, 3, 2), CIRCUITS),
        (states_workload(ZZ, 3, 2), NOISY),
        (overlaps_workload(ZZ, 3, 2), IDEAL),
        (exact_pairs(), SAMPLED),
        (states_workload(ZZ, 64, 12), tiny_memory(IDEAL)),
    ],
    "aer": lambda: [
        (states_workload(YY, 3, 2), NOISY),
        (states_workload(YY, 3, 2), CIRCUITS),
        (shots_of(), IDEAL),
        (shots_of(), SAMPLED),
        (shots_of(11), NOISY),
        (shots_of(), tiny_memory(changed(CIRCUITS, shots=200_000))),
        (shots_of(6), DEVICE_NOISE),
        (overlaps_workload(ZZ, 3, 2), SAMPLED),
        (overlaps_workload(ZZ, 3, 2), changed(MANAGED, providers=("aer",))),
        (overlaps_workload(ZZ, 3, 2), changed(CIRCUITS, backend="aer_simulator_on_the_moon")),
        (overlaps_workload(ZZ, 2, 11), NOISY),
        (no_pairs(), NOISY),
        (states_workload(YY, 64, 12), tiny_memory(IDEAL)),
        (overlaps_workload(ZZ, 3, 2), with_basis(CIRCUITS, ("rz", "sx", "ccx"))),
        (overlaps_workload(ZZ, 3, 2), with_basis(NOISY, ("rz", "sx", "nonsense"))),
        (overlaps_workload(ZZ, 3, 6), DEVICE_NOISE),
        (overlaps_workload(ZZ, 3, 2), changed(DEVICE_NOISE, noise={"backend": "fake_nothing"})),
        (overlaps_workload(ZZ, 3, 2), changed(DEVICE_NOISE, noise={"backend": "ibm_perth"})),
    ],
    "ibm": lambda: [
        (states_workload(ZZ, 3, 2), MANAGED),
        (no_pairs(), MANAGED),
        (shots_of(6), MANAGED),
        (shots_of(), changed(MANAGED, estimator="exact", shots=None)),
        (overlaps_workload(ZZ, 3, 6), MANAGED),
        (overlaps_workload(ZZ, 2, 11), changed(MANAGED, backend="fake_hanoi")),
        (overlaps_workload(ZZ, 3, 2), changed(MANAGED, backend=None)),
        (overlaps_workload(ZZ, 3, 2), changed(MANAGED, backend="ibm_perth")),
        (overlaps_workload(ZZ, 3, 2), changed(MANAGED, backend="fake_nothing")),
        (overlaps_workload(ZZ, 3, 2), changed(HARDWARE, backend="fake_manila")),
        (overlaps_workload(ZZ, 3, 2), changed(CIRCUITS, backend="fake_manila")),
        (overlaps_workload(ZZ, 3, 2), changed(NOISY, backend="fake_manila")),
        (overlaps_workload(ZZ, 3, 2), changed(MANAGED, estimator="exact", shots=None)),
    ],
    "ibm@service": lambda: [
        (states_workload(ZZ, 3, 2), HARDWARE),
        (no_pairs(), HARDWARE),
        (overlaps_workload(ZZ, 2, 21), HARDWARE),
        (shots_of(21), HARDWARE),
    ],
    "braket": lambda: [
        (states_workload(ZZ, 3, 2), braket_service.LOCAL),
        (no_pairs(), braket_service.LOCAL),
        (overlaps_workload(ZZ, 2, 14), braket_service.DENSITY),
        (shots_of(14), braket_service.DENSITY),
        (overlaps_workload(ZZ, 3, 2), NOISY),
        (overlaps_workload(ZZ, 3, 2), changed(braket_service.CLOUD, reproducible=True)),
        (overlaps_workload(ZZ, 3, 2), changed(braket_service.DEVICE, mode="managed")),
        (overlaps_workload(ZZ, 3, 2), with_basis(braket_service.LOCAL, ("rz", "sx", "ccx"))),
        (overlaps_workload(ZZ, 2, 12), tiny_memory(changed(braket_service.LOCAL, shots=10_000))),
    ],
    "braket@service": lambda: [
        (states_workload(ZZ, 3, 2), braket_service.CLOUD),
        (no_pairs(), braket_service.DEVICE),
        (shots_of(), changed(braket_service.CLOUD, estimator="exact", shots=None)),
    ],
    "remote": lambda: [
        (states_workload(ZZ, 3, 2), SLOW),
        (states_workload(ZZ, 3, 2), IDEAL),
        (no_pairs(), SLOW),
        (shots_of(), changed(SLOW, estimator="exact", shots=None)),
        (overlaps_workload(ZZ, 3, 2), NOISY),
        (overlaps_workload(ZZ, 3, 2), changed(SLOW, backend="fake_manila")),
        (overlaps_workload(ZZ, 3, 2), with_basis(SLOW, ("rz", "sx", "ccx"))),
    ],
}
#: Backends that a provider knows offline, for the law of choosing among them.
BACKENDS = {
    "ibm": ("fake_manila", "fake_lagos", DEVICE, SECOND_DEVICE),
    "braket": (*WIDEST, braket_service.SV1, braket_service.GARNET),
}
MADE: dict[str, Callable[[], Provider]] = {
    "braket@service": braket_service.at_once,
    "ibm@service": _ibm_service,
    "remote": _remote_service,
}


#: Providers whose next submission is cut off after the vendor accepted something, and the vendor's words of all it has.
CUT: dict[str, Callable[[], tuple[Provider, Callable[[], list[str]]]]] = {
    "braket@service": braket_service.cut_off,
    "ibm@service": _ibm_cut_off,
}
CUT_OFF = "InternalServiceException|connection reset"


def make(name: str) -> Provider:
    return MADE[name]() if name in MADE else PROVIDERS[name]()


def order(profile: ExecutionProfile, *workloads: Workload, replicate: int = 0) -> Order:
    """An order that nobody placed before."""
    return Order(fingerprint("conformance", next(_keys)), workloads, profile, replicate, correlation_id="conformance")


def ended(provider: Provider, job: str) -> JobStatus:
    for _ in range(_LOOKS):
        status = provider.status(job)
        if status.state in _FINAL:
            return status
        time.sleep(0.005)
    raise AssertionError(f"{job} is still {status}")


def placed(provider: Provider, wanted: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
    job = provider.submit(wanted)
    assert ended(provider, job).state == "completed"
    return provider.fetch(job, wanted)


def claim(provider: Provider, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
    (only,) = placed(provider, order(profile, workload, replicate=replicate))
    assert isinstance(only, ResultEnvelope), only
    return only


def answers_the_question(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    assert provider.supports(workload, profile) is None
    envelope = claim(provider, workload, profile)
    assert envelope.workload_fingerprint == workload.fingerprint
    assert envelope.profile_fingerprint == profile.fingerprint
    assert envelope.effective.differences(profile) == ()
    assert envelope.effective.provider == provider.name
    assert envelope.effective.versions == provider.versions(profile)
    assert envelope.effective.versions["qiskit"]
    assert not envelope.mocked
    assert not envelope.cache_hit
    _has_shape(envelope, workload)
    _is_crosschecked(envelope, profile)
    assert envelope.circuits_needed >= 0
    assert all(np.isfinite(value) for value in envelope.metrics.values())
    assert envelope.timings.run > 0


def gives_the_same_again(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    if not profile.reproducible:
        return
    for base in (profile, changed(profile, seed=0)):
        first, second = (claim(provider, workload, base) for _ in range(2))
        assert fingerprint(first.data) == fingerprint(second.data)


def other_seeds_and_replicates_draw_anew(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    if not (profile.reproducible and profile.estimator == "circuits"):
        return
    drawn = [
        claim(provider, workload, changed(profile, seed=seed), replicate).data
        for seed, replicate in [(0, 0), (1, 0), (0, 1), (1, 1)]
    ]
    assert len({fingerprint(data) for data in drawn}) == len(drawn)


def equal_circuits_are_drawn_apart(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    """One circuit asked for many times, in two workloads of one order: independent draws of one probability."""
    if profile.estimator != "circuits":
        return
    repeats = 100
    first, second = (_repeated(workload, n) for n in (repeats, repeats + 1))
    claims = placed(provider, order(profile, first, second))
    one, other = (_shares(envelope.data) for envelope in claims)
    shots, p = profile.shots, np.concatenate([one, other]).mean()
    spread = p * (1 - p) / shots
    # Five standard errors around the binomial variance, within each workload and between the two.
    for drawn, n in ((one, repeats), (other, repeats + 1), (one - other[:repeats], repeats)):
        expected = 2 * spread if drawn is not one and drawn is not other else spread
        assert abs(drawn.var() / expected - 1) < 5 * np.sqrt(2 / n)


def _repeated(workload: Workload, times: int) -> Workload:
    if workload.measure == "samples":
        return replace(workload, bindings=np.tile(workload.bindings[:1], (times, 1)))
    return replace(workload, pairs=np.tile([(0, 1)], (times, 1)))


def _shares(data: Overlaps | Samples) -> np.ndarray:
    """A share that each circuit was sampled for: of all-zero outcomes, or of those whose first bit is 0."""
    return data.p_zero if isinstance(data, Overlaps) else 1.0 - (data.packed[..., 0] & 1).mean(axis=1)


def finds_what_was_submitted(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    wanted, foreign = order(profile, workload), order(profile, workload)
    assert provider.find(wanted) is None
    job = provider.submit(wanted)
    assert provider.find(wanted) == job
    assert provider.find(foreign) is None
    if provider.limits(profile).same_key_same_job:
        assert provider.submit(wanted) == job
    ended(provider, job)
    provider.fetch(job, wanted)


def cancelling_is_harmless(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    wanted = order(profile, workload)
    job = provider.submit(wanted)
    ended(provider, job)
    nobodys = job[:-1] + ("1" if job.endswith("0") else "0")
    provider.cancel(nobodys)
    assert provider.status(nobodys).state == "unknown"
    provider.cancel(job)
    provider.cancel(job)
    assert provider.status(job).state in (*_FINAL, "unknown")


def tells_what_an_ended_job_costs(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    """By the word that its limits promise, in the end; until then a job that ended has no cost yet, and not none."""
    limits, wanted = provider.limits(profile), order(profile, workload)
    job = provider.submit(wanted)
    status = ended(provider, job)
    if limits.bills:
        assert status.charge is not None
        assert status.charge.micros >= 0
    if limits.meters:
        assert limits.durable
        assert status.seconds["run"] >= 0
    assert status.circuits in (None, workload.n_circuits)
    provider.fetch(job, wanted)


def cut_off_it_leaves_nothing_that_cannot_be_ended(
    cut: tuple[Provider, Callable[[], list[str]]], workload: Workload, profile: ExecutionProfile
) -> None:
    """A submission that fails half way: whatever was accepted is found by its order, as a whole or as what remains."""
    provider, accepted = cut
    wanted, foreign = order(profile, workload), order(profile, workload)
    with pytest.raises(Exception, match=CUT_OFF):
        provider.submit(wanted)
    assert accepted()
    assert remains_of(provider, foreign) is None
    found = provider.find(wanted) or remains_of(provider, wanted)
    assert found is not None
    assert provider.status(found).state in ("queued", "running")
    provider.cancel(found)
    assert provider.status(found).state == "cancelled"
    assert {word.lower() for word in accepted()} == {"cancelled"}
    assert provider.status(found).circuits in (None, 0)


def several_come_back_in_order(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    if provider.limits(profile).max_workloads < 3:
        return
    parts = [_part(workload, rows) for rows in (1, 3, 2)]
    claims = placed(provider, order(profile, *parts))
    assert [envelope.workload_fingerprint for envelope in claims] == [part.fingerprint for part in parts]
    for envelope, part in zip(claims, parts, strict=True):
        _has_shape(envelope, part)


def one_failure_stays_alone(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    """In this process only the damaged workload fails; a service is sent nothing of such an order."""
    limits = provider.limits(profile)
    if limits.max_workloads < 3:
        return
    damaged = replace(workload, circuit=replace(workload.circuit, qpy=workload.circuit.qpy[:300]))
    wanted = order(profile, _part(workload, 1), damaged, _part(workload, 2))
    if limits.durable:
        with pytest.raises(ProviderError, match="cannot be read"):
            provider.submit(wanted)
        assert provider.find(wanted) is None
        return
    first, failed, last = placed(provider, wanted)
    assert isinstance(failed, ProviderError)
    assert "cannot be read" in failed.problem
    assert [c.workload_fingerprint for c in (first, last)] == [wanted.workloads[i].fingerprint for i in (0, 2)]


def knows_its_calibration(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    told, again = provider.calibration(profile), provider.calibration(profile)
    assert told == again
    assert claim(provider, workload, profile).calibration_digest == (None if told is None else told.digest)
    noise_of_a_backend = profile.noise is not None and profile.noise.backend is not None
    if profile.mode == "hardware" or noise_of_a_backend:
        assert told is not None
    if profile.mode in ("ideal", "noisy") and not noise_of_a_backend:
        assert told is None
    if told is not None:
        assert told.backend
        assert len(told.digest) == 64
        int(told.digest, 16)


def tells_of_its_backends(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    """Nothing where there is one only; else of those named that it knows, its own among them, with figures in range."""
    own = profile.backend
    assert provider.backends(profile) == ()
    if own is None:
        return
    assert provider.backends(changed(profile, alternatives=(own,))) == ()
    others = tuple(name for name in BACKENDS.get(provider.name, ()) if name != own and _is_alike(name, own))
    choosing = changed(profile, alternatives=others)
    told = provider.backends(choosing)
    assert [fact.name for fact in told] == ([own, *others] if others else [])
    assert told == provider.backends(choosing)
    for fact in told:
        assert fact.n_qubits >= workload.circuit.n_qubits
        assert fact.queue is None or fact.queue >= 0
        assert fact.error is None or 0 <= fact.error <= 1


def has_sane_limits(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    limits = provider.limits(profile)
    assert limits.max_circuits >= 1
    assert limits.max_workloads >= 1
    assert limits.max_shots is None or limits.max_shots >= (profile.shots or 1)
    assert limits.settle_seconds >= 0
    assert limits.poll_seconds >= 0
    assert limits.hardware == (profile.mode == "hardware")
    if limits.hardware:
        assert limits.durable


LAWS = (
    answers_the_question,
    gives_the_same_again,
    other_seeds_and_replicates_draw_anew,
    equal_circuits_are_drawn_apart,
    finds_what_was_submitted,
    cancelling_is_harmless,
    tells_what_an_ended_job_costs,
    several_come_back_in_order,
    one_failure_stays_alone,
    knows_its_calibration,
    tells_of_its_backends,
    has_sane_limits,
)


def refuses_in_words(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    reason = provider.supports(workload, profile)
    assert reason is not None
    assert len(reason.split()) > 3
    wanted = order(profile, workload)
    with pytest.raises(ProviderError) as caught:
        provider.submit(wanted)
    assert caught.value.problem == reason
    assert not caught.value.retry


def every_question() -> Iterator[Case]:
    """Each workload of any case under each profile of any case, whosever they are."""
    cases = [case for table in (SUPPORTED, REFUSED) for made in table.values() for case in made()]
    workloads = {workload.fingerprint: workload for workload, _ in cases}
    profiles = {profile.fingerprint: profile for _, profile in cases}
    return ((workload, profile) for workload in workloads.values() for profile in profiles.values())


def _part(workload: Workload, rows: int) -> Workload:
    """A smaller question of the same kind."""
    if workload.pairs is not None:
        return replace(workload, pairs=workload.pairs[:rows])
    kept = slice(0, min(rows, workload.n_bindings))
    diagonal = workload.diagonal
    if diagonal is not None:
        diagonal = replace(diagonal, phases=diagonal.phases[kept])
    return replace(workload, bindings=workload.bindings[kept], diagonal=diagonal)


def _has_shape(envelope: ResultEnvelope, workload: Workload) -> None:
    if workload.measure == "states":
        assert isinstance(envelope.data, States)
        amplitudes = envelope.data.amplitudes
        assert amplitudes.shape == (workload.n_bindings, 2**workload.circuit.n_qubits)
        assert amplitudes.dtype == np.complex128
        np.testing.assert_allclose(np.linalg.norm(amplitudes, axis=1), 1.0, atol=1e-12)
    elif workload.measure == "samples":
        assert isinstance(envelope.data, Samples)
        packed, width = envelope.data.packed, workload.circuit.n_qubits
        assert packed.shape == (workload.n_bindings, envelope.effective.shots, -(-width // 8))
        assert packed.dtype == np.uint8
        assert envelope.data.shots == envelope.effective.shots
        assert width % 8 == 0 or not (packed[..., -1] >> width % 8).any()
        assert envelope.circuits_run == envelope.circuits_needed == workload.n_bindings
    else:
        assert isinstance(envelope.data, Overlaps)
        assert envelope.data.p_zero.shape == (len(workload.pairs),)
        assert envelope.data.p_zero.dtype == np.float64
        assert ((envelope.data.p_zero >= 0) & (envelope.data.p_zero <= 1 + 1e-12)).all()
        assert envelope.data.shots == envelope.effective.shots


def _is_crosschecked(envelope: ResultEnvelope, profile: ExecutionProfile) -> None:
    """Exact outcomes by a difference, samples by a z-score; a device has no exact values, so its circuit is checked."""
    if profile.mode == "hardware":
        assert envelope.crosscheck_difference is None
        assert envelope.crosscheck_zscore is None
        assert envelope.metrics["compiled_difference"] < 1e-8
    elif isinstance(envelope.data, States) or envelope.data.shots is None:
        assert envelope.crosscheck_difference is not None
        assert envelope.crosscheck_difference < 1e-12
        assert envelope.crosscheck_zscore is None
    else:
        assert envelope.crosscheck_difference is None
        assert envelope.crosscheck_zscore is not None
        assert envelope.crosscheck_zscore < 5
