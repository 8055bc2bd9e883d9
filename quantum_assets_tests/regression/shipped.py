"""The shipped studies as plans, and their chain of steps without Dagster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from quantum_assets.components import kernel_study_comparison as comparison
from quantum_assets.components import kernel_study_jobs as jobs
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.yaml_values import FeatureMapYaml, PreparationYaml, ProtocolYaml, SourceYaml
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.execution import control_plane
from quantum_assets.orchestration.stored import Stored, with_origin
from quantum_assets.store.digest import table_digest

DEFS = Path(__file__).resolve().parents[2] / "quantum_assets" / "defs"


def shipped_plan(study: str) -> KernelStudyPlan:
    """The plan that `defs/<study>/defs.yaml` makes."""
    fields: dict[str, Any] = dict(yaml.safe_load((DEFS / study / "defs.yaml").read_text())["attributes"])
    fields["source"] = SourceYaml(**fields["source"])
    fields["preparation"] = PreparationYaml(**fields["preparation"])
    fields["feature_maps"] = [FeatureMapYaml(**spec) for spec in fields["feature_maps"]]
    fields["protocol"] = ProtocolYaml(**fields["protocol"])
    return KernelStudy(**fields).plan(DEFS / study, DEFS / "profiles.yaml")


def loaded(stored: Stored) -> pa.Table:
    """What the next step would get: the table with its version and provenance."""
    return with_origin(stored.table, table_digest(stored.table, stored.contract), dict(stored.provenance))


def run_study(
    plan: KernelStudyPlan, profile: str, home: Path, on_step: Callable[[str], None] = lambda _: None
) -> dict[str, Stored]:
    """Every asset of a study, in order; `home` holds the ledger."""
    made: dict[str, Stored] = {}
    session = Session(control_plane(home, profiles=plan.profiles), plan.name, profile)

    def keep(name: str, stored: Stored) -> pa.Table:
        made[name] = stored
        on_step(name)
        return loaded(stored)

    rows = keep("dataset", matrices.dataset(plan))
    columns = keep("features", matrices.features(plan, rows))
    asked = keep("quantum_jobs", jobs.quantum_jobs(plan, profile, rows, columns, session))
    quantum = keep("quantum_kernel", matrices.quantum_kernel(plan, profile, rows, columns, asked, session))
    classical = keep("classical_kernels", matrices.classical_kernels(plan, rows, columns))
    diagnostics = keep("diagnostics", comparison.diagnostics(plan, profile, rows, quantum, classical))
    evaluation = keep("evaluation", comparison.evaluation(plan, profile, rows, columns, diagnostics, session))
    keep("verdict", comparison.verdict(plan, profile, evaluation, diagnostics))
    keep("kernel_model", comparison.kernel_model(plan, profile, rows, quantum))
    return made
