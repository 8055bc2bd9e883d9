import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.service.faults import Fault, FaultBook, faults_file, read_faults


def test_a_fault_is_used_up_at_its_place():
    book = FaultBook([Fault(at="submit", kind="refuse", times=2), Fault(at="status", kind="lie", word="DONE")])
    assert book.take("lookup") is None
    assert [fault and fault.kind for fault in (book.take("submit") for _ in range(3))] == ["refuse", "refuse", None]
    assert book.take("status").word == "DONE"
    assert book.json() == []


def test_a_fault_can_let_calls_pass_first():
    book = FaultBook([Fault(at="submit", kind="lose", skip=2)])
    assert [book.take("submit") is None for _ in range(4)] == [True, True, False, True]


def test_threads_share_the_faults():
    book = FaultBook([Fault(at="submit", kind="refuse", times=50)])
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: book.take("submit") is not None, range(200)))
    assert Counter(taken) == {True: 50, False: 150}


def test_faults_are_read_from_json(tmp_path):
    assert faults_file(tmp_path) == ()
    (tmp_path / "faults.json").write_text(json.dumps([{"at": "run", "kind": "fail", "code": "5203"}]))
    (fault,) = faults_file(tmp_path)
    assert fault.code == "5203"
    book = FaultBook()
    book.add([fault])
    assert book.json()[0]["at"] == "run"
    book.clear()
    assert book.json() == []


@pytest.mark.parametrize("text", ["{", "{}", '[{"at": "submit"}]', '[{"at": "submit", "kind": "lie"}]', "[1]"])
def test_other_text_is_refused_with_its_place(text):
    with pytest.raises(PlanError) as caught:
        read_faults(text, "faults.json")
    assert caught.value.culprit == "faults.json"


@pytest.mark.parametrize(("at", "kind"), [("submit", "truncate"), ("run", "refuse"), ("result", "lie")])
def test_a_fault_belongs_where_it_can_happen(at, kind):
    with pytest.raises(ValidationError, match="happens at"):
        Fault(at=at, kind=kind)
