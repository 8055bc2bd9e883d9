"""Provenance must name the software that made a version."""

import re
from importlib import metadata

from quantum_assets.orchestration.environment import PACKAGES, environment


def test_versions_lock_and_revision_are_named() -> None:
    found = environment()
    assert set(found) == {*PACKAGES, "lock", "revision"}
    assert found["qiskit"] == metadata.version("qiskit")
    assert re.fullmatch(r"[0-9a-f]{64}", found["lock"])
    assert re.fullmatch(r"[0-9a-f]{40}|not a checkout|unknown.*", found["revision"])
