import base64
import hashlib

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.wire import unpack_envelope
from quantum_assets.service.results import ResultFiles, document
from quantum_assets_tests.service.samples import SLOW
from quantum_assets_tests.trust.honest import envelope_for, overlaps_workload


def test_a_document_has_one_entry_a_workload():
    workload = overlaps_workload()
    claim = envelope_for(workload, SLOW)
    made = document("j", (claim, ProviderError("machine", "broke", "Mend it", retry=True)), (workload.fingerprint, "f"))
    first, second = made["claims"]
    packed = base64.b64decode(first["envelope"])
    assert first["sha256"] == hashlib.sha256(packed).hexdigest()
    assert unpack_envelope(packed).workload_fingerprint == workload.fingerprint == first["workload"]
    assert (first["position"], second["position"]) == (0, 1)
    assert second["error"] == {"culprit": "machine", "problem": "broke", "mend": "Mend it", "retry": True}


def test_files_are_there_whole_or_not_at_all(tmp_path):
    files = ResultFiles(tmp_path / "results")
    assert files.read("j") is None
    files.write("j", {"job": "j", "claims": []})
    files.write("j", {"job": "j", "claims": [1]})
    assert files.read("j") == {"job": "j", "claims": [1]}
    (tmp_path / "results" / "k.half").write_text('{"job": ')
    assert files.read("k") is None
    files.drop("j")
    files.drop("j")
    assert files.read("j") is None
