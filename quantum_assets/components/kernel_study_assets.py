"""The asset graph of a kernel study: names, edges, partitions, words; what a step computes is elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import dagster as dg
import pyarrow as pa

from quantum_assets.components import kernel_study_comparison as comparison
from quantum_assets.components import kernel_study_jobs as jobs
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components import kernel_study_modes as side_by_side
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.contracts.errors import PlanError, ProviderError, QuantumAssetsError, UnderWay
from quantum_assets.execution.redact import leaks, redact
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.automation import on_changed_content
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom
from quantum_assets.orchestration.io_manager import STORAGE_KEY, StoreIOManager
from quantum_assets.orchestration.partitions import ONE_PARTITION_A_RUN
from quantum_assets.orchestration.stored import Stored, materialized

Result = dg.MaterializeResult[Stored]
Declaration = Callable[[Callable[..., Result | Iterator[Result]]], dg.AssetsDefinition]


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
    """The ten assets of one study; dataset, features, classical kernels and modes are unpartitioned."""
    declare = _declarations(plan, look, partitions)
    about = f"{look.description}\n\n" if look.description else ""

    @declare({"parquet"}, about + _DATASET, partitioned=False)
    def dataset() -> Result:
        return _step(lambda: matrices.dataset(plan))

    @declare({"parquet", "sklearn"}, _FEATURES, "dataset", partitioned=False)
    def features(dataset: pa.Table) -> Result:
        return _step(lambda: matrices.features(plan, dataset))

    @declare({"parquet", "qiskit"}, _QUANTUM_JOBS, "dataset", "features", runs=True)
    def quantum_jobs(context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table) -> Result:
        return _step(lambda: jobs.quantum_jobs(plan, context.partition_key, dataset, features, _session(plan, context)))

    @declare(
        {"parquet", "qiskit", "mlflow"}, _QUANTUM_KERNEL, "dataset", "features", "quantum_jobs", runs=True, waits=True
    )
    def quantum_kernel(
        context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table, quantum_jobs: pa.Table
    ) -> Iterator[Result]:
        try:
            yield _step(
                lambda: matrices.quantum_kernel(
                    plan, context.partition_key, dataset, features, quantum_jobs, _session(plan, context)
                )
            )
        except UnderWay as patience:
            context.log.info(f"{patience} No run slot is held meanwhile.")

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

    @declare({"parquet", "qiskit", "sklearn", "mlflow"}, _EVALUATION, "dataset", "features", "diagnostics", runs=True)
    def evaluation(
        context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table, diagnostics: pa.Table
    ) -> Result:
        return _step(
            lambda: comparison.evaluation(
                plan,
                context.partition_key,
                dataset,
                features,
                diagnostics,
                _session(plan, context),
                on_progress=context.log.info,
            )
        )

    @declare({"parquet", "mlflow"}, _VERDICT, "evaluation", "diagnostics")
    def verdict(context: dg.AssetExecutionContext, evaluation: pa.Table, diagnostics: pa.Table) -> Result:
        return _step(lambda: comparison.verdict(plan, context.partition_key, evaluation, diagnostics))

    @declare({"parquet", "sklearn", "mlflow"}, _MODEL, "dataset", "quantum_kernel")
    def kernel_model(context: dg.AssetExecutionContext, dataset: pa.Table, quantum_kernel: pa.Table) -> Result:
        return _step(lambda: comparison.kernel_model(plan, context.partition_key, dataset, quantum_kernel))

    @declare(
        {"parquet", "numpy", "mlflow"},
        _MODES,
        "dataset",
        "features",
        partitioned=False,
        runs=True,
        after=("quantum_kernel", "verdict"),
    )
    def modes(context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table) -> Result:
        found = _modes_so_far(plan, getattr(context.resources, STORAGE_KEY))
        return _step(lambda: side_by_side.modes(plan, found, dataset, features, _session(plan, context)))

    return [
        dataset,
        features,
        quantum_jobs,
        quantum_kernel,
        classical_kernels,
        diagnostics,
        evaluation,
        verdict,
        kernel_model,
        modes,
    ]


def _declarations(
    plan: KernelStudyPlan, look: StudyLook, partitions: dg.StaticPartitionsDefinition
) -> Callable[..., Declaration]:
    """What every asset of a study has in common."""

    def declare(
        kinds: set[str],
        about: str,
        *upstream: str,
        partitioned: bool = True,
        runs: bool = False,
        waits: bool = False,
        after: Sequence[str] = (),
    ) -> Declaration:
        return dg.asset(
            key_prefix=plan.name,
            ins={name: dg.AssetIn([plan.name, name]) for name in upstream},
            deps=[dg.AssetKey([plan.name, name]) for name in after],
            description=about,
            group_name=plan.name,
            owners=[look.owner] if look.owner else None,
            tags={"quantum_assets/kind": "kernel_study", **look.tags},
            kinds=kinds,
            code_version=look.code_version,
            automation_condition=None if after else on_changed_content(),
            metadata={"study": plan.name, "question": plan.fingerprint, "folder": str(plan.base)},
            partitions_def=partitions if partitioned else None,
            backfill_policy=ONE_PARTITION_A_RUN if partitioned else None,
            io_manager_key=STORAGE_KEY,
            required_resource_keys={EXECUTION_KEY, STORAGE_KEY} if runs else None,
            output_required=not waits,
        )

    return declare


def _modes_so_far(plan: KernelStudyPlan, storage: StoreIOManager) -> dict[str, side_by_side.ModeTables]:
    """The newest matrix and verdict of every profile that was materialised."""
    found = {}
    for name in plan.profiles:
        kernel = storage.newest((plan.name, "quantum_kernel"), name)
        if kernel is not None:
            found[name] = side_by_side.ModeTables(kernel, storage.newest((plan.name, "verdict"), name))
    return found


def _session(plan: KernelStudyPlan, context: dg.AssetExecutionContext) -> Session:
    """This step's way into the execution room, in the study's name; the run's id is the correlation id."""
    room: ExecutionRoom = getattr(context.resources, EXECUTION_KEY)
    partition = context.partition_key if context.has_partition_key else ""
    return room.session(plan.name, partition, context.run_id)


def _step(body: Callable[[], Stored]) -> Result:
    """Run one step and speak Dagster: our errors become failures with culprit, problem and mend as metadata.

    This is the border to Dagster's log, which keeps whole chains of exceptions: one with a secret in it stays behind.
    Only a provider that says that trying again may help is worth a retry; everything else fails the same way twice.
    """
    started_at = int(time.time() * 1000)
    try:
        return materialized(replace(body(), started_at=started_at))
    except UnderWay:
        raise
    except Exception as exc:
        secret = leaks(exc)
        if not secret and not isinstance(exc, QuantumAssetsError):
            raise
        raise _told(exc) from (None if secret else exc)


def _told(error: Exception) -> Exception:
    """What Dagster is told of a failure."""
    if not isinstance(error, QuantumAssetsError):
        return dg.Failure(redact(f"{type(error).__name__}: {error}"), metadata={"kind": type(error).__name__})
    if isinstance(error, ProviderError) and error.retry:
        return dg.RetryRequested(max_retries=2, seconds_to_wait=5)
    words = {name: redact(getattr(error, name)) for name in ("culprit", "problem", "mend")}
    return dg.Failure(
        description=redact(str(error)),
        metadata={**words, "kind": type(error).__name__},
        allow_retries=not isinstance(error, PlanError),
    )


_DATASET = (
    "**The rows of the study**, after validation: sample ids, labels and raw features. Missing values, text in feature "
    "columns, single classes and the like are refused here, before anything is spent."
)
_FEATURES = (
    "**Prepared columns of every split**: scaling and reduction fitted on each split's training rows alone, so that no "
    "test row ever shapes its own features. Angle of qubit i = bandwidth × `q_i`."
)
_QUANTUM_JOBS = (
    "**What the provider was asked for**: under profiles priced by the circuit, one row a matrix that this partition "
    "needs, with its tickets in the ledger. Asynchronous profiles return as soon as everything is handed in; a sensor "
    "follows the tickets and launches the rest when all have an outcome. Exact profiles submit nothing ahead."
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
_MODES = (
    "**Every profile that was run, side by side**: how far its matrix is from the exact one of the same samples and "
    "configuration, its depth, shots, path and price, and the score and verdict under it. Made anew by every run."
)
_MODEL = (
    "**The refitted classifier as plain arrays**: support vectors, dual coefficients and intercepts, no pickle; "
    "registered in MLflow with a signature and the alias `candidate`."
)
