"""`KernelStudy`: is a quantum kernel worth anything on these data? One `defs.yaml` in, a finished asset graph out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import dagster as dg
from pydantic import Field

from quantum_assets.components.kernel_study_assets import study_assets
from quantum_assets.components.kernel_study_checks import study_checks
from quantum_assets.components.kernel_study_plan import BASELINE_NAMES, KernelStudyPlan
from quantum_assets.components.kernel_study_scaffold import KernelStudyScaffolder
from quantum_assets.components.study_look import StudyLook
from quantum_assets.components.yaml_values import FeatureMapYaml, PreparationYaml, ProtocolYaml, SourceYaml, YamlValue
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.yaml_file import read_documents
from quantum_assets.orchestration.partitions import profile_partitions
from quantum_assets.orchestration.profiles import FILE_NAME, choose_profiles, read_profiles
from quantum_assets.orchestration.tickets import collect_job_name

COLLECTS = "quantum_kernel"
"""The first asset of the collecting run."""

_FILE = "defs.yaml"
#: A run whose process died is begun again from where it failed; a step that failed for a reason is not.
_AFTER_A_CRASH = {"dagster/max_retries": "2"}

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


@dg.scaffold_with(KernelStudyScaffolder)
class KernelStudy(dg.Component, dg.Model, YamlValue):
    """Compare quantum feature kernels with classical rivals on one data set, fold by fold, and say what came out.

    Assets, under the study's name: `dataset` → `features` → `quantum_kernel`, `classical_kernels` → `diagnostics` →
    `evaluation` → `verdict`, and `kernel_model`. Those that depend on how circuits are run are partitioned by execution
    profile.
    """

    source: SourceYaml = Field(description="Where the rows come from.")
    preparation: PreparationYaml = Field(PreparationYaml(qubits=4), description="How columns become angles.")
    feature_maps: list[FeatureMapYaml] = Field(
        [FeatureMapYaml()], min_length=1, max_length=16, description="Circuit families, each with its bandwidths."
    )
    profiles: list[str] = Field(["ideal", "sampled"], description="Names from profiles.yaml: the partitions.")
    baselines: list[str] = Field(list(BASELINE_NAMES), min_length=1, description="Classical rivals.")
    protocol: ProtocolYaml = Field(ProtocolYaml(), description="Folds, tuning budget and tests.")
    name: Name | None = Field(None, description="Key prefix; the folder's name when left out.")
    description: str = Field("", description="What the study asks; shown in the UI.")
    owner: str | None = Field(None, description="team:name or an e-mail address.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of every asset of the study.")
    schedule: str | None = Field(
        "0 3 * * *", description="Cron expression of the schedule; it is off until switched on."
    )
    code_version: str = Field("v1", description="Raise it when the study should be seen as out of date.")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Everything a study is to Dagster; reads `profiles.yaml` and nothing else.

        Raises:
            PlanError: For anything in the YAML that cannot work, before a run exists.
        """
        folder = Path(context.path)
        if (folder / _FILE).is_file():  # there is none where a study is built in Python
            read_documents(folder / _FILE, "Write it", culprit=f"{folder.name}/{_FILE}")  # holds no credential
        plan = self.plan(folder, Path(context.defs_module_path) / FILE_NAME)
        look = StudyLook(self.description, self.owner, self.tags, self.code_version)
        partitions = profile_partitions(plan.name, self.profiles)
        job = dg.define_asset_job(
            f"{plan.name}_job",
            selection=dg.AssetSelection.groups(plan.name),
            partitions_def=partitions,
            description=f"Materialise the whole study {plan.name} for one profile.",
            tags={"quantum_assets/study": plan.name, **_AFTER_A_CRASH},
        )
        collect = dg.define_asset_job(
            collect_job_name(plan.name),
            selection=dg.AssetSelection.keys([plan.name, COLLECTS]).downstream(),
            partitions_def=partitions,
            description=f"Collect the answers for one profile and finish the study {plan.name}; the sensor starts it.",
            tags={"quantum_assets/study": plan.name, **_AFTER_A_CRASH},
        )
        schedules = [_schedule(plan.name, job.name, self.schedule, list(plan.profiles))] if self.schedule else []
        return dg.Definitions(
            assets=study_assets(plan, look, partitions),
            asset_checks=study_checks(plan, partitions),
            jobs=[job, collect],
            schedules=schedules,
        )

    def plan(self, folder: Path, profiles_file: Path) -> KernelStudyPlan:
        """The study as a value, with its profiles resolved; `folder` is where relative paths start."""
        name = self.name or folder.name
        return KernelStudyPlan(
            name=name,
            source=self.source,
            base=folder,
            preparation=self.preparation,
            feature_maps=tuple(self.feature_maps),
            baselines=tuple(self.baselines),
            protocol=self.protocol,
            profiles=choose_profiles(read_profiles(profiles_file), tuple(self.profiles), name),
        )


def _schedule(study: str, job: str, cron: str, profiles: list[str]) -> dg.ScheduleDefinition:
    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        moment = context.scheduled_execution_time.isoformat()
        for profile in profiles:
            yield dg.RunRequest(run_key=f"{study}:{profile}:{moment}", partition_key=profile)

    try:
        return dg.ScheduleDefinition(
            name=f"{study}_schedule",
            job_name=job,
            cron_schedule=cron,
            execution_fn=requests,
            default_status=dg.DefaultScheduleStatus.STOPPED,
            description=f"Re-materialises {study} for every profile; unchanged content makes no new version.",
        )
    except dg.DagsterInvalidDefinitionError as exc:
        raise PlanError(
            f"study {study}: schedule", f"{cron!r} is not a cron expression", "Write five fields, for example 0 3 * * *"
        ) from exc
