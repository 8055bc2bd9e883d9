"""What an optimisation study makes of its samples: the control ladder, and the published decision."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.optimization_study_clock import DEADLINE, ELAPSED
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.optimization_study_rows import seen_in
from quantum_assets.components.optimization_study_steps import (
    best_energy,
    best_of,
    kernel_of,
    same_instance,
    samples_of,
    write_bits,
)
from quantum_assets.components.quantum_sampler import GENUINE
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.problem import Bits, Problem, alike_within
from quantum_assets.contracts.tables import ATTRIBUTION, DECISION
from quantum_assets.models.attribution import climb, objective_of
from quantum_assets.models.controls import control_kind
from quantum_assets.models.decision import Candidate, decide, relative_gap
from quantum_assets.models.ladder import Ladder
from quantum_assets.models.proportions import Interval
from quantum_assets.models.subspace import survey
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.markdown import MOST_LINES, table
from quantum_assets.orchestration.optimization_figures import ladder_figure
from quantum_assets.orchestration.stored import Stored, provenance_of
from quantum_assets.problems.freezing import FrozenProblem
from quantum_assets.problems.narrowing import narrowed_how, widened


def attribution(
    plan: OptimizationStudyPlan, period: str, samples: pa.Table, solutions: pa.Table, problem_rows: pa.Table
) -> Stored:
    """The control ladder: uniform rows, the sampler's own marginals, the sampler, greedy; one decoder for all.

    A fallback's samples are attributed too, and whatever is said of them says whose they are.
    """
    asked = same_instance(plan, period, problem_rows)
    inputs = {"quantum_samples": samples, "classical_solutions": solutions, "problem": problem_rows}
    made = provenance_of(samples)
    bits, counts, _ = samples_of(samples)
    if not len(bits):
        return _nothing_to_attribute(plan, inputs, made)
    kernel = kernel_of(plan, asked, str(made.get("profile", "")))
    known = best_energy(asked, best_of(solutions))
    control = control_kind(kernel.encode().ising, keeps_ones=plan.quantum.mixer != "x")
    ladder = climb(kernel, bits, counts, best_energy=known, seed=plan.quantum.seed, control=control)
    finding = _whose(made) + ladder.finding()
    inside = survey(kernel, ladder.best_known) if isinstance(kernel, FrozenProblem) else None
    return Stored(
        table=table_of_rows([dict(row) for row in ladder.rows()], ATTRIBUTION),
        contract=ATTRIBUTION,
        provenance=provenance(
            plan,
            inputs,
            profile_name=made.get("profile"),
            path=made.get("path"),
            finding=finding,
            controls=dict(ladder.names),
            quantum_step=narrowed_how(kernel),
            subspace=None if inside is None else asdict(inside),
        ),
        params=study_params(plan)
        | {"finding": finding, "control": ladder.called("product"), "profile": str(made.get("profile", ""))},
        metrics={
            f"{rung.name}/{rung.stage}/{name}": interval.value
            for rung in ladder.rungs
            for name, interval in (("optimum", rung.optimum), ("feasible", rung.feasible), ("gap", rung.gap))
            if interval is not None
        },
        figures={"ladder": ladder_figure(ladder)},
        notes={
            "what the sampler added": _ladder_told(ladder, finding),
            "in words": _whose(made) + ladder.sentence(),
            "quantum step": narrowed_how(kernel),
            **({} if inside is None else {"subspace": inside.sentence()}),
        },
        headline=("in words",),
    )


def _whose(made: Mapping[str, Any]) -> str:
    """What stands before everything that is said of samples which the profile that was asked did not make."""
    return "" if made.get("path", "quantum") in GENUINE else "of the fallback's samples: "


def _ladder_told(ladder: Ladder, finding: str) -> str:
    """The rungs as a table; a raw row has no gap, for an infeasible row has no value."""
    lines = [
        f"The sampler against the {ladder.called('product')}: **{finding.removesuffix(' from')}**.",
        "",
        f"| stage | source | P(optimum) | mean gap, {ladder.unit} | feasible |",
        "|---|---|---|---|---|",
    ]
    for rung in ladder.rungs:
        best, gap = rung.optimum, "" if rung.gap is None else _span(rung.gap)
        lines.append(
            f"| {rung.stage} | {ladder.called(rung.name)} | {_span(best)} | {gap} | {rung.feasible.value:.1%} |"
        )
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
    encoding = asked.encode()
    scale = encoding.objective_scale
    candidates = [
        classical,
        *_quantum_candidates(asked, kernel_of(plan, asked, str(made.get("profile", ""))), samples, made, scale),
    ]
    verdict = decide(candidates, plan.policy, asked.sense, scale)
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
            "gap_to_best_known": relative_gap(one.objective, known, asked.sense, scale),
            "gap_to_bound": None if bound is None else relative_gap(one.objective, bound, asked.sense, scale),
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
        params=study_params(plan)
        | {"path": verdict.path, "maker": chosen.maker, "profile": str(made.get("profile", "")), "period": period},
        metrics={
            "objective": chosen.objective,
            "violations": chosen.violations,
            "gap_to_best_known": relative_gap(chosen.objective, known, asked.sense, scale),
            **({} if bound is None else {"gap_to_bound": relative_gap(chosen.objective, bound, asked.sense, scale)}),
        },
        artifacts={"decision.json": _document(asked, plan.name, period, made, rows, provenance_of(attributed))},
        notes={
            "path": f"**{verdict.path}**: the row of {chosen.path} ({chosen.maker})",
            "reason": "\n".join(f"- {reason}" for reason in reasons) or "the first of the policy's order answered",
            "feasible": "yes" if chosen.violations == 0 else f"no: breaks rules by {chosen.violations:g}",
            **({} if bound is not None else {"bound": "no rival proved one"}),
            "paths": _paths_table(asked, rows),
            "choice": _choice_table(asked, chosen.bits),
        },
        headline=_HEADLINE,
        tags={
            "qa.path": verdict.path,
            "qa.path_reason": "; ".join(reasons),
            "qa.finding": str(provenance_of(attributed).get("finding", "")),
        },
    )


def _document(
    asked: Problem,
    study: str,
    period: str,
    made: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    attributed: Mapping[str, Any],
) -> bytes:
    """The decision as JSON, for readers outside: the published row in the user's terms, and the others beside it."""
    told = [{**_without_choice(row), "choice": json.loads(row["choice"])} for row in rows]  # the longest part last
    (published,) = [row for row in told if row["published"]]
    return json.dumps(
        {
            "study": study,
            "period": period,
            "profile": made.get("profile", ""),
            "instance": {"kind": asked.kind, "name": asked.name, "hash": asked.fingerprint},
            "sense": asked.sense,
            "unit": asked.unit,
            "execution": {"path": made.get("path", "quantum"), "reasons": list(made.get("path_reasons", ()))},
            "sampler_against_its_marginals": attributed.get("finding", ""),
            "controls": attributed.get("controls", {}),
            "decision": published,
            "others": [row for row in told if not row["published"]],
        },
        indent=1,
    ).encode()


def _without_choice(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "choice"}


def _candidate(asked: Problem, path: Any, maker: str, bits: Bits, **facts: Any) -> Candidate:
    row = bits[None]
    return Candidate(path, maker, bits, float(asked.objective(row)[0]), float(asked.violations(row)[0]), **facts)


def _quantum_candidates(
    asked: Problem, kernel: Problem, samples: pa.Table, made: Mapping[str, Any], scale: float
) -> list[Candidate]:
    """The best of the repaired samples, by the same decoder as every rung of the ladder; none without samples.

    A better row that the training loop saw on its way, through the same decoder, is published in its place and says so.
    """
    bits, counts, violations = samples_of(samples)
    if not len(bits):
        return []
    seen, where = seen_in(samples)
    decoded = kernel.repair(bits)
    repaired = widened(kernel, np.vstack([decoded, seen]) if len(seen) else decoded)
    sign = 1.0 if asked.sense == "minimise" else -1.0
    costs = sign * asked.objective(repaired)
    best = int(np.argmax(costs <= costs.min() + alike_within(scale, costs.min(), share=1e-12)))  # of equals the first
    path, reasons = made.get("path", "quantum"), "; ".join(made.get("path_reasons", ()))
    maker = str(made.get("maker", "sampler"))
    return [
        _candidate(
            asked,
            "quantum",
            maker if best < len(bits) else f"{maker}, seen {where[best - len(bits)]}",
            repaired[best],
            samples=int(counts.sum()),
            feasible_share=float(counts[violations == 0].sum() / counts.sum()),
            refusal="" if path in ("quantum", "ensemble") else f"the quantum path did not answer ({reasons})",
        )
    ]


def _paths_table(asked: Problem, rows: Sequence[Mapping[str, Any]]) -> str:
    return table(
        ("path", "maker", asked.unit, "breaks rules by", "published"),
        [
            (row["path"], row["maker"], f"{row['objective']:.6g}", f"{row['violations']:g}", row["by"] or "no")
            for row in rows
        ],
    )


def _choice_table(asked: Problem, bits: Bits) -> str:
    """The row in the user's terms; of a long table the lines whose variable is chosen come first."""
    lines = asked.interpret(bits)
    if not lines:
        return "nothing is chosen"
    of_variables = len(lines) == len(bits)
    if of_variables and len(lines) > MOST_LINES:
        lines = tuple(line for _, line in sorted(zip(bits, lines, strict=True), key=lambda pair: -int(pair[0])))
    chosen = f"Those with a 1 come first, {int(bits.sum())} in all. " if of_variables else ""
    return table(
        list(lines[0]),
        [[str(value) for value in line.values()] for line in lines],
        rest=f"{chosen}The column `choice` of the stored table has them all, and `decision.json` in MLflow.",
    )


#: What whoever looks at a decision asks first: by whom, why, is it allowed, how good is it, was it in time.
_HEADLINE = (
    *("path", "reason", "feasible", "objective", "gap_to_best_known", "gap_to_bound", "bound"),
    *(ELAPSED, DEADLINE),
)
