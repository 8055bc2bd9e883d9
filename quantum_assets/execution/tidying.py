"""Housekeeping: what waits on disk for nobody goes. The cache keeps its own bounds."""

from dataclasses import dataclass

from quantum_assets.contracts.ticket import OUTCOMES, State
from quantum_assets.execution.plane import ControlPlane

_DAY_NS = 24 * 3600 * 10**9


@dataclass(frozen=True)
class Tidied:
    """How many entries went: workloads, answers, and leftovers of killed writers."""

    workloads: int
    answers: int
    leftovers: int


def tidy(plane: ControlPlane, *, workload_days: float = 7.0, answer_days: float = 90.0) -> Tidied:
    """Remove workloads that nobody will submit or settle any more, and answers that nobody has read for long.

    An answer that is asked for after it went is asked for anew. Ages are those of the files' last use.

    Args:
        plane: The control plane.
        workload_days: Age from which a workload goes that no open ticket and no open order needs.
        answer_days: Age from which an answer goes.
    """
    now_ns = int(plane.clock.now().timestamp() * 10**9)
    needed = {ticket.workload_fingerprint for ticket in plane.ledger.tickets(states=frozenset(State) - OUTCOMES)}
    for row in plane.ledger.orders(settled=False):
        needed |= {ticket.workload_fingerprint for ticket in plane.ledger.tickets(order=row.key)}
    old = now_ns - int(workload_days * _DAY_NS)
    workloads = [one.key for one in plane.spool.entries() if one.used_ns < old and one.key not in needed]
    unread = now_ns - int(answer_days * _DAY_NS)
    answers = [one.key for one in plane.answers.entries() if one.used_ns < unread]
    return Tidied(
        workloads=sum(map(plane.spool.drop, workloads)),
        answers=sum(map(plane.answers.drop, answers)),
        leftovers=plane.spool.tidy(now_ns - _DAY_NS) + plane.answers.tidy(now_ns - _DAY_NS),
    )
