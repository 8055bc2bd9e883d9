import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.service.jobs import JobBook
from quantum_assets_tests.service.samples import order, submission


@pytest.fixture
def book(tmp_path):
    made = JobBook(tmp_path / "service.db")
    made.prepare()
    return made


def test_a_submission_is_written_down_whole(book):
    asked = submission(order(members=2))
    job, new = book.accept(asked, 12.5)
    assert new
    assert (job.key, job.micros, job.circuits, job.shots) == (asked.key, asked.micros, 13, 1300)
    assert (job.word, job.received_at, job.billed, job.ended) == ("QUEUED", 12.5, None, False)
    assert job.questions == asked.questions
    assert book.body(job.job) == asked.body
    assert JobBook(book.path).all() == (job,)


def test_a_token_that_is_known_gets_its_job(book):
    first, _ = book.accept(submission(order()), 1)
    again, new = book.accept(submission(order()), 2)
    assert (again, new) == (first, False)
    assert len(book.all()) == 1


def test_without_idempotency_or_token_every_submission_is_a_job(book):
    jobs = [book.accept(submission(order()), 1, idempotent=False)[0].job for _ in range(3)]
    jobs += [book.accept(submission(order(), token=""), 1)[0].job for _ in range(2)]
    assert len(set(jobs)) == 5
    assert [job.job for job in book.by_key("a" * 32)] == jobs


def test_many_threads_with_one_token_make_one_job(book):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: book.accept(submission(order()), 1), range(24)))
    assert len({job.job for job, _ in answers}) == 1
    assert sum(new for _, new in answers) == 1


@pytest.mark.parametrize("table", ["accepted_jobs", "events"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET job = 'x'", "DELETE FROM {}"])
def test_the_account_is_append_only(book, table, statement):
    book.accept(submission(order()), 1)
    database = sqlite3.connect(book.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement.format(table))
    database.close()
    assert len(book.all()) == 1


def test_events_follow_only_what_they_may_follow(book):
    job = book.accept(submission(order()), 1)[0].job
    assert not book.record(job, "COMPLETED", 2, after={"RUNNING"}, billed=5)
    assert book.record(job, "RUNNING", 3, after={"QUEUED"})
    assert book.record(job, "COMPLETED", 4, after={"RUNNING"}, billed=5)
    assert not book.record(job, "CANCELLED", 5, after={"QUEUED", "RUNNING"}, billed=9)
    assert not book.record("nobody", "RUNNING", 5, after={"QUEUED"})
    done = book.job(job)
    assert (done.word, done.billed, done.started_at, done.at, done.ended) == ("COMPLETED", 5, 3, 4, True)
    assert book.unfinished() == ()


def test_what_is_not_there_is_none_or_an_error(book):
    assert book.job("nobody") is None
    assert book.by_key("nothing") == ()
    with pytest.raises(LedgerError, match="was never accepted"):
        book.body("nobody")


def test_a_transaction_that_fails_leaves_nothing(book):
    class Broken(str):
        """Text that SQLite cannot bind."""

    asked = submission(order())
    with pytest.raises(sqlite3.Error):
        book.accept(type(asked)(**{**vars(asked), "micros": "much"}), 1)
    assert book.all() == ()
