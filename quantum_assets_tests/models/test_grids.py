import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.grids import canonical, draw, product

GRID = product({"gamma": (0.1, 1.0, 10.0, 100.0), "C": (1, 2, 3), "inputs": ("prepared", "full")})


def test_product_runs_through_the_last_axis_first():
    assert product({"a": (1, 2), "b": ("x", "y")}) == (
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    )


def test_canonical_does_not_depend_on_order():
    assert canonical({"b": 1.5, "a": None}) == canonical({"a": None, "b": 1.5}) == '{"a":null,"b":1.5}'


@given(budget=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_draws_exactly_the_budget_without_repeats_in_grid_order(budget, seed):
    drawn = draw(GRID, budget, seed)
    places = [GRID.index(configuration) for configuration in drawn]
    assert len(drawn) == min(budget, len(GRID))
    assert places == sorted(set(places))


@given(budget=st.integers(4, 24), seed=st.integers(0, 2**32 - 1))
def test_every_value_of_every_axis_appears_evenly(budget, seed):
    drawn = draw(GRID, budget, seed, first=("gamma",))
    counts = Counter(configuration["gamma"] for configuration in drawn)
    assert set(counts) == {0.1, 1.0, 10.0, 100.0}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert {configuration["C"] for configuration in drawn} == {1, 2, 3}


def test_combinations_of_first_appear_once_each():
    uneven = tuple(
        {"map": name, "bandwidth": b, "C": c}
        for name, bandwidths in {"a": (0.1, 0.2, 0.3), "b": (0.5,)}.items()
        for b in bandwidths
        for c in (1, 10)
    )
    for seed in range(20):
        drawn = draw(uneven, 4, seed, first=("map", "bandwidth"))
        assert len({(c["map"], c["bandwidth"]) for c in drawn}) == 4


def test_seeds_differ():
    assert len({str(draw(GRID, 6, seed)) for seed in range(10)}) > 5


@pytest.mark.parametrize(("grid", "budget"), [((), 3), (GRID, 0)])
def test_refuses_nothing_to_draw(grid, budget):
    with pytest.raises(PlanError, match="tuning budget"):
        draw(grid, budget, 0)


def test_the_draw_is_the_same_in_every_process():
    code = (
        "from quantum_assets.models.baselines import BASELINES\n"
        "print([BASELINES[name](0).configurations(7, 11) for name in sorted(BASELINES)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "4711")
    }
    assert len(outputs) == 1
