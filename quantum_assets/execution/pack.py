"""Who travels together: pure functions from what waits to the orders that go now.

Nothing here knows a ledger or a provider: the same values give the same packing in any process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import BackendFact, Limits
from quantum_assets.contracts.profile import Batching

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Waiting:
    """A planned ticket, as far as packing needs it.

    Attributes:
        ticket_id: Its id.
        question: Its question.
        circuits: Pairs or bindings of its workload.
        priority: Larger goes first.
        deadline: Moment (UTC) after which the answer is of no use; None: never.
        planned_at: Moment (UTC) of planning.
        profile_fingerprint: Of the profile that this try runs.
        provider: Who is to run it.
        backend: Where; empty where the provider has only one.
        replicate: Which independent repetition; an order holds one only.
    """

    ticket_id: str
    question: str
    circuits: int
    priority: int
    deadline: datetime | None
    planned_at: datetime
    profile_fingerprint: str
    provider: str
    backend: str
    replicate: int = 0


@dataclass(frozen=True)
class Packing:
    """What becomes of what waits; everything is in exactly one of the three.

    Attributes:
        orders: What goes now, each order in the order in which its answers come back.
        hold: What still waits for company.
        stale: What must not go any more, or never can, each with its reason, one sentence.
    """

    orders: tuple[tuple[Waiting, ...], ...]
    hold: tuple[Waiting, ...]
    stale: tuple[tuple[Waiting, str], ...]


@dataclass
class _Box:
    """An order while it is filled; `refused` once something found no room in it."""

    members: list[Waiting] = field(default_factory=list)
    circuits: int = 0
    refused: bool = False

    def add(self, one: Waiting) -> None:
        """Put it at the end."""
        self.members.append(one)
        self.circuits += one.circuits


def pack(waiting: Sequence[Waiting], limits: Limits, batching: Batching, now: datetime) -> Packing:
    """Fill orders first-fit by priority, then deadline, then age, and say which go now.

    Only what shares provider, backend, profile and replicate travels together. An order goes when it is full (nothing
    more may or did fit), when its oldest member has waited `max_wait_seconds`, or when a member's deadline would pass
    before that. A clock that stepped back is no waiting as far as staleness goes, but ends the waiting for company: how
    long it really was cannot be told, and nobody is held for ever.

    Args:
        waiting: Planned tickets, in any order.
        limits: What the provider takes, for this profile.
        batching: The profile's own settings.
        now: The present moment, UTC.
    """
    stale: list[tuple[Waiting, str]] = []
    boxes: dict[tuple[object, ...], list[_Box]] = {}
    room = min(limits.max_workloads, batching.max_workloads)
    for one in sorted(waiting, key=_rank):
        reason = _fault(one, limits, batching, now)
        if reason:
            stale.append((one, reason))
        else:
            group = boxes.setdefault((one.provider, one.backend, one.profile_fingerprint, one.replicate), [])
            _box_for(one, group, room, limits.max_circuits).add(one)
    filled = sorted((box for group in boxes.values() for box in group), key=lambda box: _rank(box.members[0]))
    full = [box.refused or len(box.members) >= room or box.circuits >= limits.max_circuits for box in filled]
    goes = [done or any(_due(m, batching, now) for m in box.members) for box, done in zip(filled, full, strict=True)]
    return Packing(
        orders=tuple(tuple(box.members) for box, go in zip(filled, goes, strict=True) if go),
        hold=tuple(member for box, go in zip(filled, goes, strict=True) if not go for member in box.members),
        stale=tuple(stale),
    )


def order_key(tickets: Sequence[tuple[str, int, int]], provider: str = "", backend: str = "") -> str:
    """The idempotency key of an order: the same tries in the same order at one place are one order for ever.

    Args:
        tickets: Question, generation and attempt of every ticket, in the order of the workloads.
        provider: To whom it goes; what was proved absent at one goes to another under another key.
        backend: Which of its devices.

    Returns:
        64 hexadecimal characters.

    Raises:
        PlanError: For no tickets.
    """
    if not tickets:
        raise PlanError("order key", "is asked for no tickets", "Give at least one ticket")
    return fingerprint("order/v2", [list(ticket) for ticket in tickets], provider, backend)


def by_urgency(
    orders: Sequence[tuple[Waiting, ...]], facts: Mapping[tuple[str, str], BackendFact]
) -> tuple[tuple[Waiting, ...], ...]:
    """Orders of several places as they go out: by priority, deadline, suitability of the place, then age.

    An order counts as its first member, which is its most urgent. Of two places the one with the shorter queue is more
    suitable, then the one with the smaller error; what is not known comes last.

    Args:
        orders: As `pack` made them.
        facts: What was last heard of backends, by provider and name.
    """

    def key(order: tuple[Waiting, ...]) -> tuple[int, datetime, float, float, datetime, str]:
        priority, deadline, planned_at, ticket_id = _rank(order[0])
        known = facts.get((order[0].provider, order[0].backend))
        queue, error = (None, None) if known is None else (known.queue, known.error)
        return priority, deadline, _unknown_last(queue), _unknown_last(error), planned_at, ticket_id

    return tuple(sorted(orders, key=key))


def rank_backends(candidates: Sequence[BackendFact], width: int) -> tuple[str, ...]:
    """Names of the backends that are wide enough, the most suitable first.

    A backend's place is the sum of its places by queue and by error, so that neither figure outweighs the other by its
    unit; what is not told counts as the worst. Ties go to the shorter queue, then the smaller error, then to the one
    that was given first.

    Args:
        candidates: Backends that may be asked.
        width: Qubits that are needed.
    """
    wide = [one for one in candidates if one.n_qubits >= width]
    queue, error = _places(_unknown_last(one.queue) for one in wide), _places(_unknown_last(one.error) for one in wide)

    def place(one: BackendFact) -> tuple[float, ...]:
        waits, errs = _unknown_last(one.queue), _unknown_last(one.error)
        return queue[waits] + error[errs], waits, errs

    return tuple(one.name for one in sorted(wide, key=place))


def _rank(one: Waiting) -> tuple[int, datetime, datetime, str]:
    return -one.priority, one.deadline or _NEVER, one.planned_at, one.ticket_id


def _waited(one: Waiting, now: datetime) -> float:
    return max((now - one.planned_at).total_seconds(), 0.0)


def _fault(one: Waiting, limits: Limits, batching: Batching, now: datetime) -> str:
    """Why a ticket must not be submitted any more, or never can be; empty when it may."""
    waited = _waited(one, now)
    if one.deadline is not None and one.deadline <= now:
        return "its deadline passed before it was submitted"
    if waited >= batching.stale_seconds:
        return f"it waited {waited:.0f} s unsubmitted, and goes stale after {batching.stale_seconds:.0f} s"
    if one.circuits > limits.max_circuits:
        return f"it holds {one.circuits} circuits, and {one.provider} takes {limits.max_circuits} in one order"
    return ""


def _box_for(one: Waiting, group: list[_Box], room: int, max_circuits: int) -> _Box:
    """The first box that has room, or a new one; the boxes passed over are known to be full."""
    for box in group:
        if len(box.members) < room and box.circuits + one.circuits <= max_circuits:
            return box
        box.refused = True
    group.append(_Box())
    return group[-1]


def _due(one: Waiting, batching: Batching, now: datetime) -> bool:
    """Whether it has waited long enough, cannot say, or would miss its deadline by waiting on."""
    if one.planned_at > now or _waited(one, now) >= batching.max_wait_seconds:
        return True
    return one.deadline is not None and (one.deadline - now).total_seconds() <= batching.max_wait_seconds


def _unknown_last(figure: float | None) -> float:
    return float("inf") if figure is None else float(figure)


def _places(figures: Iterable[float]) -> dict[float, int]:
    return {figure: place for place, figure in enumerate(sorted(set(figures)))}
