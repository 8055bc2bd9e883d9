"""What an asset step calls: keep the record now, hand back a link if it is in MLflow within the budget, never fail.

>>> tracker.warm()                    # doctest: +SKIP
>>> receipt = tracker.record(record)  # doctest: +SKIP
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.clock import REAL_CLOCK, Clock
from quantum_assets.tracking.dispatch import LINGER, Order, direct, is_alive, launch, read_state
from quantum_assets.tracking.links import run_url
from quantum_assets.tracking.outbox import Delivered, Outbox

BUDGET = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Receipt:
    """What became of a record by the time the step went on.

    Attributes:
        delivered: Whether it is in MLflow; if not, it waits in the outbox, unless `problem` says it could not be kept.
        run_id: The MLflow run.
        experiment_id: The MLflow experiment.
        url: Where the MLflow UI shows the run.
        problem: Why it is not delivered, in a sentence; None if it is.
    """

    delivered: bool
    run_id: str | None = None
    experiment_id: str | None = None
    url: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Tracker:
    """Tracking for one home; the constructor touches nothing.

    Attributes:
        home: The home; records wait in `<home>/outbox`.
        tracking_uri: Where MLflow is; see `database.local_uri`.
        ui_url: Where MLflow's UI is, for links.
        budget: Most seconds that one `record` may take for tracking; only a disk that hangs can make it longer.
        linger: Idle seconds after which a courier started here ends.
        clock: For the waiting.
        start: Starts a courier.
    """

    home: Path
    tracking_uri: str
    ui_url: str = ""
    budget: float = BUDGET
    linger: float = LINGER
    clock: Clock = REAL_CLOCK
    start: Callable[[Order, float], None] = launch

    def warm(self) -> str | None:
        """Start a courier unless one runs, so that MLflow is open when the first record comes; some 0.2 s at most 1 s.

        Returns:
            Why there is none, or None if there is. It never raises.
        """
        return self._ensure_courier(self.budget / 2)

    def record(self, record: RunRecord) -> Receipt:
        """Keep a record durably and wait for its delivery as long as the budget lasts.

        A record whose key was recorded before is not written again; the receipt of the first one is returned.

        Returns:
            The receipt. It never raises for tracking's reasons: a result that was paid for does not fail for its notes.
        """
        end = self.clock.monotonic() + self.budget
        try:
            Outbox(self._order.root).put(record)
        except Exception as error:  # noqa: BLE001  a step that computed its result must not fail for its notes
            _LOG.exception("the record %s could not be kept", record.key)
            return Receipt(False, problem=f"the record could not be kept for MLflow: {error!r}")
        problem = self._ensure_courier(min(self.budget / 2, end - self.clock.monotonic()))
        if problem:
            return Receipt(False, problem=problem)
        return self._await(record.key, end)

    @property
    def _order(self) -> Order:
        return Order(str(self.home.resolve()), self.tracking_uri, self.linger)

    def _ensure_courier(self, patience: float) -> str | None:
        try:
            if direct(self._order) or not is_alive(self._order):
                self.start(self._order, patience)
        except Exception as error:  # noqa: BLE001  the record is safe in the outbox; there is nothing to fail for
            _LOG.warning("no courier for %s: %s", self.home, error, exc_info=True)
            return f"no courier could be started ({error}); `quantum-assets sync` delivers the record"
        return None

    def _await(self, key: str, end: float) -> Receipt:
        outbox = Outbox(self._order.root)
        while True:
            delivered = outbox.receipt(key)
            if delivered:
                return self._receipt(delivered)
            state, reason = read_state(self._order)
            reason = outbox.problem(key) or (reason if state == "down" else "")
            if reason:
                return Receipt(False, problem=f"the record waits in the outbox: {reason}")
            left = end - self.clock.monotonic()
            if left <= 0:
                return Receipt(False, problem=f"not delivered within {self.budget:g} s; the courier goes on with it")
            self.clock.sleep(min(0.02, left))

    def _receipt(self, delivered: Delivered) -> Receipt:
        url = run_url(self.ui_url, delivered.experiment_id, delivered.run_id) if self.ui_url else None
        return Receipt(True, delivered.run_id, delivered.experiment_id, url)
