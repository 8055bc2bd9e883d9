"""How a schedule ends, and what must hold then: the matrix's one checker."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from quantum_assets.contracts.answer import Answer
from quantum_assets.contracts.envelope import Overlaps
from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.money import MICROS
from quantum_assets.contracts.ticket import OUTCOMES, State
from quantum_assets_tests.chaos.checker import compare
from quantum_assets_tests.faults.world import Asking, World, judge
from quantum_assets_tests.trust.honest import honest_overlaps

_ROUNDS = 120


def come_to_rest(world: World) -> None:
    """Let time pass and processes work until every request is answered, every ticket ended and every order paid."""
    for number in range(2, len(world.processes)):
        world.restart(number)
    for number in range(_ROUNDS):
        if at_rest(world):
            return
        # The long steps outlast the largest step back of a clock: what is stale then counts from before it.
        world.clock.advance(60.0 if number < 30 else 3600.0)
        world.tick(number % 2)
        for asking in world.asked:
            if not asking.answered:
                _follow(world, number % 2, asking)


def at_rest(world: World) -> bool:
    """Whether there is nothing left to do."""
    return (
        all(asking.answered for asking in world.asked)
        and all(ticket.ended for ticket in world.ledger.tickets())
        and not world.ledger.orders(settled=False)
    )


def verdict(world: World) -> tuple[str, ...]:
    """Every invariant that does not hold, in a sentence; empty when all is well."""
    return (
        *_one_outcome(world),
        *world.ledger.check(),
        *compare(world.vendor.books(), world.ledger, ("paid",), world.chaos.spoiled),
        *_within_budget(world),
        *(sentence for asking in world.asked for sentence in _answered(asking)),
    )


def _follow(world: World, number: int, asking: Asking) -> None:
    if asking.request.profile.asynchronous and asking.handed_in:
        world.collect(number, asking)
    else:
        world.again(number, [asking])


def _one_outcome(world: World) -> Iterator[str]:
    for ticket in world.ledger.tickets():
        moves = [move.after for move in world.ledger.transitions(ticket.id)]
        ends = sum(after in OUTCOMES for after in moves)
        if ends != 1 or moves[-1] not in OUTCOMES:
            who = f"{ticket.path} ticket {ticket.id[:8]} of {ticket.provider or 'nobody'}"
            yield f"{who} has {ends} outcomes and is {ticket.state}: {ticket.reason}"


def _within_budget(world: World) -> Iterator[str]:
    limit = round(world.settings.budget * MICROS)
    months = Counter[str]()
    for line in world.ledger.spending():
        months[line.month] += line.settled + line.reserved
    for month, spent in months.items():
        if spent > limit:
            yield f"{spent} micros were spent in {month}, of {limit}"


def _answered(asking: Asking) -> Iterator[str]:
    name = f"{asking.request.profile.name} of {asking.request.workload.n_bindings} rows"
    if not asking.answered:
        yield f"request {name} was lost: neither answered nor refused"
    elif asking.error is not None and not _clear(asking.error):
        yield f"request {name} ended in {type(asking.error).__name__}: {asking.error}"
    elif asking.answer is not None:
        yield from (f"request {name}: {sentence}" for sentence in _sound(asking, asking.answer))


def _clear(error: Exception) -> bool:
    """A word about the question or about its providers; trouble with the ledger is not the asker's to have."""
    return isinstance(error, ProviderError | PlanError) and bool(str(error))


def _sound(asking: Asking, answer: Answer) -> Iterator[str]:
    asked = asking.request.workload
    if (answer.path == "quantum") is bool(answer.reason):
        yield f"its {answer.path} answer says as its reason: {answer.reason!r}"
    claims = [(answer.envelope, answer.profile), (answer.classical, answer.classical_profile)]
    for claim, profile in claims:
        if claim is None or profile is None:
            continue
        yield from judge(claim, asked, profile)
        honest = honest_overlaps(asked, profile)
        if not isinstance(claim.data, Overlaps) or not np.array_equal(claim.data.p_zero, honest.p_zero):
            yield "its answer is not what the provider honestly says"
        outcomes = [attempt.outcome for attempt in claim.attempts]
        if not outcomes or outcomes[-1] not in (State.ACCEPTED.value, "cached"):
            yield f"its answer's tries end {outcomes}"
