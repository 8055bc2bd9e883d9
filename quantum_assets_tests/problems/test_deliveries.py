from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.deliveries import Deliveries


def made(n=4, capacity=10, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 100, (n + 1, 2))
    points[0] = 50
    gaps = np.round(np.hypot(*(points[:, None] - points).transpose(2, 0, 1)))
    return Deliveries("made", "D", tuple("abcdefghijkl"[:n]), rng.integers(2, 6, n), capacity, gaps, points)


def test_lengths_and_loads_by_hand():
    d = made()
    assert d.length((2, 0)) == d.distances[0, 3] + d.distances[3, 1] + d.distances[1, 0]
    assert d.length((1,)) == 2 * d.distances[0, 2]
    assert d.load((0, 3)) == d.demands[0] + d.demands[3]
    assert d.cost([(0,), (1,), (2,), (3,)]) == 2 * d.distances[0].sum()


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([(0,), (1,), (2,)], "d is served 0 times"),
        ([(0, 1), (1,), (2,), (3,)], "b is served 2 times"),
        ([(0,), (1,), (2,), (3,), ()], "route 5 is empty"),
        ([(0,), (1,), (2,), (3, 4)], "route 4 has no stop 4"),
        ([(0, 1, 2, 3)], "route 1 carries"),
    ],
)
def test_the_checker_names_every_fault(routes, expected):
    assert any(expected in fault for fault in made().faults(routes))
    with pytest.raises(PlanError, match=expected):
        made().cost(routes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"stops": ("a", "b", "c", "a")}, "stop a: is named twice"),
        ({"stops": ("a", "b", "c", "D")}, "stop D: is named twice, or is the depot"),
        ({"capacity": 3}, "and a truck holds 3"),
        ({"demands": np.array([1, 2, 3, 0])}, "stop d: asks for 0"),
        ({"demands": np.array([1, 2, 3])}, "4 stops and demands of shape"),
        ({"distances": np.ones((5, 5))}, "0 on the diagonal"),
        ({"distances": np.triu(np.ones((5, 5)), 1)}, "not symmetric"),
        ({"distances": np.full((5, 5), np.nan)}, "not finite"),
        ({"positions": np.zeros((4, 2))}, "Give shapes"),
    ],
)
def test_bad_instances_are_named(change, expected):
    with pytest.raises(PlanError) as caught:
        replace(made(), **change)
    assert expected in str(caught.value)


def test_fingerprint_follows_the_instance():
    d = made()
    assert d.fingerprint == replace(d, name="other").fingerprint
    assert d.fingerprint != replace(d, capacity=11).fingerprint
