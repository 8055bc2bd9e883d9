"""The checker is only worth something if it finds what is planted: each difference, alone, in a pair of true books."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.money import Estimate
from quantum_assets.contracts.ticket import State, question_of
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.chaos.checker import compare
from quantum_assets_tests.chaos.errors import Killed
from quantum_assets_tests.chaos.faults import Fault, Script
from quantum_assets_tests.chaos.provider import ChaosProvider
from quantum_assets_tests.chaos.witness import Witness, questions_of
from quantum_assets_tests.service.samples import order
from quantum_assets_tests.trust.honest import CIRCUITS

PAID = CIRCUITS.model_copy(update={"providers": ("paid",)})
KEYS = ("a" * 32, "b" * 32)


@dataclass(frozen=True)
class Line:
    """What the checker reads of an order."""

    key: str
    job: str
    micros: int | None
    provider: str = "paid"
    state: str = "settled"
    currency: str = "USD"


@dataclass(frozen=True)
class Try:
    """What the checker reads of a ticket."""

    order: str
    workload_fingerprint: str
    profile_fingerprint: str = PAID.fingerprint
    replicate: int = 0
    generation: int = 0
    attempt: int = 1

    @property
    def question(self):
        return self.workload_fingerprint


@dataclass
class Books:
    """A ledger that says what it is told."""

    lines: list[Line]
    tries: list[Try]

    def orders(self):
        return tuple(self.lines)

    def tickets(self):
        return tuple(self.tries)


@pytest.fixture
def pair():
    """Two orders of two and one workloads, accepted, run and settled: the witness's books and ours."""
    witness = Witness(polls=0)
    ours = Books([], [])
    for generation, (key, members) in enumerate(zip(KEYS, (2, 1), strict=True)):
        asked = order(key, members, PAID)
        job = witness.submit(asked)
        while witness.status(job).state != "completed":
            continue
        ours.lines.append(Line(key, job, witness.status(job).charge.micros))
        ours.tries.extend(Try(key, workload.fingerprint, generation=generation) for workload in asked.workloads)
    return list(witness.books()), ours


def test_true_books_agree(pair):
    assert compare(*pair) == ()


def asked_by(tried):
    return question_of(tried.workload_fingerprint, tried.profile_fingerprint, tried.replicate)


def found(pair, *sentences):
    said = compare(*pair)
    for sentence in sentences:
        assert any(sentence in one for one in said), said
    return said


def test_an_order_that_was_accepted_twice(pair):
    pair[0].append(replace(pair[0][0], job="paid-0009"))
    found(pair, "order aaaaaaaaaaaa was accepted 2 times", "was accepted 2 times for 1 tries", "is billed")


def test_a_try_that_was_submitted_twice_under_two_keys(pair):
    """Both orders are known to both sides and every amount agrees; only the tries do not."""
    jobs, ours = pair
    jobs.append(replace(jobs[1], job="paid-0009", key="c" * 32))
    ours.lines.append(replace(ours.lines[1], key="c" * 32, job="paid-0009"))
    said = found(pair, "tries", "holds 1 workloads that are not those of its 0 tickets")
    assert len(said) == 2


@pytest.fixture
def tried_again(pair):
    """The second order's question, accepted once more as the second try of the same asking; every amount agrees."""
    jobs, ours = pair
    jobs.append(replace(jobs[1], job="paid-0009", key="c" * 32))
    ours.lines.append(replace(ours.lines[1], key="c" * 32, job="paid-0009"))
    ours.tries.append(replace(ours.tries[-1], order="c" * 32, attempt=2))
    return pair


def test_a_second_try_beside_the_first(tried_again):
    tried_again[0][2] = replace(tried_again[0][2], beside=(tried_again[0][1].job,))
    assert len(found(tried_again, "is job paid-0009 now, and its job paid-0001 had not ended")) == 1


def test_a_second_try_of_what_has_its_answer(tried_again):
    assert len(found(tried_again, "is job paid-0009 now, and its job paid-0001 has its answer")) == 1


def test_a_second_try_after_a_failure_is_no_difference(tried_again):
    tried_again[0][1] = replace(tried_again[0][1], state="failed")
    assert compare(*tried_again) == ()


def test_a_second_try_after_an_answer_that_was_spoiled_is_no_difference(tried_again):
    (question,) = tried_again[0][1].questions
    assert compare(*tried_again, spoiled={("paid-0001", question)}) == ()
    assert compare(*tried_again, spoiled={("paid-0000", question)}) != ()


def test_what_a_retry_changed_is_still_the_same_asking(tried_again):
    (question,) = tried_again[0][1].questions
    changed = replace(tried_again[1].tries[-1], profile_fingerprint="e" * 64)
    tried_again[1].tries[-1] = changed
    tried_again[0][2] = replace(tried_again[0][2], questions=(asked_by(changed),))
    assert len(found(tried_again, "has its answer")) == 1
    assert compare(*tried_again, spoiled={("paid-0001", question)}) == ()


def test_another_asking_of_the_same_is_no_difference(tried_again):
    tried_again[1].tries[-1] = replace(tried_again[1].tries[-1], attempt=1, generation=2)
    assert compare(*tried_again) == ()


def test_a_job_that_our_ledger_does_not_know(pair):
    pair[1].lines.pop()
    pair[1].tries.pop()
    found(pair, "our ledger has no order bbbbbbbbbbbb", "in all")


def test_an_order_that_we_believe_was_never_accepted(pair):
    pair[1].lines[1] = replace(pair[1].lines[1], state="released", micros=None, job="")
    found(pair, "our ledger says that order bbbbbbbbbbbb never was", "in all")


def test_an_order_that_the_witness_does_not_know(pair):
    del pair[0][1]
    found(pair, "order bbbbbbbbbbbb is settled in our ledger, and was never accepted", "in all")


def test_a_released_order_that_was_never_accepted_is_no_difference(pair):
    pair[1].lines.append(replace(pair[1].lines[0], key="d" * 32, state="released", micros=None, job=""))
    assert compare(*pair) == ()


def test_another_job_id(pair):
    pair[1].lines[0] = replace(pair[1].lines[0], job="paid-0077")
    assert found(pair, "is job paid-0077 in our ledger") == compare(*pair)
    assert len(compare(*pair)) == 1


@pytest.mark.parametrize("error", [1, -1])
def test_a_charge_that_is_off_by_one_millionth(pair, error):
    pair[1].lines[0] = replace(pair[1].lines[0], micros=pair[1].lines[0].micros + error)
    assert len(found(pair, "and settled with", "in all")) == 2


def test_two_charges_whose_errors_cancel(pair):
    for at, error in ((0, 5), (1, -5)):
        pair[1].lines[at] = replace(pair[1].lines[at], micros=pair[1].lines[at].micros + error)
    said = compare(*pair)
    assert len(said) == 2
    assert not any("in all" in one for one in said)


def test_a_charge_in_another_currency(pair):
    pair[1].lines[0] = replace(pair[1].lines[0], currency="EUR")
    found(pair, "is billed in USD and booked in EUR")


def test_an_order_that_was_not_settled(pair):
    pair[1].lines[0] = replace(pair[1].lines[0], state="open", micros=None)
    found(pair, "and is not settled", "in all")


def test_an_order_that_holds_other_questions(pair):
    pair[1].tries[1] = replace(pair[1].tries[1], replicate=1)
    found(pair, "for 0 tries", "order aaaaaaaaaaaa holds 2 workloads")


def test_orders_to_others_are_left_out(pair):
    pair[1].lines.append(replace(pair[1].lines[0], key="e" * 32, provider="aer", job="x"))
    assert compare(*pair) == ()
    assert compare(*pair, providers=("aer",)) != ()


class ByHand:
    """The shortest control plane there is, over the real ledger: window, submit, record, settle."""

    def __init__(self, provider):
        self.ledger = Ledger("sqlite://")
        self.provider = provider
        self.asked = order(KEYS[0], 2, PAID)

    def window(self, key=KEYS[0]):
        price = self.provider.inner.prices.of(self.asked)
        shares = [price - price // 2, price // 2]
        estimates = [Estimate(**ESTIMATE, micros=share) for share in shares]
        tickets = [self.ledger.ask(Request(workload, PAID))[0] for workload in self.asked.workloads]
        tickets = [ticket for ticket in tickets if ticket.state == State.PLANNED]
        limits = {"owner": "me", "estimates": estimates, "limit_micros": None}
        return self.ledger.open_window(tickets, order_key=key, provider="paid", backend="", **limits)

    def finish(self, job, key=KEYS[0]):
        self.ledger.name_job(key, job)
        while (status := self.provider.status(job)).charge is None:
            continue
        self.ledger.settle(key, status.charge)


ESTIMATE = {
    "provider": "paid", "backend": "", "kind": "simulator", "currency": "USD", "shots": 1, "circuits": 1,
    "price_version": date(2026, 11, 22),
}  # fmt: skip


def test_the_real_ledger_and_the_witness_agree_after_a_lost_answer_that_was_looked_up():
    plane = ByHand(ChaosProvider(Witness(), Script([Fault("submit", "lose")])))
    plane.window()
    with pytest.raises(Exception, match="disconnected"):
        plane.provider.submit(plane.asked)
    assert "is not settled" in " ".join(compare(plane.provider.inner.books(), plane.ledger))
    plane.finish(plane.provider.find(plane.asked))
    assert compare(plane.provider.inner.books(), plane.ledger) == ()


def test_a_blind_resubmission_after_a_death_is_found():
    """Idempotency off, no look-up: what the checker is for."""
    plane = ByHand(ChaosProvider(Witness(same_key_same_job=False), Script([Fault("submit", "die_after")])))
    plane.window()
    with pytest.raises(Killed):
        plane.provider.submit(plane.asked)
    plane.finish(plane.provider.submit(plane.asked))
    said = compare(plane.provider.inner.books(), plane.ledger)
    assert any("was accepted 2 times" in one for one in said)
    assert any("the witness billed" in one for one in said)


def test_a_blind_resubmission_under_another_key_is_found():
    plane = ByHand(ChaosProvider(Witness(), Script([Fault("submit", "die_after")])))
    tickets = plane.window()
    with pytest.raises(Killed):
        plane.provider.submit(plane.asked)
    plane.ledger.release(KEYS[0])  # believed, and not proved
    for ticket in tickets:
        plane.ledger.move(ticket, State.PLANNED, "thought to be lost")
    plane.window(KEYS[1])
    plane.finish(plane.provider.submit(replace(plane.asked, key=KEYS[1])), KEYS[1])
    said = compare(plane.provider.inner.books(), plane.ledger)
    assert any("never was" in one for one in said)
    assert sum("for 1 tries" in one for one in said) == 2
    assert questions_of(plane.asked) == questions_of(replace(plane.asked, key=KEYS[1]))
