"""Admission collects every reason, refuses by raising, and happens in this room alone."""

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest

import quantum_assets
from quantum_assets.contracts.envelope import AdmittedResult, RejectedResult, States
from quantum_assets.contracts.errors import RejectedError
from quantum_assets.trust.admit import admit, require
from quantum_assets.trust.checks import CHECKS
from quantum_assets_tests.trust.honest import EXACT, envelope_for, random_states, states_workload

PACKAGE = Path(quantum_assets.__path__[0])


def test_an_honest_envelope_is_admitted_with_the_names_of_all_checks() -> None:
    workload = states_workload()
    envelope = envelope_for(workload, EXACT)
    admitted = admit(envelope, workload, EXACT)
    assert isinstance(admitted, AdmittedResult)
    assert admitted.envelope is envelope
    assert admitted.checks == tuple(check.__name__ for check in CHECKS)
    assert require(envelope, workload, EXACT).checks == admitted.checks


def test_all_reasons_are_collected_not_only_the_first() -> None:
    workload = states_workload()
    forged = dataclasses.replace(
        envelope_for(workload, EXACT),
        workload_fingerprint="f" * 64,
        data=random_states(2, 3),
        crosscheck_difference=1.0,
        circuits_run=-3,
    )
    rejected = admit(forged, workload, EXACT)
    assert isinstance(rejected, RejectedResult)
    assert [reason.split(":")[0] for reason in rejected.reasons] == [
        "answers_this_workload",
        "shapes",
        "crosschecked",
        "accounts",
    ]


def test_require_raises_with_provider_question_profile_and_every_reason() -> None:
    workload = states_workload()
    amplitudes = np.full((4, 4), np.nan + 0j)
    forged = dataclasses.replace(envelope_for(workload, EXACT), data=States(amplitudes), crosscheck_difference=None)
    with pytest.raises(RejectedError, match="fake for a question under profile ideal") as caught:
        require(forged, workload, EXACT)
    assert len(caught.value.reasons) == 2
    assert all(reason in str(caught.value) for reason in caught.value.reasons)


def constructions(source: str) -> list[str]:
    """Names of verdict classes that a module calls."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    names = (getattr(func, "id", None) or getattr(func, "attr", "") for func in calls)
    return [name for name in names if name in {"AdmittedResult", "RejectedResult"}]


def test_verdicts_are_made_in_trust_only() -> None:
    makers = {
        path.relative_to(PACKAGE).parts[0]: found
        for path in sorted(PACKAGE.rglob("*.py"))
        if (found := constructions(path.read_text(encoding="utf-8")))
    }
    assert set(makers) == {"trust"}


def test_the_search_for_makers_sees_both_spellings() -> None:
    assert constructions("import envelope\nenvelope.AdmittedResult(1, ())\nRejectedResult(1, ())") == [
        "AdmittedResult",
        "RejectedResult",
    ]
    assert constructions("def f(x: AdmittedResult) -> None: isinstance(x, AdmittedResult)") == []
