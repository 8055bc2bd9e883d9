"""What the execution room and a provider say to each other about a job: the order, its status, what was in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload

JobState = Literal["queued", "running", "completed", "failed", "cancelled", "unknown"]


@dataclass(frozen=True, eq=False)
class Order:
    """Workloads that are submitted together, under one profile and one idempotency key.

    Attributes:
        key: Idempotency key, 32 to 64 characters of ``[0-9a-f]``: the provider's client token or job tag. The same key
            is the same order for ever.
        workloads: What to run, at least one; answers come back in this order.
        profile: How; the same for all of them.
        replicate: Which repetition of sampled workloads; samples of another one are independent.
        correlation_id: For the provider's own log, where it keeps one.
    """

    key: str
    workloads: tuple[Workload, ...]
    profile: ExecutionProfile
    replicate: int = 0
    correlation_id: str = ""

    def __post_init__(self) -> None:
        if not self.workloads:
            raise PlanError(f"order {self.key}", "holds no workload", "Give it at least one")


@dataclass(frozen=True)
class Charge:
    """Money, in millionths of the currency's unit, so that sums are exact."""

    micros: int
    currency: str = "USD"


@dataclass(frozen=True)
class JobStatus:
    """What a provider says of a job at one moment.

    Attributes:
        state: In our words; a word that is not known is ``unknown`` and never an error.
        raw: In the provider's words.
        queue_position: Jobs before it; None when not told.
        code: The provider's code of a failure; empty when it gave none.
        message: Its explanation.
        charge: What it bills, once it says so.
        seconds: Durations the provider reports, by name (``queue``, ``run``).
        circuits: How many circuits of the order it bills, where it can tell; None: all of them. Those that were never
            accepted, or were cancelled, are not among them.
    """

    state: JobState
    raw: str
    queue_position: int | None = None
    code: str = ""
    message: str = ""
    charge: Charge | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    circuits: int | None = None


@dataclass(frozen=True)
class Calibration:
    """What a backend was like when it ran: part of every cache key that depends on it.

    Attributes:
        backend: Its name.
        version: Its own version word.
        digest: sha256 of its canonical properties; another calibration has another digest.
        updated_at: The provider's own date of it, as text; empty when not told.
    """

    backend: str
    version: str
    digest: str
    updated_at: str = ""


@dataclass(frozen=True)
class BackendFact:
    """What is known of a backend at one moment.

    Attributes:
        name: As profiles name it.
        n_qubits: Its width.
        queue: Jobs before one's own; None: not told.
        error: Typical error of a two-qubit gate, 0 to 1; None: not told.
    """

    name: str
    n_qubits: int
    queue: int | None = None
    error: float | None = None


@dataclass(frozen=True)
class Limits:
    """What a provider takes and promises, for one profile.

    Attributes:
        max_circuits: Circuits (pairs or bindings) in one order; a larger workload is split.
        max_workloads: Workloads in one order.
        max_shots: Shots a circuit; None: no limit.
        durable: Whether a job outlives the process that submitted it, so that it can be reattached.
        same_key_same_job: Whether submitting one key twice is promised to make one job. Where it is not, a look-up must
            prove that the first was never accepted.
        settle_seconds: How long after a submission a look-up may still miss it.
        poll_seconds: How often asking for a status makes sense.
        hardware: Whether a quantum device runs it; budgets keep the two kinds apart.
        bills: Whether its status tells what an ended job costs. A word that a job ended which comes without a charge is
            then not believed as far as money goes.
        meters: Whether what it bills is the ``run`` time of its status, which it may tell only some while after the
            job ended. Until then nobody knows what the job costs, not even one that was cancelled.
    """

    max_circuits: int = 1_000_000_000
    max_workloads: int = 1
    max_shots: int | None = None
    durable: bool = False
    same_key_same_job: bool = False
    settle_seconds: float = 0.0
    poll_seconds: float = 0.0
    hardware: bool = False
    bills: bool = False
    meters: bool = False
