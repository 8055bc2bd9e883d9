"""The asset graph of an optimisation study: names, edges, partitions, words; what a step computes is elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from quantum_assets.components import optimization_study_clock as clock
from quantum_assets.components import optimization_study_decision as deciding
from quantum_assets.components import optimization_study_sampling as sampling
from quantum_assets.components import optimization_study_steps as steps
from quantum_assets.components.optimization_study_modes import ModeTables
from quantum_assets.components.optimization_study_modes import modes as modes_of
from quantum_assets.components.optimization_study_outcome import outcome as outcome_of
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.study_declarations import declarations, session_of
from quantum_assets.components.study_look import StudyLook
from quantum_assets.contracts.errors import PlanError, UnderWay
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.checkpoints import Checkpoints
from quantum_assets.orchestration.io_manager import STORAGE_KEY, StoreIOManager
from quantum_assets.orchestration.partitions import PERIOD, PROFILE, dimensions_of, partition_key_of
from quantum_assets.orchestration.steps import Result, step, step_in_turn
from quantum_assets.orchestration.stored import Stored


def study_assets(
    plan: OptimizationStudyPlan,
    look: StudyLook,
    by_period: dg.PartitionsDefinition[str] | None,
    by_both: dg.PartitionsDefinition[str],
) -> list[dg.AssetsDefinition]:
    """The eight assets of one study; `outcome` only where there are periods.

    Args:
        plan: The study.
        look: How it presents itself.
        by_period: Partitions of what no profile touches; None without periods.
        by_both: Partitions of the rest: period and profile, or the profile alone.
    """
    declare = declarations(plan, look, "optimization_study")
    about = f"{look.description}\n\n" if look.description else ""

    @declare({"parquet", "numpy"}, about + _PROBLEM, over=by_period)
    def problem(context: dg.AssetExecutionContext) -> Result:
        return step(lambda: steps.problem(plan, _key(context).get(PERIOD, "")))

    @declare({"parquet", "mlflow"}, _CLASSICAL, "problem", over=by_period)
    def classical_solutions(context: dg.AssetExecutionContext, problem: pa.Table) -> Result:
        return step(lambda: steps.classical_solutions(plan, _key(context).get(PERIOD, ""), problem))

    @declare({"parquet", "qiskit", "mlflow"}, _JOBS, "problem", over=by_both, runs=True)
    def quantum_jobs(context: dg.AssetExecutionContext, problem: pa.Table) -> Result:
        key, session = _key(context), _session(plan, context)
        guard = clock.training_in_time(session, plan.policy, _beginning(plan, context))
        return step(
            lambda: sampling.quantum_jobs(
                plan, key.get(PERIOD, ""), key[PROFILE], problem, session, _checkpoints(context), guard
            )
        )

    @declare(
        {"parquet", "qiskit", "mlflow"},
        _SAMPLES,
        *("problem", "classical_solutions", "quantum_jobs"),
        over=by_both,
        runs=True,
        waits=True,
    )
    def quantum_samples(
        context: dg.AssetExecutionContext, problem: pa.Table, classical_solutions: pa.Table, quantum_jobs: pa.Table
    ) -> Iterator[Result]:
        key = _key(context)
        try:
            yield step(
                lambda: sampling.quantum_samples(
                    plan,
                    key.get(PERIOD, ""),
                    key[PROFILE],
                    problem,
                    classical_solutions,
                    quantum_jobs,
                    _session(plan, context),
                    _checkpoints(context),
                )
            )
        except UnderWay as patience:
            context.log.info(f"{patience} No run slot is held meanwhile.")

    @declare({"parquet", "mlflow"}, _ATTRIBUTION, "quantum_samples", "classical_solutions", "problem", over=by_both)
    def attribution(
        context: dg.AssetExecutionContext, quantum_samples: pa.Table, classical_solutions: pa.Table, problem: pa.Table
    ) -> Result:
        period = _key(context).get(PERIOD, "")
        return step(lambda: deciding.attribution(plan, period, quantum_samples, classical_solutions, problem))

    @declare(
        {"parquet", "mlflow"},
        _DECISION,
        *("quantum_samples", "classical_solutions", "attribution", "problem"),
        over=by_both,
    )
    def decision(
        context: dg.AssetExecutionContext,
        quantum_samples: pa.Table,
        classical_solutions: pa.Table,
        attribution: pa.Table,
        problem: pa.Table,
    ) -> Result:
        period, beginning = _key(context).get(PERIOD, ""), _beginning(plan, context)

        def decided() -> Stored:
            made = deciding.decision(plan, period, quantum_samples, classical_solutions, attribution, problem)
            return clock.timed(made, plan.policy, beginning, datetime.now(UTC))

        return step(decided)

    @declare(
        {"parquet", "numpy", "mlflow"},
        _MODES,
        "problem",
        over=by_period,
        runs=True,
        after=("quantum_samples", "attribution", "decision"),
    )
    def modes(context: dg.AssetExecutionContext, problem: pa.Table) -> Iterator[Result]:
        period = _key(context).get(PERIOD, "")
        storage: StoreIOManager = getattr(context.resources, STORAGE_KEY)
        yield from step_in_turn(
            storage.turn((plan.name, "modes"), period),
            lambda: modes_of(plan, period, _modes_so_far(plan, storage, period), problem),
        )

    found = [problem, classical_solutions, quantum_jobs, quantum_samples, attribution, decision, modes]
    if by_period is None:
        return found

    @declare({"parquet", "mlflow"}, _OUTCOME, over=by_period, runs=True, after=("decision",))
    def outcome(context: dg.AssetExecutionContext) -> Iterator[Result]:
        storage: StoreIOManager = getattr(context.resources, STORAGE_KEY)
        yield from step_in_turn(
            storage.turn((plan.name, "outcome"), context.partition_key),
            lambda: outcome_of(plan, context.partition_key, _decisions(plan, storage, context.partition_key)),
        )

    return [*found, outcome]


def _key(context: dg.AssetExecutionContext) -> dict[str, str]:
    """The partition of this step by dimension; empty for none."""
    key = partition_key_of(context)
    return dimensions_of(key) if key else {}


def _beginning(plan: OptimizationStudyPlan, context: dg.AssetExecutionContext) -> datetime:
    return clock.began(context.instance, context.run, plan.name, partition_key_of(context))


def _session(plan: OptimizationStudyPlan, context: dg.AssetExecutionContext) -> Session:
    """This step's way into the execution room, for as long as the decision's deadline allows."""
    return clock.in_time(session_of(plan, context), plan.policy, _beginning(plan, context))


def _checkpoints(context: dg.AssetExecutionContext) -> Checkpoints:
    storage: StoreIOManager = getattr(context.resources, STORAGE_KEY)
    return Checkpoints(Path(storage.home) / "training")


def _modes_so_far(plan: OptimizationStudyPlan, storage: StoreIOManager, period: str) -> dict[str, ModeTables]:
    """The newest tables of every profile that was materialised for a period; empty for a study without periods."""
    found = {}
    for profile in plan.profiles:
        key = f"{period}|{profile}" if period else profile
        steps_of = ("quantum_jobs", "quantum_samples", "attribution", "decision")
        jobs, samples, ladder, decided = (storage.newest((plan.name, name), key) for name in steps_of)
        if jobs is not None and samples is not None:
            found[profile] = ModeTables(jobs, samples, ladder, decided)
    return found


def _decisions(
    plan: OptimizationStudyPlan, storage: StoreIOManager, period: str
) -> dict[str, tuple[pa.Table, pa.Table | None]]:
    """Decisions of a month under every profile that has one, each with that of the month before.

    Raises:
        PlanError: If nobody decided that month yet.
    """
    months = [] if plan.periods is None else list(plan.periods.keys)
    place = months.index(period)
    found: dict[str, tuple[pa.Table, Any]] = {}
    for profile in plan.profiles:
        now = storage.newest((plan.name, "decision"), f"{period}|{profile}")
        before = storage.newest((plan.name, "decision"), f"{months[place - 1]}|{profile}") if place else None
        if now is not None:
            found[profile] = (now, before)
    if not found:
        raise PlanError(
            f"outcome of {plan.name} {period}", "has no decision to judge", "Materialise the month's decision first"
        )
    return found


_PROBLEM = (
    "**The instance in numbers**: its variables and the Ising polynomial that every solver and every circuit gets, "
    "with the rule by which broken constraints are weighed, and its hash."
)
_CLASSICAL = (
    "**The rivals under one budget each**: simulated annealing, tabu, greedy descent, and solvers that prove (tree "
    "decomposition, enumeration, HiGHS), with incumbents over time and bounds. Who declined says why."
)
_JOBS = (
    "**The trained circuit**: angles with their convention, training history, and the proof that the circuit is the "
    "ansatz that was trained. Under an asynchronous profile it is handed in here, and a sensor follows it."
)
_SAMPLES = (
    "**The admitted samples**: every distinct row with its count, energy, objective and violations recomputed from its "
    "bits; the best row of every other angle table that was tried, and of the shots that judged between them; and the "
    "history of training. Where nobody answered there are no samples, and the reason is told."
)
_ATTRIBUTION = (
    "**What the quantum step added**: uniform rows, the product of the sampler's own marginals, the sampler, and "
    "greedy alone, the first three in the same sample space, all through the same decoder; with intervals and tests."
)
_DECISION = (
    "**The published decision**: which path answered, every reason, feasibility, and the gaps to the best known and to "
    "the proven bound. There is one for every partition, whatever the quantum backend did."
)
_MODES = (
    "**Every profile that was run, side by side**: how far its shots are from the exact state of the same spins and "
    "angles, its depth, path and price, what the ladder found and what was decided. Made anew by every run."
)
_OUTCOME = (
    "**What the decision was worth**: the month's return, risk and turnover of every path under every profile, beside "
    "equal weight. Prices of the month are read only here."
)
