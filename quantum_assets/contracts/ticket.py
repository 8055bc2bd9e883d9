"""The durable handle of a submitted workload: its states, the legal moves between them, and what is remembered of it.

::

    planned → submitting → submitted → queued → running → {completed, failed, cancelled, expired, unknown}
                                                        → {retried, fell_back, accepted, rejected}

`submitting` is written before the provider is called. A process that dies inside that window leaves a ticket which is
recovered by looking its key up at the provider, never by submitting blindly again. A try that comes after another is a
ticket of its own: the earlier one ends `retried` (or `rejected`, when an answer came and was refused) in the same
transaction that plans the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from quantum_assets.contracts.fingerprint import fingerprint


class State(StrEnum):
    """Where a ticket stands; the values are what the ledger stores."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    RETRIED = "retried"
    FELL_BACK = "fell_back"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


#: A ticket here has its one terminal outcome and never moves again.
OUTCOMES = frozenset({State.RETRIED, State.FELL_BACK, State.ACCEPTED, State.REJECTED})
#: The provider has (or may have) the job, and time will tell.
AT_PROVIDER = frozenset({State.SUBMITTED, State.QUEUED, State.RUNNING, State.UNKNOWN})

_ENDS = (State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED, State.UNKNOWN)
_GIVEN_UP = (State.RETRIED, State.FELL_BACK, State.REJECTED)

#: Every legal move. The ledger stores this table and refers to it by foreign key: an illegal move cannot be written.
LEGAL: Mapping[State, frozenset[State]] = {
    # completed: the answer was in the cache, or an earlier ticket's answer serves
    State.PLANNED: frozenset({State.SUBMITTING, State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED}),
    # back to planned: the look-up proved that the provider never accepted it
    State.SUBMITTING: frozenset(
        {State.SUBMITTED, State.PLANNED, State.FAILED, State.CANCELLED, State.EXPIRED, State.UNKNOWN}
    ),
    State.SUBMITTED: frozenset({State.QUEUED, State.RUNNING, *_ENDS}),
    State.QUEUED: frozenset({State.RUNNING, *_ENDS}),
    State.RUNNING: frozenset({State.QUEUED, *_ENDS}),
    # the provider's word was not understood, or it lost sight of the job; it may find it again
    State.UNKNOWN: frozenset({State.SUBMITTED, State.QUEUED, State.RUNNING, *_ENDS, *_GIVEN_UP} - {State.UNKNOWN}),
    # failed: it said completed and its result says otherwise
    State.COMPLETED: frozenset({State.ACCEPTED, State.REJECTED, State.FAILED}),
    State.FAILED: frozenset(_GIVEN_UP),
    State.CANCELLED: frozenset(_GIVEN_UP),
    State.EXPIRED: frozenset(_GIVEN_UP),
    **{outcome: frozenset[State]() for outcome in OUTCOMES},
}


def question_of(workload_fingerprint: str, profile_fingerprint: str, replicate: int) -> str:
    """Identity of what is asked: the same question from two processes meets in one open ticket.

    Args:
        workload_fingerprint: `Workload.fingerprint`.
        profile_fingerprint: `ExecutionProfile.fingerprint` as asked for, before any retry changed it.
        replicate: 0, 1, …: independent repetitions of one sampled workload.
    """
    return fingerprint("question/v1", workload_fingerprint, profile_fingerprint, replicate)


@dataclass(frozen=True)
class Ticket:
    """One try at one question, as the ledger holds it.

    Attributes:
        id: Primary key, 32 hexadecimal characters.
        question: `question_of` the request; at most one ticket a question is open (has no outcome) at any time.
        generation: 0, 1, …: which asking of that question; a new one starts after the last ended.
        attempt: 1, 2, …: which try of that generation.
        state: Where it stands.
        version: Raised by every move; a move names the version it saw, so that two processes cannot both make it.
        workload_fingerprint: What is asked.
        profile: The profile as this try runs it, JSON; a retry may have changed it.
        profile_fingerprint: Of that profile.
        replicate: Which repetition.
        provider: Name of the provider chosen; empty while nobody chose.
        backend: Its device or simulator; empty where it has only one.
        order: Key of the order that it was submitted in; empty before, and for a free job that lives in a process.
        position: Place in that order.
        job: The provider's own id of that order; empty before it is known.
        owner: Process that is working on it (`execution.owner`); empty when nobody is.
        correlation_id: Follows the request through ledger, envelope, metadata and MLflow.
        project: Whose budget pays.
        priority: Larger goes first.
        deadline: Moment (UTC) after which the answer is of no use; None: never.
        not_before: Moment (UTC) before which it is not to be submitted, a pause after a failure; None: at once.
        modification: What a retry changed, or where a first try goes instead of the profile's own backend, one
            sentence; empty: nothing is other.
        reason: Why it is in this state, one sentence.
        queue_position: As the provider says; None when it does not.
        answer: Key of the stored envelope; empty while there is none.
        path: Which path it is a try of: quantum or classical.
        created_at: Moment (UTC) of planning.
        updated_at: Moment (UTC) of the last move.
        asked_shots: Shots of all that was asked for at once with it; 0: not written down.
    """

    id: str
    question: str
    generation: int
    attempt: int
    state: State
    version: int
    workload_fingerprint: str
    profile: str
    profile_fingerprint: str
    replicate: int
    provider: str
    backend: str
    order: str
    position: int
    job: str
    owner: str
    correlation_id: str
    project: str
    priority: int
    deadline: datetime | None
    not_before: datetime | None
    modification: str
    reason: str
    queue_position: int | None
    answer: str
    path: str
    created_at: datetime
    updated_at: datetime
    asked_shots: int = 0

    @property
    def ended(self) -> bool:
        """Whether it has its outcome."""
        return self.state in OUTCOMES


@dataclass(frozen=True)
class Transition:
    """One line of the append-only log of moves.

    Attributes:
        sequence: Order of writing; the truth about order, for clocks may step back.
        ticket: Its id.
        before: State left; None for the line that planned it.
        after: State entered.
        at: Moment (UTC) by the writer's clock.
        actor: Process, person or sensor that did it.
        reason: Why, one sentence.
        correlation_id: Of the ticket.
    """

    sequence: int
    ticket: str
    before: State | None
    after: State
    at: datetime
    actor: str
    reason: str
    correlation_id: str
