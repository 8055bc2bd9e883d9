"""A workload that does not fit together is refused in its constructor."""

from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import CircuitArtifact, DiagonalForm, Workload

CIRCUIT = CircuitArtifact("c", b"", 13, "", "", "f" * 64, 2, ("x0", "x1"), 3, 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"bindings": np.zeros((3, 1))}, "2 parameters"),
        ({"bindings": np.zeros((0, 2))}, "2 parameters"),
        ({"bindings": np.array([[0.0, np.nan]])}, "NaN or infinite"),
        ({"measure": "overlaps"}, "pairs missing"),
        ({"pairs": np.zeros((1, 2), dtype=np.int64)}, "pairs given"),
        ({"measure": "samples", "pairs": np.zeros((1, 2), dtype=np.int64)}, "'samples' with pairs given"),
        ({"measure": "overlaps", "pairs": np.array([[0, 9]])}, "do not index"),
        ({"diagonal": DiagonalForm(1, ((0,),), np.zeros((5, 1)))}, "diagonal form has 5 rows"),
    ],
)
def test_misfits_are_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        Workload(**({"circuit": CIRCUIT, "bindings": np.zeros((3, 2)), "measure": "states"} | fields))


def test_the_diagonal_form_checks_its_own_shape() -> None:
    with pytest.raises(PlanError, match="2 terms"):
        DiagonalForm(1, ((0,), (1,)), np.zeros((5, 1)))
    with pytest.raises(PlanError, match="at least one repetition"):
        DiagonalForm(0, ((0,),), np.zeros((5, 1)))


def test_a_circuit_a_pair_or_a_binding() -> None:
    bindings = np.zeros((3, 2))
    states, samples = (Workload(CIRCUIT, bindings, measure) for measure in ("states", "samples"))
    overlaps = Workload(CIRCUIT, bindings, "overlaps", pairs=np.zeros((5, 2), dtype=np.int64))
    assert [one.n_circuits for one in (states, samples, overlaps)] == [3, 3, 5]
    assert [one.sampled for one in (states, samples, overlaps)] == [False, True, True]
    assert len({one.fingerprint for one in (states, samples, overlaps)}) == 3


def test_identity_is_the_question_not_its_label() -> None:
    bindings = np.zeros((3, 2))
    assert (
        Workload(CIRCUIT, bindings, "states", label="a").fingerprint
        == Workload(CIRCUIT, bindings, "states").fingerprint
    )
    assert Workload(CIRCUIT, bindings + 1, "states").fingerprint != Workload(CIRCUIT, bindings, "states").fingerprint
