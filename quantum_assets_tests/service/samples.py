"""Orders, submissions and machines that the room's tests share; small and without a simulator."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.wire import pack_order
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.service.app import submission_of
from quantum_assets.service.jobs import Submission
from quantum_assets.service.prices import Prices
from quantum_assets_tests.trust.honest import envelope_for, overlaps_workload

PRICES = Prices(per_task=300_000, per_shot=4)
SLOW = ExecutionProfile(
    name="slow",
    mode="managed",
    estimator="circuits",
    providers=("remote",),
    backend="rehearsal",
    shots=100,
    seed=7,
    asynchronous=True,
)


def order(key: str = "a" * 32, members: int = 1, profile: ExecutionProfile = SLOW) -> Order:
    """An order of different small workloads."""
    return Order(key, tuple(overlaps_workload(rows) for rows in range(2, 2 + members)), profile, correlation_id="c-1")


def submission(order: Order, token: str | None = None) -> Submission:
    return submission_of(order, pack_order(order), order.key if token is None else token, PRICES)


class TestClock:
    """Seconds that pass when they are told to."""

    __test__ = False

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class Machine(InProcessProvider):
    """Answers at once and honestly, but for the workloads (by number of rows) that are to fail."""

    name: str = "remote"
    failing: tuple[int, ...] = ()
    meanwhile: Callable[[], object] = lambda: None
    error: Exception = field(default_factory=lambda: ProviderError("machine", "broke down", "Repair it"))

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return None

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return {"machine": "1"}

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        self.meanwhile()
        if workload.n_bindings in self.failing:
            raise self.error
        return replace(envelope_for(workload, profile), calibration_digest="c" * 64)
