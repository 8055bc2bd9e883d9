"""Cut a workload that is too large for one order into parts, and make one claim of the parts' claims.

Parts are workloads like any other: each has a fingerprint of its own and is planned, run, judged and cached by itself.
Two parts that would ask the same (pairs that are repeated, to be drawn again) are told apart by a row of bindings that
no pair names: else one ticket would answer both, and draws that should be independent would be copies. Samples have no
row to spare, for each of theirs is run; parts that would ask the same are refused.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, Samples, States, Timings
from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import IntArray, Measure, Workload
from quantum_assets.providers.base import all_pairs

_ADDED = frozenset({"crosscheck_rows"})  # metrics that are counts; of any other the largest tells most


def split(workload: Workload, max_circuits: int) -> tuple[Workload, ...]:
    """Cut a workload into parts of nearly equal size.

    Args:
        workload: Overlaps are cut by pairs, and keep the bindings that their pairs name; states and samples are cut by
            bindings.
        max_circuits: Pairs or bindings in one part, at least 1.

    Returns:
        The parts in order; the workload itself where it fits.

    Raises:
        PlanError: If `max_circuits` is below 1, or parts that sample would ask the same because rows are repeated.
    """
    if max_circuits < 1:
        raise PlanError("max_circuits", f"is {max_circuits}", "Allow at least one circuit in an order")
    n_circuits = workload.n_circuits
    n_parts = -(-n_circuits // max_circuits)
    if n_parts <= 1:
        return (workload,)
    parts = _cut(workload, [n_circuits * (n + 1) // n_parts - n_circuits * n // n_parts for n in range(n_parts)])
    if workload.measure == "samples" and len({part.fingerprint for part in parts}) < n_parts:
        raise PlanError(
            _name(workload),
            f"repeats rows of bindings, and {n_circuits} circuits are too many for one order of {max_circuits}: parts "
            "of it would be one question, answered once",
            "Give each row once with more shots, or ask for the repetitions as replicates",
        )
    return parts


def join(parts: Sequence[ResultEnvelope], workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
    """Make one claim about the whole workload of the claims about its parts.

    Outcomes follow each other; circuits, cost and durations add up (but the longest queue counts, for parts wait
    together), of cross-checks and metrics the worst stays. Where parts ran under different calibrations the digest is
    that of all of them in order, and metric ``calibrations`` says how many. It is a cache hit if every part is one, and
    mocked if any part is.

    Args:
        parts: One claim a part, in the order of `split`, each judged by itself.
        workload: What was split.
        profile: The one profile that every part ran under.

    Returns:
        The claim, still to be judged as a whole; its correlation id is that of the first part.

    Raises:
        ProviderError: If a part is missing, is another part's, or ran otherwise than the first.
    """
    if not parts:
        raise ProviderError(_name(workload), "has no parts", "Run it again", True)
    _require_parts_of(parts, workload, profile)
    first = parts[0]
    digests = list(dict.fromkeys(part.calibration_digest for part in parts))
    metrics = _worst_metrics(parts)
    if len(digests) > 1:
        metrics["calibrations"] = float(len(digests))
    needed = sum(part.circuits_needed for part in parts)
    return replace(
        first,
        workload_fingerprint=workload.fingerprint,
        data=_joined(parts),
        crosscheck_difference=_worst(part.crosscheck_difference for part in parts),
        crosscheck_zscore=_worst(part.crosscheck_zscore for part in parts),
        circuits_run=sum(part.circuits_run for part in parts),
        circuits_needed=needed if workload.sampled else all_pairs(workload.n_bindings),
        timings=Timings(
            transpile=math.fsum(part.timings.transpile for part in parts),
            run=math.fsum(part.timings.run for part in parts),
            queue=max(part.timings.queue for part in parts),
        ),
        calibration_digest=digests[0] if len(digests) == 1 else fingerprint("calibrations/v1", digests),
        job=", ".join(dict.fromkeys(part.job for part in parts if part.job)),
        attempts=tuple(attempt for part in parts for attempt in part.attempts),
        cost=math.fsum(part.cost for part in parts),
        cache_hit=all(part.cache_hit for part in parts),
        mocked=any(part.mocked for part in parts),
        metrics=metrics,
    )


def _name(workload: Workload) -> str:
    return workload.label or workload.circuit.name


def _cut(workload: Workload, sizes: Sequence[int]) -> tuple[Workload, ...]:
    """Parts of the sizes given, labelled, no two overlap parts alike."""
    ends = np.cumsum(sizes)
    slices = [slice(int(end) - size, int(end)) for size, end in zip(sizes, ends, strict=True)]
    seen = Counter[str]()
    parts = []
    for number, where in enumerate(slices, start=1):
        part = _rows(workload, where) if workload.pairs is None else _pairs(workload, workload.pairs[where])
        if part.pairs is not None:
            seen[part.fingerprint] += 1
            part = _with_spare_rows(part, seen[part.fingerprint] - 1)
        parts.append(replace(part, label=f"{_name(workload)}, part {number} of {len(sizes)}"))
    return tuple(parts)


def _rows(workload: Workload, rows: slice | IntArray) -> Workload:
    """The same question about some of the bindings."""
    form = workload.diagonal
    chosen = None if form is None else replace(form, phases=form.phases[rows])
    measure: Measure = "states" if workload.measure == "overlaps" else workload.measure
    return replace(workload, bindings=workload.bindings[rows], pairs=None, measure=measure, diagonal=chosen)


def _pairs(workload: Workload, pairs: IntArray) -> Workload:
    """The same question about some of the pairs, with the bindings that they name, in their old order."""
    used, renumbered = np.unique(pairs, return_inverse=True)
    cut = _rows(workload, used)
    return replace(cut, measure="overlaps", pairs=renumbered.reshape(pairs.shape).astype(pairs.dtype))


def _with_spare_rows(part: Workload, n_rows: int) -> Workload:
    """The same question once more: its first binding is repeated at the end, where no pair names it."""
    if not n_rows:
        return part
    rows = np.concatenate([np.arange(part.n_bindings), np.zeros(n_rows, dtype=np.int64)])
    return replace(_rows(part, rows), measure="overlaps", pairs=part.pairs)


def _require_parts_of(parts: Sequence[ResultEnvelope], workload: Workload, profile: ExecutionProfile) -> None:
    sizes = [_outcomes(part) for part in parts]
    wanted = workload.n_circuits
    if sum(sizes) != wanted or 0 in sizes:
        raise ProviderError(
            _name(workload), f"needs {wanted} outcomes, and its parts have {sizes}", "Run it again", True
        )
    asked = _cut(workload, sizes) if len(parts) > 1 else (workload,)
    for part, question in zip(parts, asked, strict=True):
        differences = _differences(part, parts[0], question, profile)
        if differences:
            raise ProviderError(
                question.label or question.circuit.name,
                f"cannot be joined to the others: {'; '.join(differences)}",
                "Run every part again under one profile",
                True,
            )


def _outcomes(part: ResultEnvelope) -> int:
    values = part.data.outcomes
    return len(values) if values.ndim else 0


def _differences(
    part: ResultEnvelope, first: ResultEnvelope, question: Workload, profile: ExecutionProfile
) -> list[str]:
    """In what respects a claim is not about its part, or was not made as the first was."""
    found = []
    if part.workload_fingerprint != question.fingerprint:
        found.append(f"it answers workload {part.workload_fingerprint[:12]}, not {question.fingerprint[:12]}")
    if part.profile_fingerprint != profile.fingerprint:
        found.append(f"it was given profile {part.profile_fingerprint[:12]}, not {profile.fingerprint[:12]}")
    for name in EffectiveProfile.model_fields:
        one, other = getattr(part.effective, name), getattr(first.effective, name)
        if one != other:
            found.append(f"{name} is {one}, the first part's is {other}")
    if part.currency != first.currency:
        found.append(f"its currency is {part.currency}, the first part's is {first.currency}")
    if _form(part) != _form(first):
        found.append(f"its outcomes are {_form(part)}, the first part's are {_form(first)}")
    return found


def _form(part: ResultEnvelope) -> str:
    """Everything about outcomes but their number and values."""
    values, kind = part.data.outcomes, type(part.data).__name__.lower()
    shots = "" if isinstance(part.data, States) else f", {part.data.shots} shots"
    return f"{kind} of shape {values.shape[1:]}, {values.dtype}{shots}"


def _joined(parts: Sequence[ResultEnvelope]) -> States | Overlaps | Samples:
    """All outcomes in one; the parts are of one kind."""
    first = parts[0].data
    if isinstance(first, States):
        return States(np.concatenate([part.data.amplitudes for part in parts if isinstance(part.data, States)]))
    if isinstance(first, Samples):
        packed = np.concatenate([part.data.packed for part in parts if isinstance(part.data, Samples)])
        return Samples(packed, first.shots)
    return Overlaps(
        np.concatenate([part.data.p_zero for part in parts if isinstance(part.data, Overlaps)]), first.shots
    )


def _worst(values: Iterable[float | None]) -> float | None:
    """The largest; None if any is missing, for a part that was not checked must not hide; nan if any is."""
    known = list(values)
    if any(value is None for value in known):
        return None
    return float(np.max([value for value in known if value is not None]))


def _worst_metrics(parts: Sequence[ResultEnvelope]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name in sorted({name for part in parts for name in part.metrics}):
        values = [part.metrics[name] for part in parts if name in part.metrics]
        metrics[name] = float(np.sum(values) if name in _ADDED else np.max(values))
    return metrics
