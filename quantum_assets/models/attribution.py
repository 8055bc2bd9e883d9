"""The control ladder: what a sampler added, beside what repair and polish do to bits that know less or nothing.

Four sources with the same number of shots go through the identical steps: uniform rows; the product of the sampler's
own marginals, which knows every single variable and no correlation; the sampler; and the problem's greedy row alone.
Both controls draw in the sampler's own sample space (`controls`). What the sampler has over the product is structure
that no product distribution on this space has. Entangling circuits are built for such structure, and so is many a
classical sampler: the ladder says that it is there, not where it comes from.

Tests, two-sided, of the sampler against the product and against uniform rows: Fisher's exact test for shares,
the permutation test for mean gaps; Holm's correction over all of them. Marginals are estimated from the sampler's own
shots, so its share and the product's move together: a sampler without correlations is rejected less often than alpha,
not more (the estimate under the product model is efficient, so it has a covariance with the share that equals
its own variance, and the difference varies less than for two independent samples).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Encoding, Problem, alike_within
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models.controls import ControlKind, Shots, control_kind, controls_of, merged
from quantum_assets.models.ladder import Contrast, Ladder, Measure, Rung, RungName, Stage
from quantum_assets.models.proportions import Interval, best_of, bootstrap_mean, same_mean, same_share, wilson
from quantum_assets.models.statistics import holm
from quantum_assets.solvers.flips import descend

CURVE = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""The k of best-of-k curves, as far as there are shots."""

_CONTROLS: tuple[RungName, ...] = ("product", "uniform")


@dataclass(frozen=True, eq=False)
class _Outcome:
    """Rows after one stage: who is feasible, who is optimal, how far the others are."""

    counts: IntArray
    feasible: npt.NDArray[np.bool_]
    hit: npt.NDArray[np.bool_]
    gap: FloatArray
    deterministic: bool

    @property
    def shots(self) -> int:
        return int(self.counts.sum())

    def of(self, which: npt.NDArray[np.bool_]) -> int:
        """Shots of the rows that are marked."""
        return int(self.counts[which].sum())


def objective_of(encoding: Encoding, energy: float) -> float:
    """Objective of a feasible row with this energy, in the problem's unit."""
    return (energy - encoding.energy_offset) / encoding.energy_per_unit


def climb(
    problem: Problem,
    bits: Bits,
    counts: IntArray,
    *,
    best_energy: float,
    seed: int,
    control: ControlKind | None = None,
    polish: bool = False,
    alpha: float = 0.05,
    resamples: int = 2000,
) -> Ladder:
    """Build the whole ladder of one sampler.

    Args:
        problem: Gives objective, violations, the repair that serves every rung, and the greedy row.
        bits: The sampler's rows as they came from the machine, shape `(m, n_variables)`; equal rows may stand apart.
        counts: Shots of each row, shape `(m,)`.
        best_energy: Energy of the best known feasible row, under the problem's own encoding; of the whole instance
            where `problem` is a frozen one. Then it may lie outside, and no rung reaches it: `subspace.survey` tells.
        seed: Of controls, bootstrap and permutations, at least 0.
        control: What the controls keep of the sampler's sample space. None: what `control_kind` says of the polynomial,
            for a sampler that does not keep the number of ones.
        polish: Whether steepest descent on the encoding follows the repair; the result is repaired again, and a row
            that this made worse keeps its repaired self.
        alpha: Level of tests and intervals.
        resamples: Of each bootstrap and each permutation test, at least 1000: with fewer, Holm's
            correction leaves no p value below the level.

    Returns:
        Rungs, tests and what follows.

    Raises:
        PlanError: For bits of another width, no shots, a bad seed or too few resamples, or a repair that leaves a row
            infeasible.
    """
    if seed < 0 or resamples < 1000:
        raise PlanError(
            "ladder", f"is given the seed {seed}, {resamples} resamples", "Give seed >= 0, resamples >= 1000"
        )
    sampler = merged(np.atleast_2d(bits), np.asarray(counts, dtype=np.int64))
    width = len(problem.variables)
    if sampler.bits.shape[1] != width:
        raise PlanError("sampler's bits", f"have {sampler.bits.shape[1]} columns", f"Give {width}, one a variable")
    seeds = [int(word) for word in np.random.SeedSequence([seed, 0x1ADDE2]).generate_state(3)]
    encoding = problem.encode()
    drawn = controls_of(sampler, control or control_kind(encoding.ising), (seeds[0], seeds[1]))
    sources: dict[RungName, Shots] = {
        "uniform": drawn.uniform,
        "product": drawn.product,
        "sampler": sampler,
        "greedy": Shots(np.atleast_2d(problem.greedy()).astype(np.uint8), np.array([sampler.total])),
    }
    best = objective_of(encoding, best_energy)
    found = {name: dict(_decode(problem, encoding, shots, best, polish)) for name, shots in sources.items()}
    stages: tuple[Stage, ...] = ("raw", "repaired", "polished") if polish else ("raw", "repaired")
    outcomes = {(stage, name): found[name][stage] for stage in stages for name in sources}
    return Ladder(
        kind=problem.kind,
        instance=problem.name,
        unit=problem.unit,
        best_known=best,
        shots=sampler.total,
        alpha=alpha,
        seed=seed,
        rungs=tuple(_rung(name, stage, o, seeds[2], resamples, alpha) for (stage, name), o in outcomes.items()),
        contrasts=_contrasts(outcomes, stages, seeds[2], resamples),
        names={"uniform": drawn.uniform_name, "product": drawn.product_name},
    )


def _decode(
    problem: Problem, encoding: Encoding, shots: Shots, best: float, polish: bool
) -> Iterator[tuple[Stage, _Outcome]]:
    """The identical steps for whoever drew the bits."""
    same = alike_within(encoding.objective_scale, best)
    yield "raw", _judge(problem, shots.bits, shots.counts, best, same)
    rows = problem.repair(shots.bits)
    repaired = _judge(problem, rows, shots.counts, best, same)
    _demand_feasible(repaired, "repaired")
    yield "repaired", repaired
    if not polish:
        return
    shinier = problem.repair(descend(encoding.ising, rows))
    polished = _judge(problem, shinier, shots.counts, best, same)
    _demand_feasible(polished, "polished")
    kept = np.where((polished.gap <= repaired.gap)[:, None], shinier, rows)
    yield "polished", _judge(problem, kept, shots.counts, best, same)


def _judge(problem: Problem, rows: Bits, counts: IntArray, best: float, same: float) -> _Outcome:
    sign = 1.0 if problem.sense == "minimise" else -1.0
    gap = sign * (np.asarray(problem.objective(rows), dtype=float) - best)
    gap = np.where(np.abs(gap) <= same, 0.0, gap)
    feasible = np.asarray(problem.violations(rows)) == 0
    return _Outcome(counts, feasible, feasible & (gap <= 0), gap, deterministic=len(rows) == 1)


def _demand_feasible(outcome: _Outcome, stage: str) -> None:
    if not outcome.feasible.all():
        raise PlanError(
            "problem's repair",
            f"leaves {int((~outcome.feasible).sum())} {stage} rows infeasible",
            "Make it return feasible rows only",
        )


def _rung(name: RungName, stage: Stage, outcome: _Outcome, seed: int, resamples: int, alpha: float) -> Rung:
    def share(which: npt.NDArray[np.bool_]) -> Interval:
        found = wilson(outcome.of(which), outcome.shots, alpha)
        return Interval(found.value, found.value, found.value) if name == "greedy" else found

    raw = stage == "raw"
    ks = [k for k in CURVE if k <= outcome.shots]
    return Rung(
        name=name,
        stage=stage,
        shots=outcome.shots,
        optimum=share(outcome.hit),
        feasible=share(outcome.feasible),
        gap=None if raw else bootstrap_mean(outcome.gap, outcome.counts, seed=seed, resamples=resamples, alpha=alpha),
        best_of=() if raw else tuple((k, best_of(outcome.gap, outcome.counts, k)) for k in ks),
        deterministic=outcome.deterministic,
    )


def _contrasts(
    outcomes: dict[tuple[Stage, RungName], _Outcome], stages: tuple[Stage, ...], seed: int, resamples: int
) -> tuple[Contrast, ...]:
    """All tests of the ladder. Raw shots that are all feasible have nothing to tell that repaired ones do not."""
    constrained = not all(outcomes["raw", name].feasible.all() for name in ("sampler", *_CONTROLS))
    plan: list[tuple[Stage, Measure, RungName]] = []
    for stage in stages:
        measures: tuple[Measure, ...] = ("optimum", "feasible") if stage == "raw" else ("optimum", "gap")
        if stage != "raw" or constrained:
            plan += [(stage, measure, rival) for measure in measures for rival in _CONTROLS]
    tested = [
        _compare(outcomes[stage, "sampler"], outcomes[stage, rival], measure, seed + place, resamples)
        for place, (stage, measure, rival) in enumerate(plan)
    ]
    adjusted = holm([p_value for _, _, p_value in tested])
    return tuple(
        Contrast(stage, measure, rival, difference, test, p_value, p_holm)
        for (stage, measure, rival), (difference, test, p_value), p_holm in zip(plan, tested, adjusted, strict=True)
    )


def _compare(own: _Outcome, rival: _Outcome, measure: Measure, seed: int, resamples: int) -> tuple[float, str, float]:
    """Difference in favour of the sampler, the test's name, its p value."""
    if measure == "gap":
        difference = rival.gap @ rival.counts / rival.shots - own.gap @ own.counts / own.shots
        p_value = same_mean(own.gap, own.counts, rival.gap, rival.counts, seed=seed, permutations=resamples - 1)
        return float(difference), f"permutation of means, {resamples - 1} permutations", p_value
    hits, others = (o.of(o.hit if measure == "optimum" else o.feasible) for o in (own, rival))
    p_value = same_share(hits, own.shots, others, rival.shots)
    return hits / own.shots - others / rival.shots, "Fisher's exact", p_value
