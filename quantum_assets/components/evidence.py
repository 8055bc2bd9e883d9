"""What the answers behind a step said of themselves, added up: the facts that every quantum asset tells of its run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from quantum_assets.contracts.answer import Answer
from quantum_assets.contracts.envelope import AdmittedResult, Attempt, ResultEnvelope
from quantum_assets.contracts.profile import EffectiveProfile

_PATHS = ("quantum", "ensemble", "classical")


@dataclass(frozen=True)
class Evidence:
    """What the envelopes behind a step said, added up.

    Attributes:
        effective: The profile as it really ran, of the latest envelope.
        workloads: Envelopes seen.
        crosscheck_difference: Largest difference on any recomputed tile; None if only sampled tiles were compared.
        crosscheck_zscore: Largest deviation in standard errors on any sampled tile; None if none was.
        circuits_run: Circuits really executed.
        run_seconds: Seconds inside providers.
        queue_seconds: Longest wait in a provider's queue.
        cost: What the answers cost, in `currency`.
        currency: Of `cost`.
        cache_hits: Answers that were known, so that nothing was run for them.
        path: quantum, classical or ensemble: the least quantum of the answers' paths.
        reasons: Why an answer was not the quantum path's, each once.
        attempts: Every try behind the answers.
        differences: Respects in which what ran is not what its answer's profile says; the trust boundary saw none.
        backends: Devices or simulators that answered.
        calibrations: Digests of their calibrations.
        correlation_ids: Of the requests.
        depth: Depth of the circuits as compiled; None where nothing was compiled.
        two_qubit_gates: Their two-qubit gates as compiled.
        checks: Names of the trust checks passed.
    """

    effective: EffectiveProfile
    workloads: int
    crosscheck_difference: float | None
    crosscheck_zscore: float | None
    circuits_run: int
    run_seconds: float
    queue_seconds: float
    cost: float
    currency: str
    cache_hits: int
    path: str
    reasons: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    differences: tuple[str, ...]
    backends: tuple[str, ...]
    calibrations: tuple[str, ...]
    correlation_ids: tuple[str, ...]
    depth: float | None
    two_qubit_gates: float | None
    checks: tuple[str, ...]


def sum_up(found: Sequence[tuple[Answer, AdmittedResult]]) -> Evidence:
    """Add up at least one answer, each with its admission by the trust boundary."""
    answers = [answer for answer, _ in found]
    envelopes = [answer.envelope for answer in answers]
    return Evidence(
        effective=envelopes[-1].effective,
        workloads=len(envelopes),
        crosscheck_difference=_largest(envelopes, lambda e: e.crosscheck_difference),
        crosscheck_zscore=_largest(envelopes, lambda e: e.crosscheck_zscore),
        circuits_run=sum(e.circuits_run for e in envelopes),
        run_seconds=sum(e.timings.run + e.timings.transpile for e in envelopes),
        queue_seconds=max(e.timings.queue for e in envelopes),
        cost=sum(e.cost for e in envelopes if not e.cache_hit),
        currency=envelopes[-1].currency,
        cache_hits=sum(answer.cache_hit for answer in answers),
        path=max((answer.path for answer in answers), key=_PATHS.index),
        reasons=_distinct(answer.reason for answer in answers),
        attempts=tuple(attempt for answer in answers for attempt in answer.attempts),
        differences=_distinct(
            difference for a in answers for difference in a.envelope.effective.differences(a.profile)
        ),
        backends=_distinct(e.effective.backend or e.effective.provider for e in envelopes),
        calibrations=_distinct(e.calibration_digest or "" for e in envelopes),
        correlation_ids=_distinct(e.correlation_id for e in envelopes),
        depth=_largest(envelopes, lambda e: e.metrics.get("compiled_depth")),
        two_qubit_gates=_largest(envelopes, lambda e: e.metrics.get("compiled_two_qubit_gates")),
        checks=found[-1][1].checks,
    )


def _largest(envelopes: list[ResultEnvelope], value: Callable[[ResultEnvelope], float | None]) -> float | None:
    found = [v for v in map(value, envelopes) if v is not None]
    return max(found) if found else None


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
