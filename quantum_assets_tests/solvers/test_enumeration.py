import numpy as np
import pytest

from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.solvers import enumeration
from quantum_assets.solvers.declined import Declined
from quantum_assets_tests.solvers.instances import Clock, minimum, random_ising


@pytest.mark.parametrize(("n", "order"), [(1, 1), (3, 2), (6, 5), (12, 2), (13, 3), (14, 4)])
def test_optimum_of_small_instances(n, order):
    ising = random_ising(n, order, seed=n, whole=n > 12)
    found = enumeration.solve(ising, seconds=600)
    assert found.energy == pytest.approx(minimum(ising))
    assert found.proven
    assert found.reads == 2**n


def test_every_energy_is_looked_at_in_the_order_of_its_index():
    ising = random_ising(14, 3, seed=2)
    blocks = dict(enumeration._blocks(ising))
    whole = np.concatenate([blocks[first] for first in sorted(blocks)])
    assert np.allclose(whole, ising.energies(unpack(np.arange(2**14), 14)))


def test_labs_of_length_20_has_the_published_optimum():
    # low autocorrelation: E = Σ_k (Σ_i s_i s_{i+k})², published optimum 26
    n, weights, offset = 20, {}, 0
    for k in range(1, n):
        for i in range(n - k):
            for j in range(n - k):
                spins = sorted(s for s in {i, i + k, j, j + k} if [i, i + k, j, j + k].count(s) % 2)
                weights[tuple(spins)] = weights.get(tuple(spins), 0) + 1
    offset = weights.pop(())
    ising = Ising(n, tuple(weights), np.array(list(weights.values()), dtype=float), float(offset))
    found = enumeration.solve(ising, seconds=600)
    assert (found.energy, found.proven) == (26, True)


def test_a_cut_run_claims_nothing():
    found = enumeration.solve(random_ising(20, 2, 1), seconds=2.5, clock=Clock(1.0))
    assert found.bound is None
    assert found.settings["stopped_by"] == "seconds"
    assert found.reads < 2**20


def test_more_variables_are_declined():
    with pytest.raises(Declined, match="more than 24"):
        enumeration.solve(Ising(25, ((0,),), np.array([1.0])), seconds=1, max_variables=40)
