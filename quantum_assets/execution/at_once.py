"""Jobs that live in this process and cost nothing: they have ended when they are handed in.

There is nobody to look such a job up at and nothing to pay, so its result is judged before anything is written, and the
ticket's last moves (submitted, completed, accepted) are one transaction. A process that dies before it leaves a ticket
`submitting`, and the job is run again: it went with its process in any case. What was refused is written as completed
first; a job that has not ended when it was handed in is polled, as every other.
"""

from collections.abc import Sequence

from quantum_assets.contracts.errors import StaleTicket
from quantum_assets.contracts.failure import Failure
from quantum_assets.contracts.jobs import JobStatus, Order
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.ledger.rows import Move
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.receiving import Verdict, admission, conclude, verdicts
from quantum_assets.execution.window import name, still_ours, submitted


def finish(plane: ControlPlane, opened: Sequence[Ticket], order: Order, job: str) -> Sequence[Ticket]:
    """Fetch and judge what was just handed in, and write what came of it.

    Args:
        plane: The control plane.
        opened: All tickets of the order, by position; in this process's window, and in no order of the ledger.
        order: As it was handed in.
        job: What the provider named it.

    Returns:
        Each ticket accepted, or what followed its failure; without those that somebody ended meanwhile.
    """
    status = _completed(plane, opened[0], job)
    if status is None:
        return name(plane, opened, job)
    judged = dict(zip((ticket.id for ticket in opened), _judged(plane, opened, order, job), strict=True))
    try:
        now = plane.ledger.move_all(_moves(plane, opened, judged, status, job))
    except StaleTicket:
        kept = still_ours(plane, opened)
        for gone in judged.keys() - {ticket.id for ticket in kept}:
            plane.memory.claims.pop(gone, None)
        now = plane.ledger.move_all(_moves(plane, kept, judged, status, job))
    return [ticket if ticket.ended else conclude(plane, ticket, judged[ticket.id]) for ticket in now]


def _completed(plane: ControlPlane, first: Ticket, job: str) -> JobStatus | None:
    """What the provider says of a job that it completed; None for any other word, which polling makes sense of."""
    try:
        status = plane.provider(first.provider).status(job)
    except Exception:  # noqa: BLE001 - asked again by whoever polls it, who also says what that means
        return None
    return status if status.state == "completed" else None


def _judged(plane: ControlPlane, opened: Sequence[Ticket], order: Order, job: str) -> list[Verdict]:
    try:
        claims = tuple(plane.provider(opened[0].provider).fetch(job, order))
    except Exception as error:  # noqa: BLE001 - the failure policy decides what it means
        return [plane.classified(error, opened[0].provider, "fetch")] * len(opened)
    return verdicts(plane, opened, claims, whole=len(claims) == len(opened))


def _moves(
    plane: ControlPlane, tickets: Sequence[Ticket], judged: dict[str, Verdict], status: JobStatus, job: str
) -> list[Move]:
    """The way to accepted; to completed, where any claim was refused, for a failure is decided upon one by one."""
    named = submitted(tickets, job)
    why, place = status.message or status.raw, {"queue_position": status.queue_position}
    completed = [Move(move.left, State.COMPLETED, why, place) for move in named]
    accepted = []
    for move in completed:
        verdict = judged[move.ticket.id]
        if isinstance(verdict, Failure):
            return [*named, *completed]
        accepted.append((move.left, verdict))
    return [*named, *completed, *(admission(plane, ticket, claim) for ticket, claim in accepted)]
