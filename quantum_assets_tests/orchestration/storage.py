"""The IO manager with a tracker that starts no process: records go to the outbox and stay there."""

from pathlib import Path

from quantum_assets.orchestration.io_manager import StoreIOManager
from quantum_assets.tracking.courier import Order
from quantum_assets.tracking.tracker import Tracker


def no_courier(order: Order, patience: float) -> None:
    """Say that processes cannot be started here."""
    raise OSError("no processes in this test")


class QuietStorage(StoreIOManager):
    """`StoreIOManager` whose tracker cannot start a courier."""

    def new_tracker(self) -> Tracker:
        return Tracker(Path(self.home), "sqlite:///unused.db", self.mlflow_url, start=no_courier)


def storage_without_courier(home: Path) -> QuietStorage:
    """Storage for tests below `home`."""
    return QuietStorage(home=str(home))
