"""The asset graph of a kernel study: names, edges, partitions, words; what a step computes is elsewhere."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import dagster as dg
import pyarrow as pa

from quantum_assets.components import kernel_study_comparison as comparison
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.contracts.errors import PlanError, ProviderError, QuantumAssetsError
from quantum_assets.orchestration.automation import on_changed_content
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.partitions import ONE_PARTITION_A_RUN
from quantum_assets.orchestration.stored import Stored, materialized

Result = dg.MaterializeResult[Stored]
Declaration = Callable[[Callable[..., Result]], dg.AssetsDefinition]


@dataclass(frozen=True)
class StudyLook:
    """How a study presents itself in the UI; no number depends on it, but for `code_version`."""

    description: str
    owner: str | None
    tags: Mapping[str, str]
    code_version: str


def study_assets(
    plan: KernelStudyPlan, look: StudyLook, partitions: dg.StaticPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """The eight assets of one study; dataset, features and classical kernels know no profile and are unpartitioned."""

    def declare(kinds: set[str], about: str, *upstream: str, partitioned: bool = True) -> Declaration:
        return dg.asset(
            key_prefix=plan.name,
            ins={name: dg.AssetIn([plan.name, name]) for name in upstream},
            description=about,
            group_name=plan.name,
            owners=[look.owner] if look.owner else None,
            tags={"quantum_assets/kind": "kernel_study", **look.tags},
            kinds=kinds,
            code_version=look.code_version,
            automation_condition=on_changed_content(),
            metadata={"study": plan.name, "question": plan.fingerprint, "folder": str(plan.base)},
            partitions_def=partitions if partitioned else None,
            backfill_policy=ONE_PARTITION_A_RUN if partitioned else None,
            io_manager_key=STORAGE_KEY,
        )

    about = f"{look.description}\n\n" if look.description else ""

    @declare({"parquet"}, about + _DATASET, partitioned=False)
    def dataset() -> Result:
        return _step(lambda: matrices.dataset(plan))

    @declare({"parquet", "sklearn"}, _FEATURES, "dataset", partitioned=False)
    def features(dataset: pa.Table) -> Result:
        return _step(lambda: matrices.features(plan, dataset))

    @declare({"parquet", "qiskit", "mlflow"}, _QUANTUM_KERNEL, "dataset", "features")
    def quantum_kernel(context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table) -> Result:
        return _step(lambda: matrices.quantum_kernel(plan, context.partition_key, dataset, features))

    @declare({"parquet", "numpy"}, _CLASSICAL_KERNELS, "dataset", "features", partitioned=False)
    def classical_kernels(dataset: pa.Table, features: pa.Table) -> Result:
        return _step(lambda: matrices.classical_kernels(plan, dataset, features))

    @declare({"parquet", "numpy", "mlflow"}, _DIAGNOSTICS, "dataset", "quantum_kernel", "classical_kernels")
    def diagnostics(
        context: dg.AssetExecutionContext, dataset: pa.Table, quantum_kernel: pa.Table, classical_kernels: pa.Table
    ) -> Result:
        return _step(
            lambda: comparison.diagnostics(plan, context.partition_key, dataset, quantum_kernel, classical_kernels)
        )

    @declare({"parquet", "qiskit", "sklearn", "mlflow"}, _EVALUATION, "dataset", "features", "diagnostics")
    def evaluation(
        context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table, diagnostics: pa.Table
    ) -> Result:
        return _step(
            lambda: comparison.evaluation(
                plan, context.partition_key, dataset, features, diagnostics, on_progress=context.log.info
            )
        )

    @declare({"parquet", "mlflow"}, _VERDICT, "evaluation", "diagnostics")
    def verdict(context: dg.AssetExecutionContext, evaluation: pa.Table, diagnostics: pa.Table) -> Result:
        return _step(lambda: comparison.verdict(plan, context.partition_key, evaluation, diagnostics))

    @declare({"parquet", "sklearn", "mlflow"}, _MODEL, "dataset", "quantum_kernel")
    def kernel_model(context: dg.AssetExecutionContext, dataset: pa.Table, quantum_kernel: pa.Table) -> Result:
        return _step(lambda: comparison.kernel_model(plan, context.partition_key, dataset, quantum_kernel))

    return [dataset, features, quantum_kernel, classical_kernels, diagnostics, evaluation, verdict, kernel_model]


def _step(body: Callable[[], Stored]) -> Result:
    """Run one step and speak Dagster: our errors become failures with culprit, problem and mend as metadata.

    Only a provider that says that trying again may help is worth a retry; everything else fails the same way twice.
    """
    started_at = int(time.time() * 1000)
    try:
        return materialized(replace(body(), started_at=started_at))
    except QuantumAssetsError as exc:
        if isinstance(exc, ProviderError) and exc.retry:
            raise dg.RetryRequested(max_retries=2, seconds_to_wait=5) from exc
        raise dg.Failure(
            description=str(exc),
            metadata={"culprit": exc.culprit, "problem": exc.problem, "mend": exc.mend, "kind": type(exc).__name__},
            allow_retries=not isinstance(exc, PlanError),
        ) from exc


_DATASET = (
    "**The rows of the study**, after validation: sample ids, labels and raw features. Missing values, text in feature "
    "columns, single classes and the like are refused here, before anything is spent."
)
_FEATURES = (
    "**Prepared columns of every split**: scaling and reduction fitted on each split's training rows alone, so that no "
    "test row ever shapes its own features. Angle of qubit i = bandwidth × `q_i`."
)
_QUANTUM_KERNEL = (
    "**Gram matrix of all samples** under the map and bandwidth chosen by inner cross-validation, one row a sample. "
    'Load it with `quantum_assets.load("<study>/quantum_kernel", profile="ideal")`. Every envelope behind it passed '
    "the trust boundary; the circuit (QPY, OpenQASM 3, drawing) is in MLflow."
)
_CLASSICAL_KERNELS = (
    "**The classical rivals as matrices** of the same samples: RBF, polynomial and linear kernels on the same prepared "
    "columns."
)
_DIAGNOSTICS = (
    "**What the matrices look like before anyone trains on them**: positive semi-definiteness, symmetry, concentration "
    "against the shot budget, effective rank, alignment with the labels, geometric difference to the rivals."
)
_EVALUATION = (
    "**Repeated nested cross-validation**: the same folds and the same number of configurations for every model; only "
    "outer scores are reported. One row a model and fold."
)
_VERDICT = (
    "**The answer**: the tuned quantum kernel against every rival with Nadeau-Bengio corrected tests, Holm's "
    "correction and an equivalence band, in one of three phrases, with reasons."
)
_MODEL = (
    "**The refitted classifier as plain arrays**: support vectors, dual coefficients and intercepts, no pickle; "
    "registered in MLflow with a signature and the alias `candidate`."
)
