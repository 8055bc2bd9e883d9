import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.solvers import annealing
from quantum_assets_tests.recorded import DATA, max_cut, needs_data
from quantum_assets_tests.solvers.instances import Clock, karate_max_cut, minimum, random_ising


@pytest.mark.parametrize("order", [2, 3, 4])
def test_finds_small_optima(order):
    ising = random_ising(10, order, seed=order)
    found = annealing.solve(ising, seconds=60, seed=1, reads=32, sweeps=100)
    assert found.energy == pytest.approx(minimum(ising))
    assert found.energy == pytest.approx(ising.energies(found.bits)[0])
    assert found.bound is None
    assert found.reads == 32
    assert found.settings["stopped_by"] == "reads"


@pytest.mark.parametrize("order", [2, 3])
def test_same_seed_same_rows_and_another_clock_changes_nothing(order):
    ising = random_ising(12, order, seed=5)
    one, two = (annealing.solve(ising, seconds=1e6, seed=4, reads=20, sweeps=5, clock=Clock(t)) for t in (0.0, 1.0))
    assert (one.bits == two.bits).all()
    assert [i.energy for i in one.incumbents] == [i.energy for i in two.incumbents]


@pytest.mark.parametrize("order", [2, 3])
def test_more_reads_are_never_worse(order):
    ising = random_ising(14, order, seed=6)
    energies = [annealing.solve(ising, seconds=1e6, seed=4, reads=r, sweeps=1).energy for r in (16, 64, 160)]
    assert energies == sorted(energies, reverse=True)


@pytest.mark.parametrize("order", [2, 3])
def test_the_cap_cuts_and_says_so(order):
    found = annealing.solve(random_ising(10, order, 1), seconds=3, seed=1, reads=128, sweeps=10, clock=Clock(1.0))
    assert found.settings["stopped_by"] == "seconds"
    assert 1 <= found.reads < 128


@pytest.mark.parametrize("budget", [{"reads": 0}, {"sweeps": 0}, {"seed": -1}, {"seconds": 0}])
def test_refuses_an_empty_budget(budget):
    with pytest.raises(PlanError):
        annealing.solve(random_ising(4, 2, 1), **{"seconds": 1, "seed": 0, **budget})


def test_karate():
    assert annealing.solve(karate_max_cut(), seconds=60, seed=1, reads=16, sweeps=100).energy == -61


@needs_data
@pytest.mark.parametrize(
    ("name", "best"),
    [("g05_60.0", 536), ("g05_80.0", 929), pytest.param("G11.txt", 564, marks=pytest.mark.slow)],
)
def test_reaches_the_best_known_cuts(name, best):
    ising = max_cut(DATA / "maxcut" / name)
    found = annealing.solve(ising, seconds=300, seed=1)
    assert found.energy == -best
    assert found.settings["stopped_by"] == "reads"
    spins = 1 - 2 * found.bits.astype(int)
    weights = 2 * ising.coefficients
    assert sum(w for (a, b), w in zip(ising.terms, weights, strict=True) if spins[a] != spins[b]) == best
    assert np.all(np.diff([i.energy for i in found.incumbents]) < 0)
