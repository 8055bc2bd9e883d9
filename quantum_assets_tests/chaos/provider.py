"""A real provider with a bad day: errors, delays, lost and doubled answers, lies and damage, as a schedule says.

It wraps any `Provider` and keeps its name, its limits and its answers, so that nothing behind it can tell it from the
one that it wraps. Faults happen between the caller and the provider: what the provider did is done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, Samples, States
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobState, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import Provider
from quantum_assets_tests.chaos.errors import ERRORS, Killed
from quantum_assets_tests.chaos.faults import Call, Fault, Schedule, Script
from quantum_assets_tests.chaos.witness import questions_of

Claims = tuple[ResultEnvelope | ProviderError, ...]
T = TypeVar("T")

_SAID: dict[str, tuple[JobState, str]] = {
    "say_failed": ("failed", "FAILED"),
    "say_completed": ("completed", "COMPLETED"),
    "say_gibberish": ("unknown", "Zugzwang"),
    "say_lost": ("unknown", "not found"),
}


def _no_time_passes(seconds: float) -> None:
    """The default clock: delays are only told."""


@dataclass(eq=False)
class ChaosProvider:
    """Injects the faults of a schedule into the calls of a provider.

    Attributes:
        inner: The provider that really runs.
        schedule: What goes wrong, when.
        sleep: Lets time pass for ``delay``: a test clock's `sleep`.
        happened: Every fault that happened, in order.
        spoiled: Job and question (`question_of`) of every answer that did not come as it was given.
    """

    inner: Provider
    schedule: Schedule = field(default_factory=Script)
    sleep: Callable[[float], object] = _no_time_passes
    happened: list[Fault] = field(default_factory=list)
    spoiled: set[tuple[str, str]] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.inner.name

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return self.inner.supports(workload, profile)

    def limits(self, profile: ExecutionProfile) -> Limits:
        return self.inner.limits(profile)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return self.inner.versions(profile)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        return self._through("calibration", lambda: self.inner.calibration(profile))[0]

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        return self._through("backends", lambda: self.inner.backends(profile))[0]

    def submit(self, order: Order) -> str:
        def delivered() -> str:
            job = self.inner.submit(order)
            if fault is not None and fault.kind == "twice":
                self.inner.submit(order)
            return job

        fault = self._next("submit")
        return self._suffer(fault, delivered)

    def find(self, order: Order) -> str | None:
        found, fault = self._through("find", lambda: self.inner.find(order))
        return None if fault is not None and fault.kind == "miss" else found

    def status(self, job: str) -> JobStatus:
        status, fault = self._through("status", lambda: self.inner.status(job))
        if fault is None or fault.kind not in _SAID:
            return status
        state, raw = _SAID[fault.kind]
        code = "9999" if state == "failed" else ""
        return replace(status, state=state, raw=raw, code=code, message="")

    def fetch(self, job: str, order: Order) -> Claims:
        claims, fault = self._through("fetch", lambda: self.inner.fetch(job, order))
        came = claims if fault is None else damaged(claims, fault.kind)
        whole = {id(claim) for claim in came}
        asked = zip(claims, questions_of(order), strict=True)
        self.spoiled.update((job, question) for claim, question in asked if id(claim) not in whole)
        return came

    def cancel(self, job: str) -> None:
        self._through("cancel", lambda: self.inner.cancel(job))

    def _next(self, call: Call) -> Fault | None:
        fault = self.schedule.next(call)
        if fault is not None and fault.kind != "well":
            self.happened.append(fault)
        return fault

    def _through(self, call: Call, act: Callable[[], T]) -> tuple[T, Fault | None]:
        fault = self._next(call)
        return self._suffer(fault, act), fault

    def _suffer(self, fault: Fault | None, act: Callable[[], T]) -> T:
        """Make the call and what the fault does around it."""
        kind = fault.kind if fault is not None else "well"
        if fault is not None and kind == "delay":
            self.sleep(fault.seconds)
        if fault is not None and kind == "raise":
            raise ERRORS[fault.error]()
        if kind == "die":
            raise Killed(str(fault))
        answer = act()
        if fault is not None and kind == "lose":
            raise ERRORS[fault.error]()
        if kind == "die_after":
            raise Killed(str(fault))
        return answer


def damaged(claims: Claims, kind: str) -> Claims:
    """A result with one kind of damage; kinds that are not about results leave it whole.

    Damage to one member is done to the last that is an envelope.
    """
    if kind == "missing":
        return claims[:-1]
    if kind == "duplicate":
        return (*claims, claims[-1])
    if kind == "swap":
        return claims[::-1]
    if kind == "member_error":
        return (*claims[:-1], ProviderError("chaos", "this member failed", "Ask again", retry=True))
    whole = [at for at, claim in enumerate(claims) if isinstance(claim, ResultEnvelope)]
    if kind not in _HARM or not whole:
        return claims
    last = whole[-1]
    envelope = claims[last]
    assert isinstance(envelope, ResultEnvelope)
    return (*claims[:last], _HARM[kind](envelope), *claims[last + 1 :])


def _outcomes(envelope: ResultEnvelope, change: Callable[[np.ndarray], np.ndarray]) -> ResultEnvelope:
    data = envelope.data
    if isinstance(data, States):
        return replace(envelope, data=States(change(data.amplitudes)))
    if isinstance(data, Samples):
        return replace(envelope, data=Samples(change(data.packed), data.shots))
    return replace(envelope, data=Overlaps(change(data.p_zero), data.shots))


def _corrupted(values: np.ndarray) -> np.ndarray:
    """Numbers that are no probabilities and no states; of packed bits, every one that may be set and not be set."""
    return np.full_like(values, 255) if values.dtype.kind == "u" else values + 1.5


def _nan_last(values: np.ndarray) -> np.ndarray:
    spoiled = values.astype(np.float64) if values.dtype.kind == "u" else values.copy()
    spoiled.flat[-1] = np.nan
    return spoiled


def _other_seed(envelope: ResultEnvelope) -> ResultEnvelope:
    ran = envelope.effective
    return replace(envelope, effective=ran.model_copy(update={"seed": (ran.seed or 0) + 1}))


def _half_shots(envelope: ResultEnvelope) -> ResultEnvelope:
    shots = (envelope.effective.shots or 2) // 2
    halved = replace(envelope, effective=envelope.effective.model_copy(update={"shots": shots}))
    if isinstance(halved.data, Samples):
        return replace(halved, data=Samples(halved.data.packed[:, :shots], shots))
    return replace(halved, data=Overlaps(halved.data.p_zero, shots)) if isinstance(halved.data, Overlaps) else halved


_HARM: dict[str, Callable[[ResultEnvelope], ResultEnvelope]] = {
    "truncate": lambda e: _outcomes(e, lambda values: values[: len(values) // 2]),
    "corrupt": lambda e: _outcomes(e, _corrupted),
    "nan": lambda e: _outcomes(e, _nan_last),
    "foreign": lambda e: replace(e, workload_fingerprint="f" * 64),
    "ignore_seed": _other_seed,
    "change_shots": _half_shots,
    "other_backend": lambda e: replace(e, effective=e.effective.model_copy(update={"backend": "elsewhere"})),
    "mocked": lambda e: replace(e, mocked=True),
}
