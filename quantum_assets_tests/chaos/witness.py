"""Two independent witnesses of what was submitted: an in-memory vendor that is paid, and the sidecar over HTTP.

Both give `WitnessJob`s, which `chaos.checker.compare` lays beside our ledger. Neither knows the control plane.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import BackendFact, Calibration, Charge, JobState, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import question_of
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import require_support
from quantum_assets.service.prices import MICROS, Prices
from quantum_assets_tests.trust.honest import envelope_for


@dataclass(frozen=True)
class WitnessJob:
    """One accepted submission, as the vendor's own books have it.

    Attributes:
        job: Its id.
        key: Idempotency key that came with it.
        questions: `question_of` each workload under the order's profile and replicate, in order.
        micros: What is billed; the price it was accepted at while it has not ended.
        currency: Of that.
        ended: Whether nothing more will happen to it.
        state: How it ended: completed, failed or cancelled; empty: it did not.
        beside: Jobs that had not ended when it was accepted.
    """

    job: str
    key: str
    questions: tuple[str, ...]
    micros: int
    currency: str
    ended: bool
    state: str = ""
    beside: tuple[str, ...] = ()


def read_witness(url: str, token: str = "") -> tuple[WitnessJob, ...]:
    """The sidecar's books, by ``GET /witness``."""
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(trust_env=False, verify=False, timeout=30.0) as client:
        answer = client.get(f"{url}/witness", headers=headers).raise_for_status()
    lines = answer.json()["jobs"]
    return tuple(_told(line, lines) for line in lines)


def _told(line: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> WitnessJob:
    before = [other for other in lines if other["accepted"] < line["accepted"]]
    return WitnessJob(
        **{name: line[name] for name in ("job", "key", "micros", "currency", "ended")},
        questions=tuple(line["questions"]),
        state=line["status"].lower() if line["ended"] else "",
        beside=tuple(one["job"] for one in before if one["over"] is None or one["over"] > line["accepted"]),
    )


def questions_of(order: Order) -> tuple[str, ...]:
    """What an order asks: one identity a workload."""
    return tuple(
        question_of(workload.fingerprint, order.profile.fingerprint, order.replicate) for workload in order.workloads
    )


@dataclass
class _Run:
    """What the vendor remembers of an accepted job."""

    number: int
    order: Order
    price: int
    beside: tuple[str, ...] = ()
    state: JobState = "queued"
    polls: int = 0
    code: str = ""
    billed: int | None = None


@dataclass(eq=False)
class Witness:
    """A durable, paid vendor in memory: fast, and its books are append-only.

    A job moves by being asked about: it is queued for `polls` status calls, running for one, and then ended. Answers
    come from `answer`; the default makes honest envelopes that `trust` admits, for profiles whose shots are a multiple
    of 100 and that name it in `providers`.

    Attributes:
        name: As profiles name it.
        prices: What it charges.
        same_key_same_job: Whether a key that is known gets the job it has.
        polls: Status calls during which a job is queued.
        failures: Which accepted jobs (0, 1, …) end failed, and with which code; they are not billed.
        answer: Makes the claim of a workload.
        limits_: What it takes and promises.
        version: Of its calibration; change it to recalibrate.
    """

    name: str = "paid"
    prices: Prices = field(default_factory=Prices)
    same_key_same_job: bool = True
    polls: int = 1
    failures: Mapping[int, str] = field(default_factory=dict)
    answer: Callable[[Workload, ExecutionProfile], ResultEnvelope] = envelope_for
    limits_: Limits = field(default_factory=lambda: Limits(max_workloads=20, durable=True))
    version: str = "1"
    _runs: dict[str, _Run] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def books(self) -> tuple[WitnessJob, ...]:
        """Every job ever accepted, oldest first."""
        with self._lock:
            return tuple(self._line(job, run) for job, run in self._runs.items())

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return None if self.name in profile.providers else f"the profile does not name {self.name}"

    def limits(self, profile: ExecutionProfile) -> Limits:
        return replace(self.limits_, same_key_same_job=self.same_key_same_job)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return {"witness": "1"}

    def calibration(self, profile: ExecutionProfile) -> Calibration:
        return Calibration(self.name, self.version, fingerprint("witness/v1", self.name, self.version))

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        return ()

    def submit(self, order: Order) -> str:
        for workload in order.workloads:
            require_support(self, workload, order.profile)
        with self._lock:
            known = self._named(order.key)
            if known is not None and self.same_key_same_job:
                return known
            job = f"{self.name}-{len(self._runs):04d}"
            beside = tuple(other for other, run in self._runs.items() if run.billed is None)
            self._runs[job] = _Run(len(self._runs), order, self.prices.of(order), beside)
            return job

    def find(self, order: Order) -> str | None:
        with self._lock:
            return self._named(order.key)

    def status(self, job: str) -> JobStatus:
        with self._lock:
            run = self._runs.get(job)
            if run is None:
                return JobStatus("unknown", "not found")
            self._advance(run)
            charge = None if run.billed is None else Charge(run.billed, self.prices.currency)
            return JobStatus(run.state, run.state.upper(), code=run.code, charge=charge)

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        with self._lock:
            run = self._runs.get(job)
            if run is None or run.state != "completed":
                raise ProviderError(f"job {job}", "has no result", "Ask for its status first", retry=True)
        return tuple(self._claim(job, run.order, at) for at in range(len(run.order.workloads)))

    def cancel(self, job: str) -> None:
        with self._lock:
            run = self._runs.get(job)
            if run is not None and run.billed is None:
                run.billed = 0 if run.state == "queued" else run.price
                run.state = "cancelled"

    def _named(self, key: str) -> str | None:
        return next((job for job, run in self._runs.items() if run.order.key == key), None)

    def _advance(self, run: _Run) -> None:
        if run.billed is not None:
            return
        if run.state == "running":
            run.code = self.failures.get(run.number, "")
            run.state, run.billed = ("failed", 0) if run.code else ("completed", run.price)
        elif run.polls >= self.polls:
            run.state = "running"
        run.polls += 1

    def _claim(self, job: str, order: Order, position: int) -> ResultEnvelope:
        envelope = self.answer(order.workloads[position], order.profile)
        honest = {"provider": self.name, "backend": order.profile.backend, "versions": self.versions(order.profile)}
        ran = envelope.effective.model_copy(update=honest)
        return replace(
            envelope,
            job=job,
            cost=self.prices.share(order, position) / MICROS,
            currency=self.prices.currency,
            correlation_id=order.correlation_id,
            calibration_digest=self.calibration(order.profile).digest,
            effective=ran,
        )

    def _line(self, job: str, run: _Run) -> WitnessJob:
        micros = run.price if run.billed is None else run.billed
        ended, asked = run.billed is not None, questions_of(run.order)
        state = run.state if ended else ""
        return WitnessJob(job, run.order.key, asked, micros, self.prices.currency, ended, state, run.beside)
