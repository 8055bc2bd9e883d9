import json

import pytest

from quantum_assets.service.faults import Fault
from quantum_assets.service.tampering import tampered

TRUE = {
    "job": "j",
    "claims": [{"position": 0, "error": {}}, {"position": 1, "envelope": "CDEFGHIJKLMNOPQRSTUV", "sha256": "s"}],
}
OTHER = {"job": "k", "claims": [{"position": 0, "envelope": "B", "sha256": "t"}]}


def bent(kind, foreign=OTHER, **more):
    return tampered(TRUE, Fault(at="result", kind=kind, **more), foreign)


def test_a_cut_result_is_no_json():
    with pytest.raises(ValueError, match=r"."):
        json.loads(bent("truncate"))


def test_entries_are_doubled_or_lost():
    assert [entry["position"] for entry in json.loads(bent("duplicate"))["claims"]] == [0, 1, 1]
    assert [entry["position"] for entry in json.loads(bent("missing"))["claims"]] == [0]


def test_flipped_bytes_keep_length_and_old_checksum():
    first, last = json.loads(bent("corrupt"))["claims"]
    assert first == TRUE["claims"][0]
    assert last["envelope"] != TRUE["claims"][1]["envelope"]
    assert (len(last["envelope"]), last["sha256"]) == (20, "s")


def test_a_foreign_result_may_be_disguised():
    assert json.loads(bent("foreign")) == OTHER | {"job": "j"}
    assert json.loads(bent("foreign", disguised=False)) == OTHER
    assert json.loads(bent("foreign", foreign=None)) == {"job": "j", "claims": []}


def test_kinds_that_are_not_about_results_leave_them_whole():
    assert json.loads(bent("delay")) == TRUE


def test_an_error_entry_has_no_bytes_to_flip():
    only_error = {"job": "j", "claims": TRUE["claims"][:1]}
    assert json.loads(tampered(only_error, Fault(at="result", kind="corrupt"), None)) == only_error
