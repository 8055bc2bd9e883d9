"""What an optimisation study makes of its samples: the control ladder, and the published decision."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.optimization_study_steps import (
    best_energy,
    best_of,
    kernel_of,
    same_instance,
    samples_of,
    write_bits,
)
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.problem import Bits, Problem
from quantum_assets.contracts.tables import ATTRIBUTION, DECISION
from quantum_assets.models.attribution import climb, objective_of
from quantum_assets.models.decision import Candidate, decide
from quantum_assets.models.ladder import Ladder
from quantum_assets.models.proportions import Interval
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.optimization_figures import ladder_figure
from quantum_assets.orchestration.stored import Stored, provenance_of
from quantum_assets.problems.reduction import ReducedProblem


def attribution(
    plan: OptimizationStudyPlan, period: str, samples: pa.Table, solutions: pa.Table, problem_rows: pa.Table
) -> Stored:
    """The control ladder: uniform bits, the sampler's own marginals, the sampler, greedy; one decoder for all."""
    asked = same_instance(plan, period, problem_rows)
    inputs = {"quantum_samples": samples, "classical_solutions": solutions, "problem": problem_rows}
    made = provenance_of(samples)
    bits, counts, _ = samples_of(samples)
    if not len(bits):
        return _nothing_to_attribute(plan, inputs, made)
    ladder = climb(
        kernel_of(plan, asked, str(made.get("profile", ""))),
        bits,
        counts,
        best_energy=best_energy(asked, best_of(solutions)),
        seed=plan.quantum.seed,
    )
    return Stored(
        table=table_of_rows([dict(row) for row in ladder.rows()], ATTRIBUTION),
        contract=ATTRIBUTION,
        provenance=provenance(
            plan,
            inputs,
            profile_name=made.get("profile"),
            path=made.get("path"),
            finding=ladder.finding(),
        ),
        params=study_params(plan) | {"finding": ladder.finding()},
        metrics={
            f"{rung.name}/{rung.stage}/{name}": interval.value
            for rung in ladder.rungs
            for name, interval in (("optimum", rung.optimum), ("feasible", rung.feasible), ("gap", rung.gap))
            if interval is not None
        },
        figures={"ladder": ladder_figure(ladder)},
        notes={"what the sampler added": _ladder_told(ladder), "in words": ladder.sentence()},
    )


def _ladder_told(ladder: Ladder) -> str:
    """The rungs as a table; a raw row has no gap, for an infeasible row has no value."""
    lines = [
        f"The sampler is **{ladder.finding()}** the product of its own marginals.",
        "",
        f"| stage | source | P(optimum) | mean gap, {ladder.unit} | feasible |",
        "|---|---|---|---|---|",
    ]
    for rung in ladder.rungs:
        best, gap = rung.optimum, "" if rung.gap is None else _span(rung.gap)
        lines.append(f"| {rung.stage} | {rung.name} | {_span(best)} | {gap} | {rung.feasible.value:.1%} |")
    return "\n".join(lines)


def _span(interval: Interval) -> str:
    return f"{interval.value:.4g} [{interval.low:.4g}, {interval.high:.4g}]"


def _nothing_to_attribute(
    plan: OptimizationStudyPlan, inputs: Mapping[str, pa.Table], made: Mapping[str, Any]
) -> Stored:
    reason = "; ".join(made.get("path_reasons", ())) or "nobody answered"
    return Stored(
        table=table_of_rows([], ATTRIBUTION),
        contract=ATTRIBUTION,
        provenance=provenance(plan, inputs, profile_name=made.get("profile"), path="none", finding="no samples"),
        params=study_params(plan) | {"finding": "no samples"},
        notes={"what the sampler added": f"There are no samples to attribute anything to: {reason}"},
    )


def decision(
    plan: OptimizationStudyPlan,
    period: str,
    samples: pa.Table,
    solutions: pa.Table,
    attributed: pa.Table,
    problem_rows: pa.Table,
) -> Stored:
    """Publish the first path of the policy that may answer; every objective is recomputed here."""
    asked = same_instance(plan, period, problem_rows)
    best = best_of(solutions)
    classical = _candidate(asked, "classical", best.solver, best.bits)
    made = provenance_of(samples)
    candidates = [
        classical,
        *_quantum_candidates(asked, kernel_of(plan, asked, str(made.get("profile", ""))), samples, made),
    ]
    verdict = decide(candidates, plan.policy, asked.sense)
    encoding = asked.encode()
    known = objective_of(encoding, best_energy(asked, best))
    bound = None if best.bound is None else objective_of(encoding, best.bound)
    reasons = [*verdict.reasons, *(f"execution: {reason}" for reason in made.get("path_reasons", ()))]
    rows = [
        {
            "path": one.path,
            "maker": one.maker,
            "published": one is verdict.chosen,
            "by": verdict.path if one is verdict.chosen else "",
            "bits": write_bits(one.bits),
            "objective": one.objective,
            "violations": one.violations,
            "gap_to_best_known": _gap(asked, one.objective, known),
            "gap_to_bound": None if bound is None else _gap(asked, one.objective, bound),
            "choice": json.dumps([dict(line) for line in asked.interpret(one.bits)]),
            "reasons": "; ".join(reasons),
        }
        for one in candidates
    ]
    chosen = verdict.chosen
    return Stored(
        table=table_of_rows(rows, DECISION),
        contract=DECISION,
        provenance=provenance(
            plan,
            {
                "quantum_samples": samples,
                "classical_solutions": solutions,
                "attribution": attributed,
                "problem": problem_rows,
            },
            period=period,
            profile_name=made.get("profile"),
            path=verdict.path,
            maker=chosen.maker,
            reasons=reasons,
            execution_path=made.get("path"),
            finding=provenance_of(attributed).get("finding"),
        ),
        params=study_params(plan) | {"path": verdict.path, "maker": chosen.maker},
        metrics={
            "objective": chosen.objective,
            "violations": chosen.violations,
            "gap_to_best_known": _gap(asked, chosen.objective, known),
            **({} if bound is None else {"gap_to_bound": _gap(asked, chosen.objective, bound)}),
        },
        notes={"decision": _decision_told(asked, rows), "choice": _choice_table(asked, chosen.bits)},
        tags={"qa.path": verdict.path, "qa.path_reason": "; ".join(reasons)},
    )


def _candidate(asked: Problem, path: Any, maker: str, bits: Bits, **facts: Any) -> Candidate:
    row = bits[None]
    return Candidate(path, maker, bits, float(asked.objective(row)[0]), float(asked.violations(row)[0]), **facts)


def _quantum_candidates(asked: Problem, kernel: Problem, samples: pa.Table, made: Mapping[str, Any]) -> list[Candidate]:
    """The best of the repaired samples, by the same decoder as every rung of the ladder; none without samples."""
    bits, counts, violations = samples_of(samples)
    if not len(bits):
        return []
    repaired = kernel.repair(bits)
    if isinstance(kernel, ReducedProblem):
        repaired = kernel.expand(repaired)
    sign = 1.0 if asked.sense == "minimise" else -1.0
    best = int(np.argmin(np.round(sign * asked.objective(repaired), 12)))
    path, reasons = made.get("path", "quantum"), "; ".join(made.get("path_reasons", ()))
    return [
        _candidate(
            asked,
            "quantum",
            str(made.get("maker", "sampler")),
            repaired[best],
            samples=int(counts.sum()),
            feasible_share=float(counts[violations == 0].sum() / counts.sum()),
            refusal="" if path in ("quantum", "ensemble") else f"the quantum path did not answer ({reasons})",
        )
    ]


def _gap(asked: Problem, objective: float, best: float) -> float:
    """How much worse than `best`, relative to its size; 0 within rounding, negative where it is better."""
    worse = objective - best if asked.sense == "minimise" else best - objective
    gap = worse / max(abs(best), 1e-12)
    return 0.0 if abs(gap) < 1e-9 else float(gap)


def _decision_told(asked: Problem, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"| path | maker | {asked.unit} | breaks rules by | published |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['path']} | {row['maker']} | {row['objective']:.6g} | {row['violations']:g} | {row['by'] or 'no'} |"
        for row in rows
    ]
    return "\n".join(lines) + f"\n\n{rows[0]['reasons']}"


def _choice_table(asked: Problem, bits: Bits) -> str:
    lines = asked.interpret(bits)
    if not lines:
        return "nothing is chosen"
    names = list(lines[0])
    head = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(head + ["| " + " | ".join(str(line[name]) for name in names) + " |" for line in lines])
