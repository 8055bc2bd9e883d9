"""The checker: lays a witness's books beside our ledger, to the micro, and says every difference in a sentence.

It is meant for a moment of rest: every ticket has its outcome and the control plane has nothing left to reconcile. It
believes the witness and reads our ledger by its public methods only.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from quantum_assets.contracts.ticket import question_of
from quantum_assets_tests.chaos.witness import WitnessJob


class OrderLine(Protocol):
    """What the checker reads of an order (`execution.ledger.rows.OrderRow`)."""

    @property
    def key(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def job(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def micros(self) -> int | None: ...
    @property
    def currency(self) -> str: ...


class TryLine(Protocol):
    """What the checker reads of a try (`contracts.ticket.Ticket`)."""

    @property
    def question(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def order(self) -> str: ...
    @property
    def workload_fingerprint(self) -> str: ...
    @property
    def profile_fingerprint(self) -> str: ...
    @property
    def replicate(self) -> int: ...


class Books(Protocol):
    """What the checker reads of a ledger (`execution.ledger.Ledger`)."""

    def orders(self) -> Sequence[OrderLine]: ...
    def tickets(self) -> Sequence[TryLine]: ...


def compare(
    witness_jobs: Iterable[WitnessJob],
    ledger: Books,
    providers: Collection[str] = ("remote", "paid"),
    spoiled: Collection[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """Every difference between what a vendor accepted and what our ledger says was submitted to it.

    Args:
        witness_jobs: The vendor's books: `Witness.books()` or `read_witness(url)`.
        ledger: Ours.
        providers: Names under which our ledger knows that vendor; orders to others are left out.
        spoiled: Job and question of answers that did not come as the vendor gave them (`ChaosProvider.spoiled`).

    Returns:
        One sentence a difference; empty when both agree.
    """
    jobs = tuple(witness_jobs)
    orders = {order.key: order for order in ledger.orders() if order.provider in providers}
    tickets = [ticket for ticket in ledger.tickets() if ticket.order in orders]
    return (
        *_accepted_twice(jobs),
        *_tried_twice(jobs, [ticket for ticket in tickets if orders[ticket.order].state != "released"]),
        *_tried_too_soon(jobs, tickets, spoiled),
        *_unknown_to_us(jobs, orders),
        *_unknown_to_the_witness(jobs, orders),
        *_other_questions(jobs, orders, tickets),
        *_other_amounts(jobs, orders),
    )


def _accepted_twice(jobs: Sequence[WitnessJob]) -> Iterator[str]:
    for key, times in Counter(job.key for job in jobs).items():
        if times > 1:
            yield f"order {key[:12]} was accepted {times} times"


def _tried_twice(jobs: Sequence[WitnessJob], tickets: Sequence[TryLine]) -> Iterator[str]:
    """A ticket is one try: no question may have been accepted more often than it has tickets that were submitted."""
    tries = Counter(_question(ticket) for ticket in tickets)
    for question, times in Counter(question for job in jobs for question in job.questions).items():
        if times > tries[question]:
            yield f"question {question[:12]} was accepted {times} times for {tries[question]} tries"


def _tried_too_soon(
    jobs: Sequence[WitnessJob], tickets: Sequence[TryLine], spoiled: Collection[tuple[str, str]]
) -> Iterator[str]:
    """A further try of one asking is in order only after a job that failed, or whose answer was spoiled on the way."""
    by_key, before = {job.key: job for job in jobs}, defaultdict[tuple[str, int], list[tuple[WitnessJob, str]]](list)
    for ticket in sorted(tickets, key=lambda one: one.attempt):
        job, earlier = by_key.get(ticket.order), before[ticket.question, ticket.generation]
        if job is None:
            continue
        for first, asked in earlier:  # a retry may have changed the profile, and so what the vendor is asked
            again = f"question {asked[:12]} is job {job.job[:16]} now, and its job {first.job[:16]}"
            if first.job in job.beside:
                yield f"{again} had not ended"
            elif first.state == "completed" and (first.job, asked) not in spoiled:
                yield f"{again} has its answer"
        earlier.append((job, _question(ticket)))


def _unknown_to_us(jobs: Sequence[WitnessJob], orders: dict[str, OrderLine]) -> Iterator[str]:
    for job in jobs:
        order = orders.get(job.key)
        if order is None:
            yield f"job {job.job[:16]} was accepted, and our ledger has no order {job.key[:12]}"
        elif order.state == "released":
            yield f"job {job.job[:16]} was accepted, and our ledger says that order {job.key[:12]} never was"


def _unknown_to_the_witness(jobs: Sequence[WitnessJob], orders: dict[str, OrderLine]) -> Iterator[str]:
    known = defaultdict[str, set[str]](set)
    for job in jobs:
        known[job.key].add(job.job)
    for key, order in orders.items():
        if key not in known:
            if order.state != "released":
                yield f"order {key[:12]} is {order.state} in our ledger, and was never accepted"
        elif order.job and order.job not in known[key]:
            yield f"order {key[:12]} is job {order.job[:16]} in our ledger, and no such job was accepted"


def _other_questions(
    jobs: Sequence[WitnessJob], orders: dict[str, OrderLine], tickets: Sequence[TryLine]
) -> Iterator[str]:
    ours = defaultdict[str, Counter[str]](Counter)
    for ticket in tickets:
        ours[ticket.order][_question(ticket)] += 1
    for job in jobs:
        if job.key in orders and Counter(job.questions) != ours[job.key]:
            theirs, own = len(job.questions), ours[job.key].total()
            yield f"order {job.key[:12]} holds {theirs} workloads that are not those of its {own} tickets"


def _other_amounts(jobs: Sequence[WitnessJob], orders: dict[str, OrderLine]) -> Iterator[str]:
    """Order by order, then the sums, which also show what has no partner."""
    billed: dict[str, int] = defaultdict(int)
    for job in jobs:
        billed[job.key] += job.micros
        order = orders.get(job.key)
        if order is not None and order.currency != job.currency:
            yield f"order {job.key[:12]} is billed in {job.currency} and booked in {order.currency}"
    for key in billed.keys() & orders.keys():
        micros = orders[key].micros
        if micros is None and orders[key].state != "released":
            yield f"order {key[:12]} is billed {billed[key]} micros and is not settled"
        elif micros is not None and micros != billed[key]:
            yield f"order {key[:12]} is billed {billed[key]} micros and settled with {micros}"
    theirs, ours = sum(billed.values()), sum(order.micros or 0 for order in orders.values())
    if theirs != ours:
        yield f"the witness billed {theirs} micros in all and our ledger settled {ours}"


def _question(ticket: TryLine) -> str:
    return question_of(ticket.workload_fingerprint, ticket.profile_fingerprint, ticket.replicate)
