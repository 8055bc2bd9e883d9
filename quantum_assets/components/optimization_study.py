"""`OptimizationStudy`: a feasible decision for every partition, and proof of what the quantum step added."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import dagster as dg
from pydantic import Field

from quantum_assets.components.optimization_study_assets import study_assets
from quantum_assets.components.optimization_study_checks import study_checks
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_scaffold import OptimizationStudyScaffolder
from quantum_assets.components.study_look import StudyLook
from quantum_assets.components.yaml_values import (
    ClassicalYaml,
    PeriodsYaml,
    PolicyYaml,
    ProblemYaml,
    QuantumYaml,
    YamlValue,
)
from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.partitions import (
    PERIOD,
    dimensions_of,
    period_and_profile,
    period_partitions,
    profile_partitions,
)
from quantum_assets.orchestration.profiles import FILE_NAME, choose_profiles, read_profiles
from quantum_assets.orchestration.tickets import COLLECT_TAG, collect_job_name

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

_AFTER_A_CRASH = {"dagster/max_retries": "2"}

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


@dg.scaffold_with(OptimizationStudyScaffolder)
class OptimizationStudy(dg.Component, dg.Model, YamlValue):
    """Decide an optimisation problem for every period, by classical rivals and by a quantum sampler, and say why.

    Assets, under the study's name: `problem` → `classical_solutions`, `quantum_jobs` → `quantum_samples` →
    `attribution` → `decision` → `modes`, and `outcome` where there are periods. What depends on how circuits are run is
    partitioned by execution profile, what depends on the month by period.
    """

    problem: ProblemYaml = Field(description="Which instance.")
    periods: PeriodsYaml | None = Field(None, description="First and last month, for a portfolio.")
    quantum: QuantumYaml = Field(QuantumYaml(), description="Circuit family, angles, training, samples.")
    classical: ClassicalYaml = Field(ClassicalYaml(), description="Budget of the rivals.")
    policy: PolicyYaml = Field(PolicyYaml(), description="Which path is published.")
    profiles: list[str] = Field(["ideal", "sampled"], description="Names from profiles.yaml.")
    name: Name | None = Field(None, description="Key prefix; the folder's name when left out.")
    description: str = Field("", description="What the study decides; shown in the UI.")
    owner: str | None = Field(None, description="team:name or an e-mail address.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of every asset of the study.")
    schedule: str | None = Field(
        "0 4 1 * *", description="Cron expression of the schedule; it is off until switched on."
    )
    code_version: str = Field("v1", description="Raise it when the study should be seen as out of date.")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Everything a study is to Dagster; reads `profiles.yaml` and nothing else.

        Raises:
            PlanError: For anything in the YAML that cannot work, before a run exists.
        """
        folder = Path(context.path)
        plan = self.plan(folder, Path(context.defs_module_path) / FILE_NAME)
        look = StudyLook(self.description, self.owner, self.tags, self.code_version)
        profiles = profile_partitions(plan.name, self.profiles)
        by_period = None if plan.periods is None else period_partitions(plan.periods.keys)
        by_both: dg.PartitionsDefinition[str] = (
            profiles if by_period is None else period_and_profile(by_period, profiles)
        )
        tags = {"quantum_assets/study": plan.name, **_AFTER_A_CRASH}
        keys = {name: dg.AssetKey([plan.name, name]) for name in _STEPS}
        prepares = [keys["problem"], keys["classical_solutions"]]
        decides = [keys[name] for name in ("quantum_jobs", "quantum_samples", "attribution", "decision")]
        compares = [keys["modes"]]
        after = compares if by_period is None else []  # a run is about one partition: months are compared in their own
        whole = [*prepares, *decides, *after] if by_period is None else decides
        jobs = [
            dg.define_asset_job(
                f"{plan.name}_job",
                selection=dg.AssetSelection.assets(*whole),
                partitions_def=by_both,
                description=f"Decide {plan.name} for one partition.",
                tags=tags,
            ),
            dg.define_asset_job(
                collect_job_name(plan.name),
                selection=dg.AssetSelection.assets(*decides[1:], *after),
                partitions_def=by_both,
                description=f"Collect the samples of one partition of {plan.name} and decide; the sensor starts it.",
                tags=tags,
            ),
        ]
        if by_period is not None:
            jobs += [
                dg.define_asset_job(
                    f"{plan.name}_problem_job",
                    selection=dg.AssetSelection.assets(*prepares),
                    partitions_def=by_period,
                    description=f"The instance of one period of {plan.name}, and its classical rivals.",
                    tags=tags,
                ),
                dg.define_asset_job(
                    f"{plan.name}_outcome_job",
                    selection=dg.AssetSelection.assets(dg.AssetKey([plan.name, "outcome"])),
                    partitions_def=by_period,
                    description=f"What the decisions of one period of {plan.name} were worth.",
                    tags=tags,
                ),
                dg.define_asset_job(
                    f"{plan.name}_modes_job",
                    selection=dg.AssetSelection.assets(*compares),
                    partitions_def=by_period,
                    description=f"One period of {plan.name} under every profile that decided it, side by side.",
                    tags=tags,
                ),
            ]
        first = f"{plan.name}_job" if by_period is None else f"{plan.name}_problem_job"
        return dg.Definitions(
            assets=study_assets(plan, look, by_period, by_both),
            asset_checks=study_checks(plan, by_period, by_both),
            jobs=jobs,
            schedules=[_schedule(plan, first, self.schedule)] if self.schedule else [],
            sensors=[] if by_period is None else [_decide_after(plan, jobs), _compare_after(plan, jobs)],
        )

    def plan(self, folder: Path, profiles_file: Path) -> OptimizationStudyPlan:
        """The study as a value, with its profiles resolved; `folder` is where relative paths start."""
        name = self.name or folder.name
        available, loop = read_profiles(profiles_file), self.quantum.loop.profile
        if loop is not None and loop not in available:
            raise PlanError(
                f"study {name}: quantum.loop.profile",
                f"{loop} is not defined",
                f"Choose from {', '.join(available)}, or add it to {FILE_NAME}",
            )
        return OptimizationStudyPlan(
            name=name,
            base=folder,
            problem=self.problem,
            periods=self.periods,
            quantum=self.quantum,
            classical=self.classical,
            policy=self.policy,
            profiles=choose_profiles(available, tuple(self.profiles), name),
            loop_profile=None if loop is None else available[loop],
        )


_STEPS = ("problem", "classical_solutions", "quantum_jobs", "quantum_samples", "attribution", "decision", "modes")


_THEN = "quantum_assets/then"
"""Tag of a run that prepares or decides a month: what is to follow it."""


def _decide_after(plan: OptimizationStudyPlan, jobs: Sequence["UnresolvedAssetJobDefinition"]) -> dg.SensorDefinition:
    """Decides a month under every profile once its instance and rivals are there, where the schedule asked for it."""
    decides, prepares = jobs[0], jobs[2]

    @dg.run_status_sensor(
        name=f"{plan.name}_decide",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[prepares],
        request_job=decides,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Decides {plan.name} for every profile after the schedule has prepared a month.",
    )
    def decide(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
        run = context.dagster_run
        period = run.tags.get("dagster/partition", "")
        if run.tags.get(_THEN) == "decide" and period:
            for profile in plan.profiles:
                yield dg.RunRequest(
                    run_key=f"{run.run_id}:{profile}", partition_key=f"{period}|{profile}", tags={_THEN: "compare"}
                )

    return decide


def _compare_after(plan: OptimizationStudyPlan, jobs: Sequence["UnresolvedAssetJobDefinition"]) -> dg.SensorDefinition:
    """Lays a month's profiles side by side after each that the schedule asked for, or that was collected."""
    decides, collects, compares = jobs[0], jobs[1], jobs[4]

    @dg.run_status_sensor(
        name=f"{plan.name}_compare",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[decides, collects],
        request_job=compares,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Compares the modes of {plan.name} after a month was decided for the schedule, or collected.",
    )
    def compare(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
        run = context.dagster_run
        period = dimensions_of(run.tags.get("dagster/partition", "")).get(PERIOD, "")
        if period and (run.tags.get(_THEN) == "compare" or COLLECT_TAG in run.tags):
            yield dg.RunRequest(run_key=run.run_id, partition_key=period)

    return compare


def _schedule(plan: OptimizationStudyPlan, job: str, cron: str) -> dg.ScheduleDefinition:
    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        """The only instance under every profile; or the newest month's instance, which the decisions follow."""
        moment = context.scheduled_execution_time.isoformat()
        for key in plan.profiles if plan.periods is None else plan.periods.keys[-1:]:
            yield dg.RunRequest(run_key=f"{plan.name}:{key}:{moment}", partition_key=key, tags={_THEN: "decide"})

    try:
        return dg.ScheduleDefinition(
            name=f"{plan.name}_schedule",
            job_name=job,
            cron_schedule=cron,
            execution_fn=requests,
            default_status=dg.DefaultScheduleStatus.STOPPED,
            description=f"Decides {plan.name} again for every profile; unchanged content makes no new version.",
        )
    except dg.DagsterInvalidDefinitionError as exc:
        raise PlanError(
            f"study {plan.name}: schedule",
            f"{cron!r} is not a cron expression",
            "Write five fields, for example 0 4 1 * *",
        ) from exc
