"""The asset graph of a kernel study: names, edges, partitions, words; what a step computes is elsewhere."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from quantum_assets.components import kernel_study_comparison as comparison
from quantum_assets.components import kernel_study_jobs as jobs
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components import kernel_study_modes as side_by_side
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.study_declarations import Declaration, declarations, session_of
from quantum_assets.components.study_look import StudyLook
from quantum_assets.contracts.errors import UnderWay
from quantum_assets.orchestration.io_manager import STORAGE_KEY, StoreIOManager
from quantum_assets.orchestration.steps import Result, step, step_in_turn


def study_assets(
    plan: KernelStudyPlan, look: StudyLook, partitions: dg.StaticPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """The ten assets of one study; dataset, features, classical kernels and modes are unpartitioned."""
    declare = _declarations(plan, look, partitions)
    about = f"{look.description}\n\n" if look.description else ""

    @declare({"parquet"}, about + _DATASET, partitioned=False)
    def dataset() -> Result:
        return step(lambda: matrices.dataset(plan))

    @declare({"parquet", "sklearn"}, _FEATURES, "dataset", partitioned=False)
    def features(dataset: pa.Table) -> Result:
        return step(lambda: matrices.features(plan, dataset))

    @declare({"parquet", "qiskit"}, _QUANTUM_JOBS, "dataset", "features", runs=True)
    def quantum_jobs(context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table) -> Result:
        return step(
            lambda: jobs.quantum_jobs(plan, context.partition_key, dataset, features, session_of(plan, context))
        )

    @declare(
        {"parquet", "qiskit", "mlflow"}, _QUANTUM_KERNEL, "dataset", "features", "quantum_jobs", runs=True, waits=True
    )
    def quantum_kernel(
        context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table, quantum_jobs: pa.Table
    ) -> Iterator[Result]:
        try:
            yield step(
                lambda: matrices.quantum_kernel(
                    plan, context.partition_key, dataset, features, quantum_jobs, session_of(plan, context)
                )
            )
        except UnderWay as patience:
            context.log.info(f"{patience} No run slot is held meanwhile.")

    @declare({"parquet", "numpy"}, _CLASSICAL_KERNELS, "dataset", "features", partitioned=False)
    def classical_kernels(dataset: pa.Table, features: pa.Table) -> Result:
        return step(lambda: matrices.classical_kernels(plan, dataset, features))

    @declare({"parquet", "numpy", "mlflow"}, _DIAGNOSTICS, "dataset", "quantum_kernel", "classical_kernels")
    def diagnostics(
        context: dg.AssetExecutionContext, dataset: pa.Table, quantum_kernel: pa.Table, classical_kernels: pa.Table
    ) -> Result:
        return step(
            lambda: comparison.diagnostics(plan, context.partition_key, dataset, quantum_kernel, classical_kernels)
        )

    @declare({"parquet", "qiskit", "sklearn", "mlflow"}, _EVALUATION, "dataset", "features", "diagnostics", runs=True)
    def evaluation(
        context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table, diagnostics: pa.Table
    ) -> Result:
        return step(
            lambda: comparison.evaluation(
                plan,
                context.partition_key,
                dataset,
                features,
                diagnostics,
                session_of(plan, context),
                on_progress=context.log.info,
            )
        )

    @declare({"parquet", "mlflow"}, _VERDICT, "evaluation", "diagnostics")
    def verdict(context: dg.AssetExecutionContext, evaluation: pa.Table, diagnostics: pa.Table) -> Result:
        return step(lambda: comparison.verdict(plan, context.partition_key, evaluation, diagnostics))

    @declare({"parquet", "sklearn", "mlflow"}, _MODEL, "dataset", "quantum_kernel")
    def kernel_model(context: dg.AssetExecutionContext, dataset: pa.Table, quantum_kernel: pa.Table) -> Result:
        return step(lambda: comparison.kernel_model(plan, context.partition_key, dataset, quantum_kernel))

    @declare(
        {"parquet", "numpy", "mlflow"},
        _MODES,
        "dataset",
        "features",
        partitioned=False,
        runs=True,
        after=("quantum_kernel", "verdict"),
    )
    def modes(context: dg.AssetExecutionContext, dataset: pa.Table, features: pa.Table) -> Iterator[Result]:
        storage: StoreIOManager = getattr(context.resources, STORAGE_KEY)
        yield from step_in_turn(
            storage.turn((plan.name, "modes"), ""),
            lambda: side_by_side.modes(
                plan, _modes_so_far(plan, storage), dataset, features, session_of(plan, context)
            ),
        )

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
    """Assets of a kernel study are partitioned by profile, or not at all."""
    shared = declarations(plan, look, "kernel_study")

    def declare(kinds: set[str], about: str, *upstream: str, partitioned: bool = True, **more: Any) -> Declaration:
        return shared(kinds, about, *upstream, over=partitions if partitioned else None, **more)

    return declare


def _modes_so_far(plan: KernelStudyPlan, storage: StoreIOManager) -> dict[str, side_by_side.ModeTables]:
    """The newest matrix and verdict of every profile that was materialised."""
    found = {}
    for name in plan.profiles:
        kernel = storage.newest((plan.name, "quantum_kernel"), name)
        if kernel is not None:
            found[name] = side_by_side.ModeTables(kernel, storage.newest((plan.name, "verdict"), name))
    return found


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
