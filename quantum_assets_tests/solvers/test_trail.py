import math

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.solvers.trail import Trail, streams
from quantum_assets_tests.solvers.instances import Clock

CHAIN = Ising(3, ((0,), (1,), (2,)), np.array([1.0, 1.0, 1.0]))


def rows(*bits: str) -> np.ndarray:
    return np.array([[int(b) for b in row] for row in bits], dtype=np.uint8)


def test_keeps_strict_improvements_only_with_their_times_and_energies_recomputed():
    trail = Trail(CHAIN, 100, Clock(1.0))
    for given in (rows("000", "001"), rows("010"), rows("110", "111"), rows("111")):
        trail.offer(given)
    found = trail.solution("toy", settings={"depth": 2})
    assert [step.energy for step in found.incumbents] == [1.0, -3.0]
    times = [step.seconds for step in found.incumbents]
    assert times == sorted(times)
    assert found.energy == CHAIN.energies(found.bits)[0] == -3.0
    assert found.settings == {"depth": 2, "seconds": 100.0, "stopped_by": "reads"}
    assert not found.proven
    assert found.tolerance == CHAIN.tolerance


def test_the_clock_is_not_looked_at_before_the_first_row_and_a_cut_is_remembered():
    trail = Trail(CHAIN, 0.5, Clock(1.0))
    assert not trail.spent()
    trail.offer(rows("000"))
    assert trail.spent()
    assert trail.left == 0
    assert trail.solution("toy", settings={}).settings["stopped_by"] == "seconds"


def test_a_bound_above_the_energy_by_rounding_comes_down_to_it():
    trail = Trail(CHAIN, 1, Clock(0.0))
    trail.offer(rows("111"))
    found = trail.solution("toy", settings={}, bound=-3.0 + 1e-12, budget="proof")
    assert found.bound == -3.0
    assert found.proven


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_refuses_a_cap_that_is_none(seconds):
    with pytest.raises(PlanError, match="cap"):
        Trail(CHAIN, seconds)


def test_without_a_row_there_is_no_solution():
    with pytest.raises(PlanError, match="found no row"):
        Trail(CHAIN, 1).solution("toy", settings={})


def test_streams_of_a_longer_run_begin_with_those_of_a_shorter_one():
    assert streams(3, 8)[:3] == streams(3, 3)
    assert len(set(streams(3, 8))) == 8
    assert streams(3, 2) != streams(4, 2)
    with pytest.raises(PlanError, match="seed"):
        streams(-1, 2)
