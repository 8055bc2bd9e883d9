from itertools import product

import numpy as np
import pytest

from quantum_assets.problems.teams import apart_of, cheapest_chain, dead_end, open_ends, teams_of


def test_teams():
    assert teams_of([0, 2, 3], 2) == [(0, 2), (0, 3), (2, 3)]
    np.testing.assert_array_equal(apart_of([[(0, 1), (2, 3)], [(1,), (2,), (4,)]])[0], [[0, 1, 1], [1, 0, 1]])


def test_dead_ends():
    apart = apart_of([[(0,), (1,)], [(0,), (1,)], [(0,)]])
    assert dead_end(apart, 2) is None
    assert [flags.tolist() for flags in open_ends(apart, 1)] == [[True, False], [False, True], [True]]
    assert dead_end(apart_of([[(0,)], [(1,)], [(1,)]]), 1) == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_chain_is_the_cheapest_of_all(seed):
    rng = np.random.default_rng(seed)
    teams = [teams_of([0, 1, 2, 3], size) for size in (1, 2, 1, 2)]
    apart = apart_of(teams)
    costs = [rng.uniform(size=(6, len(options))) for options in teams]
    found = np.stack(cheapest_chain(costs, apart), axis=1)
    for row in range(6):
        chains = [
            chain
            for chain in product(*(range(len(options)) for options in teams))
            if all(allowed[a, b] for allowed, a, b in zip(apart, chain[:-1], chain[1:], strict=True))
        ]
        best = min(chains, key=lambda chain: sum(costs[s][row, t] for s, t in enumerate(chain)))
        assert tuple(found[row].tolist()) == best
