"""The published decision: which path's answer, and every reason why not another; a pure function of the candidates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import DecisionPolicy, Path
from quantum_assets.contracts.problem import SAME, Bits, Sense, alike_within

_TIE = 1e-12  # of the scale: objectives nearer than this are equal but for rounding


@dataclass(frozen=True, eq=False)
class Candidate:
    """One path's best answer.

    Attributes:
        path: Quantum or classical.
        maker: Solver or sampler, by name.
        bits: The row, shape `(n_variables,)`.
        objective: Of that row, recomputed, in original units.
        violations: By how much it breaks the constraints; 0: feasible.
        samples: Rows that it was chosen from.
        feasible_share: Share of raw rows that were feasible before any repair.
        refusal: Why this path's answer must not be published whatever it is; empty: nothing is known against it.
    """

    path: Path
    maker: str
    bits: Bits
    objective: float
    violations: float
    samples: int = 1
    feasible_share: float = 1.0
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is published.

    Attributes:
        path: By which path; `ensemble` where both were compared.
        chosen: Whose row it is.
        reasons: Why paths before it in the order were passed over, and which member of an ensemble won.
    """

    path: Path
    chosen: Candidate
    reasons: tuple[str, ...]


def decide(candidates: Sequence[Candidate], policy: DecisionPolicy, sense: Sense, scale: float) -> Verdict:
    """Publish the first path of the policy's order that may answer.

    An ensemble publishes its best member. Members whose objectives differ by 1e-12 of the scale at most, or by what
    rounding does to them, are equal, and the classical one is published.

    Args:
        candidates: At most one a path; the classical one among them.
        policy: Order and thresholds.
        sense: Which way the objective goes.
        scale: The size of the instance's objectives (`Encoding.objective_scale`), at least 0.

    Raises:
        PlanError: If nothing feasible is there at all.
    """
    by_path = {candidate.path: candidate for candidate in candidates}
    against = {
        path: _objections(by_path.get(path), by_path.get("classical"), policy, sense, scale) for path in _MEMBERS
    }
    reasons: list[str] = []
    for path in policy.order:
        members = [by_path[one] for one in _MEMBERS if path in (one, "ensemble") and not against[one]]
        objections = [f"{one}: {reason}" for one in _MEMBERS if path in (one, "ensemble") for reason in against[one]]
        if not members:
            reasons += [f"{path} passed over: {objection}" for objection in objections]
            continue
        chosen = _best_of(members, sense, scale)
        if path == "ensemble":
            reasons += [f"ensemble without {objection}" for objection in objections]
            reasons.append(_won(chosen, members, scale))
        return Verdict(path, chosen, tuple(dict.fromkeys(reasons)))
    raise PlanError(
        "decision", f"has no feasible candidate: {'; '.join(reasons)}", "Look at the classical rivals; one must answer"
    )


_MEMBERS: tuple[Path, ...] = ("classical", "quantum")


def relative_gap(objective: float, best: float, sense: Sense, scale: float) -> float:
    """How much worse than `best` an objective is, as a share of |best|; negative where it is better.

    Beside a best of 0 there is no such share: where |best| is at most 1e-9 of the scale, the gap is a share of the
    scale. A difference within 1e-9 of |best| or of the scale is rounding, and the gap is 0.

    Args:
        objective: What is judged.
        best: What it is held against.
        sense: Which way the objective goes.
        scale: The size of the instance's objectives (`Encoding.objective_scale`), at least 0.
    """
    worse = objective - best if sense == "minimise" else best - objective
    if abs(worse) <= SAME * max(scale, abs(best)):
        return 0.0
    size = abs(best) if abs(best) > SAME * scale else scale
    return worse / size if size else math.copysign(math.inf, worse)


def _objections(
    candidate: Candidate | None, classical: Candidate | None, policy: DecisionPolicy, sense: Sense, scale: float
) -> list[str]:
    if candidate is None:
        return ["there is no answer"]
    found = [candidate.refusal] if candidate.refusal else []
    if not math.isfinite(candidate.objective):
        found.append(f"its objective is {candidate.objective}")
    if not candidate.violations <= 0:  # a violation that is not a number is one
        found.append(f"its best row breaks the constraints by {candidate.violations:g}")
    if candidate.path != "quantum":
        return found
    if candidate.samples < policy.min_samples:
        found.append(f"{candidate.samples} samples, and the policy asks for {policy.min_samples}")
    if candidate.feasible_share < policy.min_feasible:
        found.append(f"{candidate.feasible_share:.1%} of its samples are feasible, below {policy.min_feasible:.1%}")
    if policy.max_gap is not None and classical is not None and classical.violations == 0:
        gap = relative_gap(candidate.objective, classical.objective, sense, scale)
        if gap > policy.max_gap + SAME:
            found.append(f"its objective is {gap:.2%} worse than the best classical one, over {policy.max_gap:.2%}")
    return found


def _best_of(members: Sequence[Candidate], sense: Sense, scale: float) -> Candidate:
    """The best member; of equals the first, which is the classical one."""
    costs = [one.objective if sense == "minimise" else -one.objective for one in members]
    lowest = min(costs)
    return next(one for one, cost in zip(members, costs, strict=True) if cost <= lowest + _tie(scale, lowest))


def _tie(scale: float, value: float) -> float:
    return alike_within(scale, value, share=_TIE)


def _won(chosen: Candidate, members: Sequence[Candidate], scale: float) -> str:
    if len(members) == 1:
        return f"{chosen.path} ({chosen.maker}) is the only member"
    other = next(one for one in members if one is not chosen)
    same = abs(chosen.objective - other.objective) <= _tie(scale, other.objective)
    digits = "g" if same or f"{chosen.objective:g}" != f"{other.objective:g}" else ".17g"
    return (
        f"{chosen.path} ({chosen.maker}) with {chosen.objective:{digits}} is {'as good as' if same else 'better than'} "
        f"{other.path} ({other.maker}) with {other.objective:{digits}}"
    )
