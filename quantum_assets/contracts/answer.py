"""What is asked of the execution room, and what it gives back whatever happened."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from quantum_assets.contracts.envelope import Attempt, ResultEnvelope
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import question_of
from quantum_assets.contracts.workload import Workload

Path = Literal["quantum", "classical", "ensemble"]


@dataclass(frozen=True, eq=False)
class Request:
    """One question, and whose it is.

    Attributes:
        workload: What to run.
        profile: How.
        study: Whose question; with `partition`, the asset partition that waits for it.
        partition: See `study`.
        project: Whose budget pays.
        run_id: The run that asks; cancelling it cancels what only it waits for.
        replicate: Which independent repetition.
        priority: Larger goes first.
        deadline: Moment (UTC) after which the answer is of no use; None: never.
        correlation_id: Follows the request everywhere.
        asked_shots: Shots of all that is asked for at once with it, for approvals are of the whole; 0: of it alone.
    """

    workload: Workload
    profile: ExecutionProfile
    study: str = ""
    partition: str = ""
    project: str = "default"
    run_id: str = ""
    replicate: int = 0
    priority: int = 0
    deadline: datetime | None = None
    correlation_id: str = ""
    asked_shots: int = 0

    @cached_property
    def question(self) -> str:
        """Identity of the question, the same for whoever asks it."""
        return question_of(self.workload.fingerprint, self.profile.fingerprint, self.replicate)

    @property
    def label(self) -> str:
        """For messages: the workload's label, or its circuit."""
        return self.workload.label or self.workload.circuit.name


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a request.

    Attributes:
        path: Which path answered.
        reason: Why it was not the quantum path alone; empty when it was.
        profile: The profile that `envelope` answers: as asked for, as a retry changed it, or the fallback's.
        envelope: The claim, whole again if it was split; judged once already, and judged again by whoever uses it.
        classical: For path ``ensemble``: the classical member's claim, under `classical_profile`.
        classical_profile: The profile of that member.
        attempts: Every try, of every part and path, in order.
        tickets: Ids of the tickets behind it.
        cache_hit: Whether nothing was run because the answer was known.
    """

    path: Path
    reason: str
    profile: ExecutionProfile
    envelope: ResultEnvelope
    classical: ResultEnvelope | None = None
    classical_profile: ExecutionProfile | None = None
    attempts: tuple[Attempt, ...] = ()
    tickets: tuple[str, ...] = ()
    cache_hit: bool = False
