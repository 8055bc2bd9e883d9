"""The verbs of the execution room: answer now; or submit, take turns and collect; cancel. For a turn see `turning`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from quantum_assets.contracts.answer import Answer, Request
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.asking import Asked, InForce, ask, find, is_current
from quantum_assets.execution.assembling import assemble, is_here
from quantum_assets.execution.cost import shots_of
from quantum_assets.execution.guardrails import check_guardrails
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.turning import Turn, cancel, turn, turn_ledger, wait

__all__ = ["Turn", "answer", "answer_all", "cancel", "collect", "ended", "recall", "submit", "turn", "turn_ledger"]


def answer(plane: ControlPlane, request: Request) -> Answer:
    """Answer a request, waiting as long as it takes or until its deadline, however long others wait for the same.

    Raises:
        PlanError: If a guardrail is broken.
        ProviderError: If no path answers; its text has the last reason.
        LedgerError: If the ledger cannot be written.
    """
    return answer_all(plane, [request])[0]


def answer_all(plane: ControlPlane, requests: Sequence[Request]) -> tuple[Answer, ...]:
    """Answer several requests; workloads that share a backend travel in common orders."""
    in_force = InForce()
    return _answered(plane, [ask(plane, request, in_force=in_force) for request in _together(plane, requests)])


def submit(plane: ControlPlane, requests: Sequence[Request], *, hand_in: bool = True) -> tuple[tuple[Ticket, ...], ...]:
    """Plan requests and hand in what need not wait for company; waits for nothing.

    Args:
        plane: The control plane.
        requests: What to ask.
        hand_in: Whether to call the providers now, or leave that to a later turn.

    Returns:
        The tickets of each request; none where policy keeps it from the quantum path.
    """
    in_force = InForce()
    asked = [ask(plane, request, in_force=in_force) for request in _together(plane, requests)]
    tickets = {ticket.question: ticket for one in asked for ticket in one.tickets}
    if hand_in:
        after = turn(plane, tuple(tickets.values()), collect_results=False)
        tickets = {ticket.question: ticket for ticket in after}
    return tuple(tuple(tickets[part.question] for part in one.parts) for one in asked)


def ended(plane: ControlPlane, request: Request) -> bool:
    """Whether a request was submitted and every ticket of it has its outcome, so that collecting it waits for nothing.

    Raises:
        ProviderError: If no provider can run it and there is no fallback either.
    """
    asked = find(plane, _stamped(plane, request))
    return asked is not None and all(ticket.ended for ticket in asked.tickets)


def collect(plane: ControlPlane, request: Request) -> Answer | None:
    """The answer to a request that was submitted before; None while any of its tickets has no outcome.

    Once the deadline that it was submitted with has passed, it does without: tickets that others have more time for are
    left to them.

    Raises:
        GuardrailError: If it was never submitted, for it is larger than the profile's limits.
        ProviderError: If no path answers, or it was never submitted.
    """
    asked = find(plane, _stamped(plane, request))
    if asked is None:
        check_guardrails(request.workload, request.profile)
        raise ProviderError(request.label, "was never submitted", "Materialise the asset that submits it first")
    if _awaited(plane, asked):
        return None
    return assemble(plane, asked, _stand_in)


def recall(plane: ControlPlane, request: Request) -> Answer | None:
    """The answer that an earlier asking left behind, if all of it is still here; submits nothing and never waits.

    What the request's own run asked for is taken as it is: a run asks for all that it needs at its beginning, and a
    backend that is recalibrated meanwhile must not make it pay twice. Any other answer must be what the cache would
    give: made under the calibration and versions that are in force now.
    """
    if not request.profile.cached:
        return None
    asked = find(plane, _stamped(plane, request))
    if asked is None or not asked.tickets or any(ticket.state is not State.ACCEPTED for ticket in asked.tickets):
        return None
    usable = all(
        is_here(plane, ticket) and (_asked_by_its_run(plane, request, ticket) or is_current(plane, part, ticket))
        for part, ticket in zip(asked.parts, asked.tickets, strict=True)
    )
    return assemble(plane, asked, _stand_in) if usable else None


def _asked_by_its_run(plane: ControlPlane, request: Request, ticket: Ticket) -> bool:
    askers = plane.ledger.requests(ticket.question) if request.run_id else ()
    return any(row.run_id == request.run_id and row.generation == ticket.generation for row in askers)


def _awaited(plane: ControlPlane, asked: Asked) -> bool:
    """Whether a ticket of it has no outcome, and the deadlines that its partition asked with leave it time for one."""
    waiting = [ticket for ticket in asked.tickets if not ticket.ended]
    return bool(waiting) and not any(_is_late(plane, asked.request, ticket) for ticket in waiting)


def _is_late(plane: ControlPlane, request: Request, ticket: Ticket) -> bool:
    """By the ledger's word, which `Ledger.partitions` gives too: a run that collects asked for nothing itself."""
    mine = (ticket.generation, request.study, request.partition, request.profile.asynchronous)
    rows = [
        row
        for row in plane.ledger.requests(ticket.question)
        if (row.generation, row.study, row.partition, row.asynchronous) == mine
    ]
    now = plane.clock.now()
    return bool(rows) and all(row.deadline is not None and row.deadline <= now for row in rows)


def _until(asked: Sequence[Asked]) -> dict[str, datetime | None]:
    """By question, how long any of these requests has a use for its answer."""
    until: dict[str, datetime | None] = {}
    for one in asked:
        mine = one.request.deadline
        for question in (part.question for part in one.parts):
            others = until.get(question, mine)
            until[question] = None if mine is None or others is None else max(mine, others)
    return until


def _answered(
    plane: ControlPlane, asked: Sequence[Asked], *, path: str = "quantum", last: bool = False
) -> tuple[Answer, ...]:
    """Wait for all, and put the answers together; what is handed over need not be kept in memory."""
    ended = wait(plane, [ticket for one in asked for ticket in one.tickets], _until(asked))
    try:
        return tuple(_assembled(plane, one, ended, path, last) for one in asked)
    finally:
        for ticket in ended.values():
            plane.memory.claims.pop(ticket.id, None)


def _assembled(plane: ControlPlane, asked: Asked, ended: Mapping[str, Ticket], path: str, last: bool) -> Answer:
    """Assemble; where another process answered and took its claim along, ask once more, which the cache may answer."""
    done = replace(asked, tickets=tuple(ended[part.question] for part in asked.parts))
    if last or all(ticket.state is not State.ACCEPTED or is_here(plane, ticket) for ticket in done.tickets):
        return assemble(plane, done, _stand_in)
    return _answered(plane, [ask(plane, asked.request, path)], path=path, last=True)[0]


def _stand_in(plane: ControlPlane, request: Request) -> Answer:
    """The answer of the path that stands in for the quantum one."""
    return _answered(plane, [ask(plane, request, "classical")], path="classical")[0]


def _together(plane: ControlPlane, requests: Sequence[Request]) -> list[Request]:
    """Each stamped, and with the shots that its project asks for at once: in how many requests is no matter.

    What is asked twice is run once.
    """
    stamped, shots = [_stamped(plane, request) for request in requests], Counter[str]()
    for request in {(request.project, request.question): request for request in stamped}.values():
        shots[request.project] += shots_of(request.workload, request.profile)
    return [replace(request, asked_shots=shots[request.project]) for request in stamped]


def _stamped(plane: ControlPlane, request: Request) -> Request:
    """With a correlation id and, where the profile has one, a deadline."""
    profile, deadline = request.profile, request.deadline
    if deadline is None and profile.deadline_seconds is not None:
        deadline = plane.clock.now() + timedelta(seconds=profile.deadline_seconds)
    return replace(
        request,
        deadline=deadline,
        correlation_id=request.correlation_id or uuid4().hex,
        project=profile.project if request.project == "default" else request.project,
        priority=request.priority or profile.priority,
    )
