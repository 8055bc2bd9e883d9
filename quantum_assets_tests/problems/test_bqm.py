"""dimod's models in memory and in files: the energies are dimod's, and a damaged file is a sentence and no crash."""

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.bqm import from_bqm, read_bqm
from quantum_assets_tests.problems.laws import all_rows, check_laws

dimod = pytest.importorskip("dimod")  # a heavy library: not imported at the top of a module

LINEAR: dict[Any, float] = {"a": 1.0, ("b", 1): -2.0, "c": 0.0}
QUADRATIC: dict[Any, float] = {("a", ("b", 1)): 3.0, ("a", "c"): 0.5}


def model(vartype: str = "BINARY", kind: Any = dimod.BinaryQuadraticModel) -> Any:
    return kind(LINEAR, QUADRATIC, 0.25, vartype)


def content(bqm: Any, **options: Any) -> bytes:
    with bqm.to_file(**options) as file:
        return bytes(file.read())


def by_dimod(bqm: Any, n: int) -> np.ndarray:
    """dimod's energies of every row, its variables in its order; bit 0 is spin +1."""
    rows = all_rows(n).astype(np.int8)
    values = rows if bqm.vartype is dimod.BINARY else 1 - 2 * rows
    return np.asarray(bqm.energies((values, list(bqm.variables))))


@pytest.mark.parametrize("kind", [dimod.BinaryQuadraticModel, dimod.DictBQM, dimod.Float32BQM])
@pytest.mark.parametrize("vartype", ["BINARY", "SPIN"])
def test_a_model_in_memory(vartype: str, kind: Any) -> None:
    problem = from_bqm(model(vartype, kind), "mine", unit="euro")
    assert problem.objective(all_rows(3)) == pytest.approx(by_dimod(model(vartype), 3), abs=1e-12)
    assert problem.variables == ("a", "('b', 1)", "c")
    assert (problem.name, problem.sense, problem.unit) == ("mine", "minimise", "euro")
    check_laws(problem)


def test_numbers_as_labels_are_the_variables_numbers() -> None:
    bqm = dimod.BinaryQuadraticModel({2: 1.0, 0: -1.0, 1: 0.0}, {(2, 0): 3.0}, 0.0, "BINARY")
    problem = from_bqm(bqm, sense="maximise")
    assert problem.variables == ("x0", "x1", "x2")
    row = np.array([[0, 0, 1]], dtype=np.uint8)
    assert problem.objective(row)[0] == 1.0
    assert problem.sense == "maximise"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("kind", [dimod.BinaryQuadraticModel, dimod.Float32BQM])
@pytest.mark.parametrize("vartype", ["BINARY", "SPIN"])
def test_a_file_says_the_same(vartype: str, kind: Any, version: int) -> None:
    found = read_bqm("a.bqm", content(model(vartype, kind), version=version), "mine", max_variables=10)
    expected = from_bqm(model(vartype), "mine")
    assert found.form == {"BINARY": "qubo", "SPIN": "ising"}[vartype]
    assert (found.problem.fingerprint, found.problem.variables) == (expected.fingerprint, expected.variables)


def test_a_file_without_labels_or_pairs() -> None:
    bare = read_bqm("a.bqm", content(model(), ignore_labels=True), "mine", max_variables=10)
    assert bare.problem.variables == ("x0", "x1", "x2")
    single = dimod.BinaryQuadraticModel({0: 2.0, 1: -1.0}, {}, "BINARY")
    found = read_bqm("a.bqm", content(single), "mine", "maximise", max_variables=10).problem
    assert list(found.objective(all_rows(2))) == list(by_dimod(single, 2))
    assert found.sense == "maximise"


def test_a_larger_file() -> None:
    rng = np.random.default_rng(5)
    bqm = dimod.BinaryQuadraticModel("BINARY")
    for i in range(12):
        bqm.add_linear(f"v{i}", rng.normal())
        for j in range(i):
            if rng.random() < 0.5:
                bqm.add_quadratic(f"v{i}", f"v{j}", rng.normal())
    found = read_bqm("a.bqm", content(bqm), "mine", max_variables=12).problem
    assert found.objective(all_rows(12)) == pytest.approx(by_dimod(bqm, 12), abs=1e-9)


WHOLE = content(model("SPIN"))


def test_a_file_that_was_cut_off_is_refused() -> None:
    for length in range(len(WHOLE) - 64):
        with pytest.raises(PlanError, match=r"a\.bqm: is not a whole file of dimod's format"):
            read_bqm("a.bqm", WHOLE[:length], "mine", max_variables=10)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_damaged_file_is_another_model_or_a_plan_error(place: int, byte: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] = byte
    with contextlib.suppress(PlanError):
        found = read_bqm("a.bqm", bytes(damaged), "mine", max_variables=10)
        assert len(found.problem.variables) == found.problem.polynomial.n_variables == 3


def test_what_is_too_large_or_no_such_model() -> None:
    with pytest.raises(PlanError, match="has 3 variables and 2 pairs"):
        read_bqm("a.bqm", WHOLE, "mine", max_variables=2)
    with pytest.raises(PlanError, match="is a ConstrainedQuadraticModel"):
        from_bqm(dimod.ConstrainedQuadraticModel(), "mine")
    with pytest.raises(PlanError, match="1 different ones for 2 variables"):
        from_bqm(dimod.BinaryQuadraticModel({1: 1.0, "1": 2.0}, {}, "BINARY"))
    with pytest.raises(PlanError, match="does not depend on any variable"):
        from_bqm(dimod.BinaryQuadraticModel({"a": 0.0}, {}, "BINARY"))


def test_lists_of_neighbours_must_agree() -> None:
    begin = WHOLE.index(b"}") + 1
    begin += len(WHOLE[begin:]) - len(WHOLE[begin:].lstrip())
    quadratic = begin + 8 + 3 * 12
    for place in (quadratic + 4, quadratic + 12):  # a weight, and whose it is
        damaged = bytearray(WHOLE)
        damaged[place] ^= 1
        with pytest.raises(PlanError, match="neighbours"):
            read_bqm("a.bqm", bytes(damaged), "mine", max_variables=10)
