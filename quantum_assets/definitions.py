"""Dagster's entry: the studies found under `defs`, with the concrete resources; the one place that names them.

Nothing heavy is imported here: a code location must load fast, and a step pays only for what it uses.
"""

import os
from pathlib import Path

import dagster as dg

from quantum_assets.contracts.redact import redact
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom
from quantum_assets.orchestration.io_manager import STORAGE_KEY, StoreIOManager
from quantum_assets.orchestration.platform import build_platform
from quantum_assets.orchestration.reconcile import reconcile_sensor
from quantum_assets.orchestration.tickets import build_cancel_sensor, build_tickets_sensor, collecting_jobs
from quantum_assets.store.home import locate_home

DEFS = Path(__file__).parent / "defs"
LEDGER_VARIABLE = "QUANTUM_ASSETS_LEDGER_URL"
TRACKING_VARIABLE = "QUANTUM_ASSETS_TRACKING_URI"


def storage(home: Path | None = None) -> StoreIOManager:
    """The store and tracking of a home, with links as the environment says; nothing is opened yet.

    MLflow's URI stays a name, as the ledger's URL does.
    """
    return StoreIOManager(
        home=str(home or locate_home(None)),
        tracking_uri=_named(TRACKING_VARIABLE),
        mlflow_url=redact(os.environ.get("QUANTUM_ASSETS_MLFLOW_URL", "http://127.0.0.1:5000")),
        dagster_url=redact(os.environ.get("QUANTUM_ASSETS_DAGSTER_URL", "http://127.0.0.1:3000")),
    )


def execution(home: Path | None = None) -> ExecutionRoom:
    """The execution room of a home, with the shipped profiles and budgets; nothing is opened yet.

    The ledger's URL stays a name of the environment variable wherever Dagster shows a configuration: it may hold a
    password.
    """
    return ExecutionRoom(
        home=str(home or locate_home(None)),
        ledger_url=_named(LEDGER_VARIABLE),
        profiles_file=str(DEFS / "profiles.yaml"),
        budgets_file=str(DEFS / "budgets.yaml"),
    )


def _named(variable: str) -> str:
    """The variable as Dagster is to know it: by its name; nothing where it is not set."""
    return dg.EnvVar(variable) if os.environ.get(variable) else ""


def build_defs(home: Path | None = None) -> dg.Definitions:
    """Every study and the platform's own assets, with their resources.

    `home` says where the store is (None: as `locate_home` finds it).

    Steps of one run share one process: a study is a chain, and a spawned process would cost each of its steps seconds
    of imports. Runs are processes of their own.

    Raises:
        QuantumAssetsError: For a study that cannot work, as one sentence that names it.
    """
    found = _studies()
    tick = int(os.environ.get("QUANTUM_ASSETS_TICK_SECONDS", "30"))
    automation = dg.AutomationConditionSensorDefinition(
        "changed_content",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes existing partitions whose inputs changed in content and passed their checks.",
    )
    shared = dg.Definitions(
        resources={STORAGE_KEY: storage(home), EXECUTION_KEY: execution(home)},
        sensors=[
            automation,
            reconcile_sensor,
            build_tickets_sensor(collecting_jobs(found), interval_seconds=tick),
            build_cancel_sensor(),
        ],
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(found, build_platform(), shared)


def _studies() -> dg.Definitions:
    """What the defs folder holds; Dagster tells of a mistake with the tree of all components and both stacks."""
    try:
        found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    except Exception as error:
        from quantum_assets.components.study_check import explained

        told = explained(error, DEFS)
        if told is None:
            raise
        raise told from error
    _check_names(found)
    return found


def _check_names(found: dg.Definitions) -> None:
    """Refuse two studies of one name."""
    specs = [spec for one in found.assets or () if isinstance(one, dg.AssetsDefinition) for spec in one.specs]
    homes = {(str(s.metadata["study"]), Path(str(s.metadata["folder"]))) for s in specs if "folder" in s.metadata}
    if len(homes) != len({study for study, _ in homes}):
        from quantum_assets.components.study_check import repeated_names

        raise repeated_names(sorted(homes))[0]


@dg.definitions
def defs() -> dg.Definitions:
    """The code location that `workspace.yaml` names."""
    return build_defs()
