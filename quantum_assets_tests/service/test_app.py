import json

import pytest

from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.ticket import question_of
from quantum_assets.contracts.wire import pack_order
from quantum_assets.service.app import Routes
from quantum_assets.service.door import DoorPolicy
from quantum_assets.service.faults import FaultBook
from quantum_assets.service.jobs import JobBook
from quantum_assets.service.results import ResultFiles
from quantum_assets.service.worker import Worker
from quantum_assets_tests.service.asgi import request
from quantum_assets_tests.service.samples import PRICES, SLOW, Machine, TestClock, order
from quantum_assets_tests.trust.honest import states_workload


class Service:
    """The routes over a worker that runs when it is told to."""

    def __init__(self, home, **routes):
        self.clock = TestClock()
        book = JobBook(home / "service.db")
        book.prepare()
        files = ResultFiles(home / "results")
        self.worker = Worker(book, files, PRICES, 0.0, FaultBook(), now=self.clock, make=lambda _: Machine())
        self.app = Routes(self.worker, **{"rehearsal": True} | routes).application(DoorPolicy())

    def __call__(self, method, path, **more):
        return request(self.app, method, path, **more)

    def post(self, order, token=None, body=None):
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": order.key if token is None else token}
        return self("POST", "/jobs", content=pack_order(order) if body is None else body, headers=headers)

    def faulty(self, *faults):
        assert self("POST", "/faults", json=list(faults)).is_success


@pytest.fixture
def service(tmp_path):
    return Service(tmp_path)


def test_an_order_goes_all_the_way(service):
    answer = service.post(order(members=2))
    assert answer.status_code == 201
    job = answer.json()["job"]
    status = service("GET", f"/jobs/{job}").json()
    assert (status["status"], status["queue_position"], status["charge"], status["seconds"]) == ("QUEUED", 0, None, {})
    assert service("GET", f"/jobs/{job}/result").status_code == 409
    service.clock.sleep(3)
    service.worker.step()
    status = service("GET", f"/jobs/{job}").json()
    price = PRICES.of(order(members=2))
    assert (status["status"], status["charge"]) == ("COMPLETED", {"micros": price, "currency": "USD"})
    assert (status["queue_position"], status["seconds"]) == (None, {"queue": 3, "run": 0})
    result = service("GET", f"/jobs/{job}/result").json()
    assert (result["job"], [entry["position"] for entry in result["claims"]]) == (job, [0, 1])


def test_one_key_is_one_job_and_is_charged_once(service):
    answers = [service.post(order()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len({answer.json()["job"] for answer in answers}) == 1
    (line,) = service("GET", "/witness").json()["jobs"]
    assert line["micros"] == PRICES.of(order())


def test_without_idempotency_one_key_is_many_jobs(tmp_path):
    service = Service(tmp_path, idempotent=False)
    jobs = [service.post(order()).json()["job"] for _ in range(2)]
    assert service("GET", f"/jobs?key={'a' * 32}").json() == {"jobs": jobs}
    assert len(set(jobs)) == 2
    assert service("GET", "/health").json()["same_key_same_job"] is False


def test_one_key_for_another_order_is_a_conflict(service):
    service.post(order())
    answer = service.post(Order("a" * 32, order().workloads, SLOW, replicate=1))
    assert (answer.status_code, answer.json()["problem"]) == (409, "was used for another order")
    assert len(service("GET", "/witness").json()["jobs"]) == 1


def test_queue_positions_count_who_came_before(service):
    jobs = [service.post(order(letter * 32)).json()["job"] for letter in "abc"]
    assert [service("GET", f"/jobs/{job}").json()["queue_position"] for job in jobs] == [0, 1, 2]
    service.worker.step()
    assert [service("GET", f"/jobs/{job}").json()["queue_position"] for job in jobs] == [None, 0, 1]


@pytest.mark.parametrize("body", [b"", b"{}", b"\x80\x04.", pack_order(order())[:-1], pack_order(order())[:100]])
def test_what_is_no_order_is_refused_in_words(service, body):
    answer = service.post(order(), body=body)
    assert (answer.status_code, set(answer.json())) == (422, {"culprit", "problem", "mend"})
    assert service("GET", "/witness").json()["jobs"] == []


def test_what_cannot_be_run_is_refused_with_the_reason(service):
    states = Order("b" * 32, (states_workload(),), SLOW)
    ideal = order(profile=SLOW.model_copy(update={"mode": "ideal"}))
    assert "states" in service.post(states).json()["problem"]
    assert service.post(ideal).json()["problem"] == "it runs managed profiles, and the profile's mode is ideal"
    assert service.worker.book.all() == ()


def test_another_content_type_is_refused(service):
    assert service("POST", "/jobs", content=pack_order(order())).status_code == 415


def test_a_job_that_waits_is_cancelled_free_of_charge_and_one_that_runs_is_not(service):
    waits, runs = (service.post(order(letter * 32)).json()["job"] for letter in "ab")
    service.worker.book.record(runs, "RUNNING", 1, after={"QUEUED"})
    for job in (waits, runs):
        assert service("POST", f"/jobs/{job}/cancel").json()["status"] == "CANCELLED"
        assert service("POST", f"/jobs/{job}/cancel").is_success
    charges = [service("GET", f"/jobs/{job}").json()["charge"]["micros"] for job in (waits, runs)]
    assert charges == [0, PRICES.of(order())]
    assert not service.worker.step()


def test_unknown_jobs_and_missing_keys_are_told(service):
    for method, path in (("GET", "/jobs/x"), ("GET", "/jobs/x/result"), ("POST", "/jobs/x/cancel")):
        answer = service(method, path)
        assert (answer.status_code, answer.json()["culprit"]) == (404, "job x")
    assert service("GET", "/jobs").status_code == 422
    assert service("GET", "/jobs?key=unheard").json() == {"jobs": []}


def test_the_witness_tells_what_was_asked_and_what_it_costs(service):
    asked = order(members=2)
    job = service.post(asked).json()["job"]
    (line,) = service("GET", "/witness").json()["jobs"]
    questions = [question_of(w.fingerprint, SLOW.fingerprint, 0) for w in asked.workloads]
    assert (line["job"], line["key"], line["questions"], line["ended"]) == (job, asked.key, questions, False)
    assert (line["circuits"], line["shots"], line["micros"]) == (13, 1300, PRICES.of(asked))
    service("POST", f"/jobs/{job}/cancel")
    (line,) = service("GET", "/witness").json()["jobs"]
    assert (line["ended"], line["micros"]) == (True, 0)


def test_a_recalibration_is_another_calibration(service):
    before = service("GET", "/calibration").json()
    assert service("POST", "/calibration", json={"version": "2"}).json() == service("GET", "/calibration").json()
    after = service("GET", "/calibration").json()
    assert (before["backend"], before["version"], after["version"]) == ("rehearsal", "1", "2")
    assert before["digest"] != after["digest"]
    assert service("POST", "/calibration", content=b"[]").status_code == 422


def test_faults_are_for_rehearsals_only(tmp_path):
    service = Service(tmp_path, rehearsal=False)
    assert service("GET", "/faults").status_code == 404
    assert service("POST", "/calibration", json={"version": "2"}).status_code == 405


def test_faults_come_and_go(service):
    assert service("POST", "/faults", content=b"nonsense").status_code == 422
    service.faulty({"at": "status", "kind": "lie", "word": "DONE"})
    assert service("GET", "/faults").json()["faults"][0]["word"] == "DONE"
    assert service("DELETE", "/faults").json() == {"faults": []}


def test_a_storm_of_refusals_accepts_nothing(service):
    service.faulty(
        {"at": "submit", "kind": "refuse", "times": 2},
        {"at": "submit", "kind": "refuse", "status": 429, "retry_after": 7},
    )
    answers = [service.post(order()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 429, 201]
    assert answers[2].headers["retry-after"] == "7"
    assert len(service("GET", "/witness").json()["jobs"]) == 1


def test_a_status_may_lie_and_the_charge_does_not(service):
    job = service.post(order()).json()["job"]
    service.worker.step()
    service.faulty({"at": "status", "kind": "lie", "word": "FAILED"})
    lie, truth = (service("GET", f"/jobs/{job}").json() for _ in range(2))
    assert (lie["status"], truth["status"]) == ("FAILED", "COMPLETED")
    assert lie["charge"] == truth["charge"]


def test_a_result_may_be_damaged_once(service):
    job = service.post(order(members=2)).json()["job"]
    service.worker.step()
    service.faulty({"at": "result", "kind": "missing"}, {"at": "result", "kind": "truncate"})
    assert len(service("GET", f"/jobs/{job}/result").json()["claims"]) == 1
    with pytest.raises(json.JSONDecodeError):
        service("GET", f"/jobs/{job}/result").json()
    assert len(service("GET", f"/jobs/{job}/result").json()["claims"]) == 2


def test_a_foreign_result_is_another_jobs(service):
    first, second = (
        service.post(order(letter * 32, members)).json()["job"] for letter, members in (("a", 1), ("b", 2))
    )
    service.worker.step()
    service.worker.step()
    service.faulty({"at": "result", "kind": "foreign"}, {"at": "result", "kind": "foreign", "disguised": False})
    disguised, open_ = (service("GET", f"/jobs/{first}/result").json() for _ in range(2))
    assert (disguised["job"], len(disguised["claims"])) == (first, 2)
    assert open_["job"] == second
