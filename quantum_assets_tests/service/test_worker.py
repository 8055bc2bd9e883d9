import base64

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.wire import unpack_envelope
from quantum_assets.service.faults import Fault, FaultBook
from quantum_assets.service.jobs import JobBook
from quantum_assets.service.results import ResultFiles
from quantum_assets.service.worker import Worker
from quantum_assets_tests.service.samples import PRICES, Machine, TestClock, order, submission


@pytest.fixture
def clock():
    return TestClock()


@pytest.fixture
def worker(tmp_path, clock):
    book = JobBook(tmp_path / "service.db")
    book.prepare()
    files = ResultFiles(tmp_path / "results")
    return Worker(book, files, PRICES, 10.0, FaultBook(), now=clock, pause=clock.sleep, make=lambda _: Machine())


def accept(worker, key="a" * 32, members=1):
    return worker.book.accept(submission(order(key, members)), worker.now())[0].job


def claims(worker, job):
    entries = worker.results.read(job)["claims"]
    return [unpack_envelope(base64.b64decode(e["envelope"])) if "envelope" in e else e["error"] for e in entries]


def test_a_job_runs_after_its_time_in_the_queue(worker, clock):
    job = accept(worker)
    clock.sleep(9.9)
    assert not worker.step()
    clock.sleep(0.2)
    assert worker.step()
    done = worker.book.job(job)
    assert (done.word, done.billed) == ("COMPLETED", done.micros)
    (envelope,) = claims(worker, job)
    assert (envelope.job, envelope.correlation_id, envelope.currency) == (job, "c-1", "USD")
    assert envelope.cost == pytest.approx(done.micros / 1e6)
    assert envelope.timings.queue == pytest.approx(10.1)
    assert not worker.step()


def test_jobs_run_in_the_order_of_acceptance(worker, clock):
    jobs = [accept(worker, letter * 32) for letter in "cab"]
    clock.sleep(11)
    for at in range(3):
        assert worker.step()
        assert [worker.book.job(job).ended for job in jobs] == [n <= at for n in range(3)]


def test_a_clock_that_steps_back_delays_nobody_for_ever(worker, clock):
    accept(worker)
    clock.seconds -= 5000
    assert worker.step()


def test_a_job_that_was_running_when_the_process_died_is_run_again_and_billed_once(worker, clock):
    job = accept(worker)
    clock.sleep(11)
    worker.book.record(job, "RUNNING", clock(), after={"QUEUED"})
    again = Worker(worker.book, worker.results, PRICES, 10.0, now=clock, make=lambda _: Machine())
    assert again.step()
    assert worker.book.job(job).billed == submission(order()).micros


def test_a_member_that_fails_does_not_take_the_others_along(worker, clock):
    worker.make = lambda _: Machine(failing=(3,))
    job = accept(worker, members=3)
    clock.sleep(11)
    worker.step()
    first, second, third = claims(worker, job)
    assert second["problem"] == "broke down"
    assert first.workload_fingerprint != third.workload_fingerprint
    assert worker.book.job(job).word == "COMPLETED"


@pytest.mark.parametrize("error", [ProviderError("machine", "broke down", "Repair it"), MemoryError("no more")])
def test_a_job_of_which_nothing_ran_fails_free_of_charge(worker, clock, error):
    worker.make = lambda _: Machine(failing=(2,), error=error)
    job = accept(worker)
    clock.sleep(11)
    assert worker.step()
    done = worker.book.job(job)
    assert (done.word, done.billed, done.code) == ("FAILED", 0, "not_run")
    assert str(error) in done.message
    assert worker.results.read(job) is None


def test_a_rehearsed_failure_has_its_code_and_a_delay_its_time(worker, clock):
    worker.faults.add([Fault(at="run", kind="fail", code="5203"), Fault(at="run", kind="delay", seconds=40)])
    first, second = accept(worker, "a" * 32), accept(worker, "b" * 32)
    clock.sleep(11)
    worker.step()
    worker.step()
    assert (worker.book.job(first).word, worker.book.job(first).code) == ("FAILED", "5203")
    done = worker.book.job(second)
    assert (done.word, done.at - done.started_at) == ("COMPLETED", 40)


def test_a_job_that_is_cancelled_while_it_runs_keeps_no_result(worker, clock):
    job = accept(worker)
    clock.sleep(11)

    def cancel():
        worker.book.record(job, "CANCELLED", clock(), after={"RUNNING"}, billed=7)

    worker.make = lambda _: Machine(meanwhile=cancel)
    assert worker.step()
    assert (worker.book.job(job).word, worker.book.job(job).billed) == ("CANCELLED", 7)
    assert worker.results.read(job) is None


def test_the_machine_is_made_in_its_present_state(worker, clock):
    made = []
    worker.make = lambda version: made.append(version) or Machine()
    accept(worker, "a" * 32)
    accept(worker, "b" * 32)
    clock.sleep(11)
    worker.step()
    worker.version = "2"
    worker.step()
    assert made == ["1", "2"]


def test_the_thread_works_until_it_is_told_to_stop(worker):
    worker.queue_seconds = 0.0
    job = accept(worker)
    worker.start()
    while not worker.book.job(job).ended:
        worker.pause(0)
    worker.stop()
    left = accept(worker, "b" * 32)
    assert worker.book.job(left).word == "QUEUED"


def test_an_account_that_fails_for_a_while_does_not_end_the_worker(worker, caplog):
    worker.queue_seconds = 0.0
    broken, whole = JobBook(worker.book.path.parent / "nowhere" / "service.db"), worker.book
    job = accept(worker)
    worker.book = broken
    with caplog.at_level("ERROR"):
        worker.start()
        while not caplog.records:
            worker.pause(0)
        worker.book = whole
        while not whole.job(job).ended:
            worker.pause(0)
    worker.stop()
    assert "cannot be used" in caplog.text
    assert whole.job(job).word == "COMPLETED"
