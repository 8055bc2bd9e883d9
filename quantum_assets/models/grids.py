"""Grids of hyper-parameters, and the draw that gives every learner the same number of them.

Budget parity is the point: a rival that is tuned harder, or softer, than the quantum kernel decides the verdict alone.
"""

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint

Configuration = Mapping[str, Any]


def product(axes: Mapping[str, Sequence[Any]]) -> tuple[Configuration, ...]:
    """Every combination of the axes, the last axis fastest."""
    return tuple(dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))


def canonical(configuration: Configuration) -> str:
    """A configuration as JSON with sorted keys and no spaces: what `FoldScore.chosen` holds."""
    return json.dumps(configuration, sort_keys=True, separators=(",", ":"), allow_nan=False)


def draw(
    grid: Sequence[Configuration], budget: int, seed: int, first: tuple[str, ...] = ()
) -> tuple[Configuration, ...]:
    """Draw exactly `min(budget, len(grid))` configurations, spread evenly over the values of every hyper-parameter.

    Repeatedly takes the configuration whose values have been taken least often (a Latin hypercube, as far as the grid
    allows), in an order shuffled by `seed` through sha256: the same in every process and with every library version.

    Args:
        grid: All configurations, from simple to complex.
        budget: How many to draw, at least 1.
        seed: Of the shuffle.
        first: Hyper-parameters whose combinations are spread before anything else, for example map and bandwidth: each
            combination appears once `budget` is as large as their number.

    Returns:
        The drawn ones in grid order, so that a tie in tuning goes to the simplest.

    Raises:
        PlanError: For an empty grid or a budget below 1.
    """
    if not grid or budget < 1:
        raise PlanError("tuning budget", f"is {budget} over {len(grid)} configurations", "Give at least one of each")
    places = [_places(configuration, first) for configuration in grid]
    left = sorted(range(len(grid)), key=lambda index: fingerprint("draw/v1", seed, index))
    taken: Counter[tuple[str, str]] = Counter()
    chosen: list[int] = []
    while left and len(chosen) < budget:
        best = min(left, key=lambda index: _crowding(places[index], taken))
        left.remove(best)
        chosen.append(best)
        taken.update(places[best])
    return tuple(grid[index] for index in sorted(chosen))


def _places(configuration: Configuration, first: tuple[str, ...]) -> list[tuple[str, str]]:
    joint = canonical({key: configuration[key] for key in first})
    return [("", joint), *((key, canonical({key: value})) for key, value in configuration.items())]


def _crowding(places: list[tuple[str, str]], taken: Counter[tuple[str, str]]) -> tuple[int, int]:
    joint, *single = places
    return taken[joint], sum(taken[place] for place in single)
