"""The published decision: which path's answer, and every reason why not another; a pure function of the candidates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import DecisionPolicy, Path
from quantum_assets.contracts.problem import Bits, Sense

_SAME = 1e-9


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


def decide(candidates: Sequence[Candidate], policy: DecisionPolicy, sense: Sense) -> Verdict:
    """Publish the first path of the policy's order that may answer.

    Args:
        candidates: At most one a path; the classical one among them.
        policy: Order and thresholds.
        sense: Which way the objective goes.

    Raises:
        PlanError: If nothing feasible is there at all.
    """
    by_path = {candidate.path: candidate for candidate in candidates}
    against = {path: _objections(by_path.get(path), by_path.get("classical"), policy, sense) for path in _MEMBERS}
    reasons: list[str] = []
    for path in policy.order:
        members = [by_path[one] for one in _MEMBERS if path in (one, "ensemble") and not against[one]]
        objections = [f"{one}: {reason}" for one in _MEMBERS if path in (one, "ensemble") for reason in against[one]]
        if not members:
            reasons += [f"{path} passed over: {objection}" for objection in objections]
            continue
        chosen = min(members, key=lambda one: (_cost(one, sense), one.path))
        if path == "ensemble":
            reasons += [f"ensemble without {objection}" for objection in objections]
            reasons.append(_won(chosen, members))
        return Verdict(path, chosen, tuple(dict.fromkeys(reasons)))
    raise PlanError(
        "decision", f"has no feasible candidate: {'; '.join(reasons)}", "Look at the classical rivals; one must answer"
    )


_MEMBERS: tuple[Path, ...] = ("classical", "quantum")


def relative_gap(candidate: Candidate, best: float, sense: Sense) -> float:
    """How much worse than `best` its objective is, relative to the size of `best`; negative where it is better."""
    worse = (candidate.objective - best) if sense == "minimise" else (best - candidate.objective)
    return worse / max(abs(best), _SAME)


def _objections(
    candidate: Candidate | None, classical: Candidate | None, policy: DecisionPolicy, sense: Sense
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
        gap = relative_gap(candidate, classical.objective, sense)
        if gap > policy.max_gap + _SAME:
            found.append(f"its objective is {gap:.2%} worse than the best classical one, over {policy.max_gap:.2%}")
    return found


def _cost(candidate: Candidate, sense: Sense) -> float:
    """What is minimised; rounded, so that equal answers by two paths are equal and the classical one is published."""
    return float(f"{candidate.objective if sense == 'minimise' else -candidate.objective:.9e}")


def _won(chosen: Candidate, members: Sequence[Candidate]) -> str:
    if len(members) == 1:
        return f"{chosen.path} ({chosen.maker}) is the only member"
    other = next(one for one in members if one is not chosen)
    same = abs(chosen.objective - other.objective) <= _SAME * max(1.0, abs(other.objective))
    return (
        f"{chosen.path} ({chosen.maker}) with {chosen.objective:g} is {'as good as' if same else 'better than'} "
        f"{other.path} ({other.maker}) with {other.objective:g}"
    )
