"""A decision is read back with exactly what it was made from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.tables import SOLUTIONS, VERDICT
from quantum_assets.models.decided import read_decided
from quantum_assets.models.tables import table_of_rows
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets_tests.models.decisions import CUT, NAMES, decide, rivals, solution


def test_everything_is_there(tmp_path: Path) -> None:
    found = read_decided(decide(tmp_path), "small", "ideal")
    assert found.ising.fingerprint == CUT.fingerprint
    assert found.variables == NAMES
    assert [row["solver"] for row in found.solutions] == ["enumeration", "highs", "tabu", "tree_decomposition"]
    assert [row["count"] for row in found.samples] == [20, 12]
    assert found.job["source"] == "A linear ramp."
    assert found.ladder["quantum_step"].startswith("2 of 3")
    assert [row["path"] for row in found.paths] == ["classical", "quantum"]
    assert (found.partition, found.silence) == ("ideal", "")


def test_a_later_race_does_not_change_what_was_decided_from(tmp_path: Path) -> None:
    store = decide(tmp_path)
    store.commit(("small", "classical_solutions"), {}, rivals(solution("tabu", "000", 0.0)), SOLUTIONS, {})
    assert len(read_decided(store, "small", "ideal").solutions) == 4


def test_the_angles_are_those_that_the_samples_are_of(tmp_path: Path) -> None:
    found = read_decided(decide(tmp_path, made={"finalist": 1}), "small", "ideal")
    assert found.job["source"] == "Refined under noise."


def test_months_are_partitions(tmp_path: Path) -> None:
    store = decide(tmp_path, period="2020-03")
    assert read_decided(store, "small", "ideal", "2020-03").partition == "2020-03|ideal"
    with pytest.raises(PlanError, match=r"by the month; decided is 2020-03\|ideal. Name the month"):
        read_decided(store, "small", "ideal")


def test_an_undecided_partition_names_what_to_materialise(tmp_path: Path) -> None:
    store = decide(tmp_path)
    with pytest.raises(PlanError) as told:
        read_decided(store, "small", "noisy", "2020-01")
    assert "has no decision for 2020-01|noisy; decided is ideal" in str(told.value)
    assert "Materialise small/decision for it: quantum-assets run small --profile noisy --period 2020-01" in str(
        told.value
    )
    with pytest.raises(PlanError, match="decided is small ideal"):
        read_decided(store, "smal", "ideal")
    with pytest.raises(PlanError, match="decided is nothing"):
        read_decided(Store(Home(tmp_path / "none").store), "small", "ideal")


def test_a_kernel_study_decides_nothing(tmp_path: Path) -> None:
    store = Store(Home(tmp_path).store)
    store.commit(("wine", "verdict"), {"profile": "ideal"}, table_of_rows([], VERDICT), VERDICT, {})
    with pytest.raises(PlanError, match="ends in a verdict"):
        read_decided(store, "wine", "ideal")


def test_a_polynomial_that_is_not_the_hashed_one_is_refused(tmp_path: Path) -> None:
    store = decide(tmp_path, instance={"offset": 3.0})
    with pytest.raises(PlanError, match="not the polynomial"):
        read_decided(store, "small", "ideal")


def test_objectives_are_a_line_over_energies(tmp_path: Path) -> None:
    found = read_decided(decide(tmp_path), "small", "ideal")
    at = found.objective_at()
    assert at is not None
    rows = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=np.uint8)
    assert [at(energy) for energy in CUT.energies(rows)] == pytest.approx([0.0, 1.0, 2.0])


def test_energies_that_are_small_numbers_make_a_line_all_the_same(tmp_path: Path) -> None:
    found = read_decided(decide(tmp_path), "small", "ideal")
    tiny = Ising(3, found.ising.terms, found.ising.coefficients * 1e-10, found.ising.offset * 1e-10)
    rows = [{**row, "energy": row["energy"] and row["energy"] * 1e-10} for row in found.solutions]
    at = replace(found, ising=tiny, solutions=rows, samples=()).objective_at()
    assert at is not None
    assert at(-1.5e-10) == pytest.approx(1.5)


def test_without_two_energies_there_is_no_line(tmp_path: Path) -> None:
    found = read_decided(decide(tmp_path, answered=False), "small", "ideal")
    flat = [row for row in found.solutions if row["energy"] == -2.0]
    assert type(found)(**{**vars(found), "solutions": flat}).objective_at() is None


def test_nobody_answered(tmp_path: Path) -> None:
    silent = decide(tmp_path, answered=False, made={"path": "none", "path_reasons": ["the purse is empty"]})
    assert read_decided(silent, "small", "ideal").silence == "the purse is empty"
