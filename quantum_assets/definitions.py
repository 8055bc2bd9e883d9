"""Dagster's entry: the studies found under `defs`, with the concrete resources; the one place that names them.

Nothing heavy is imported here: a code location must load fast, and a step pays only for what it uses.
"""

import os
from pathlib import Path

import dagster as dg

from quantum_assets.orchestration.io_manager import STORAGE_KEY, StoreIOManager
from quantum_assets.orchestration.reconcile import reconcile_sensor
from quantum_assets.store.home import locate_home


def storage(home: Path | None = None) -> StoreIOManager:
    """The store and tracking of a home, with links as the environment says; nothing is opened yet."""
    return StoreIOManager(
        home=str(home or locate_home(None)),
        tracking_uri=os.environ.get("QUANTUM_ASSETS_TRACKING_URI", ""),
        mlflow_url=os.environ.get("QUANTUM_ASSETS_MLFLOW_URL", "http://127.0.0.1:5000"),
        dagster_url=os.environ.get("QUANTUM_ASSETS_DAGSTER_URL", "http://127.0.0.1:3000"),
    )


def build_defs(home: Path | None = None) -> dg.Definitions:
    """Every study with its resources; `home` says where the store is (None: as `locate_home` finds it).

    Steps of one run share one process: a study is a chain, and a spawned process would cost each of its steps seconds
    of imports. Runs are processes of their own.
    """
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    automation = dg.AutomationConditionSensorDefinition(
        "changed_content",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes existing partitions whose inputs changed in content and passed their checks.",
    )
    shared = dg.Definitions(
        resources={STORAGE_KEY: storage(home)},
        sensors=[automation, reconcile_sensor],
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(found, shared)


@dg.definitions
def defs() -> dg.Definitions:
    """The code location that `workspace.yaml` names."""
    return build_defs()
