"""A real delivery instance: twelve German cities served from Kassel, near the middle of the country.

Plain facts. Coordinates: GeoNames (geonames.org, CC BY 4.0), degrees north and east to two decimals, about a kilometre.
Inhabitants: Statistisches Bundesamt, 31 December 2021. The twelve are the largest cities after Berlin, without Essen,
which lies between Dortmund and Düsseldorf; Berlin alone would ask for more than one truck. Demand is our rule: one
pallet for every 90 000 inhabitants begun. A truck holds 33 pallets, the floor of a common European
semi-trailer (13.6 m, pallets of 0.8 m by 1.2 m).
"""

import numpy as np

from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.deliveries import Deliveries

EARTH_RADIUS_KM = 6371.0088  # mean radius R1 = (2 a + b) / 3 of the WGS 84 ellipsoid (Moritz 2000)
TRUCK_PALLETS = 33
INHABITANTS_A_PALLET = 90_000

DEPOT = ("Kassel", 51.32, 9.50)
#: Name, degrees north, degrees east, inhabitants.
CITIES = (
    ("Hamburg", 53.55, 9.99, 1_853_935),
    ("München", 48.14, 11.58, 1_487_708),
    ("Köln", 50.93, 6.95, 1_073_096),
    ("Frankfurt", 50.12, 8.68, 759_224),
    ("Stuttgart", 48.78, 9.18, 626_275),
    ("Düsseldorf", 51.22, 6.78, 619_477),
    ("Leipzig", 51.34, 12.37, 601_866),
    ("Dortmund", 51.51, 7.47, 586_852),
    ("Bremen", 53.08, 8.81, 563_290),
    ("Dresden", 51.05, 13.74, 555_351),
    ("Hannover", 52.37, 9.73, 535_932),
    ("Nürnberg", 49.45, 11.08, 510_632),
)


def great_circle(degrees: FloatArray) -> FloatArray:
    """Great-circle distances in km between places on a sphere of the Earth's mean radius.

    `d = 2 R asin √(sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2))`, the haversine formula (Sinnott 1984, "Virtues of the
    haversine", Sky and Telescope 68); roads are longer.

    Args:
        degrees: Latitude and longitude of each place, shape `(n, 2)`.

    Returns:
        Symmetric, zeros on the diagonal, shape `(n, n)`.
    """
    north, east = np.radians(degrees).T
    half = np.sin((north[:, None] - north) / 2) ** 2
    half += np.cos(north)[:, None] * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    distances = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))
    return np.asarray((distances + distances.T) / 2)


def german_deliveries(n_cities: int = len(CITIES), capacity: int = TRUCK_PALLETS) -> Deliveries:
    """The instance with its first `n_cities` cities; distances in whole kilometres.

    Raises:
        PlanError: If a city's demand does not fit into a truck.
    """
    chosen = CITIES[:n_cities]
    degrees = np.array([DEPOT[1:], *(city[1:3] for city in chosen)], dtype=np.float64)
    flat = np.column_stack([degrees[:, 1] * np.cos(np.radians(DEPOT[1])), degrees[:, 0]])
    return Deliveries(
        name="germany",
        depot=DEPOT[0],
        stops=tuple(city[0] for city in chosen),
        demands=np.array([-(-city[3] // INHABITANTS_A_PALLET) for city in chosen], dtype=np.int64),
        capacity=capacity,
        distances=np.round(great_circle(degrees)),
        positions=flat,
    )
