import math

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.cities import CITIES, EARTH_RADIUS_KM, german_deliveries, great_circle


def test_great_circles_of_known_length():
    quarter = math.pi / 2 * EARTH_RADIUS_KM
    found = great_circle(np.array([[0.0, 0.0], [90.0, 0.0], [0.0, 180.0], [0.0, 90.0]]))
    np.testing.assert_allclose(found[0], [0, quarter, 2 * quarter, quarter], rtol=1e-12)


def test_great_circle_agrees_with_the_law_of_cosines():
    degrees = np.array([city[1:3] for city in CITIES])
    north, east = np.radians(degrees).T
    cosine = np.sin(north)[:, None] * np.sin(north) + np.cos(north)[:, None] * np.cos(north) * np.cos(
        east[:, None] - east
    )
    expected = EARTH_RADIUS_KM * np.arccos(np.clip(cosine, -1, 1))
    np.testing.assert_allclose(great_circle(degrees), expected, atol=1e-3)


def test_the_shipped_instance():
    deliveries = german_deliveries()
    names = (deliveries.depot, *deliveries.stops)
    assert len(deliveries.stops) == 12
    assert deliveries.demands.sum() == 113
    assert deliveries.demands[0] == 21  # Hamburg, 1 853 935 inhabitants
    pair = names.index("Hamburg"), names.index("München")
    assert deliveries.distances[pair] == pytest.approx(612, abs=2)  # as the crow flies


def test_a_truck_too_small_is_named():
    with pytest.raises(PlanError, match="stop Hamburg: asks for 21, and a truck holds 20"):
        german_deliveries(capacity=20)
