"""Draws follow the distribution, the seed decides them, and packing loses nothing."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import unpack
from quantum_assets.contracts.qaoa import AnsatzSpec
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.sampling import draw, unpacked
from quantum_assets_tests.qaoa.polynomials import labs, random_polynomial

ENGINE = prepare(labs(6), AnsatzSpec())
P = ENGINE.probabilities(np.array([0.05, -0.3]))


def test_draws_follow_the_distribution() -> None:
    from scipy.stats import chisquare

    states, counts = draw(ENGINE.diagonal, P, 40_000, seed=3).counts
    seen = np.bincount(states, weights=counts, minlength=64)
    assert chisquare(seen, P / P.sum() * 40_000).pvalue > 1e-3


def test_the_seed_decides_every_shot() -> None:
    first, again = draw(ENGINE.diagonal, P, 50, seed=1), draw(ENGINE.diagonal, P, 50, seed=1)
    np.testing.assert_array_equal(first.states, again.states)
    assert (first.states != draw(ENGINE.diagonal, P, 50, seed=2).states).any()
    assert (draw(ENGINE.diagonal, P, 50, (1, 0)).states != draw(ENGINE.diagonal, P, 50, (1, 1)).states).any()


def test_every_shot_carries_its_own_energy() -> None:
    ising = random_polynomial(9, 3, seed=0)
    for spec in (AnsatzSpec(), AnsatzSpec(mixer="xy_ring", cardinality=4)):
        engine = prepare(ising, spec)
        draws = draw(engine.diagonal, engine.probabilities(np.array([0.3, -0.4])), 200, seed=0)
        np.testing.assert_allclose(draws.energies, ising.energies(draws.bits), atol=1e-12)
        assert draws.energies[draws.best] == draws.energies.min()
        if spec.cardinality is not None:
            assert (draws.bits.sum(axis=1) == 4).all()


@pytest.mark.parametrize("n", [1, 8, 9, 20, 30])
def test_packing_and_unpacking_is_the_identity(n: int) -> None:
    ising = random_polynomial(n, 2, seed=0)
    spec = AnsatzSpec() if n <= 20 else AnsatzSpec(mixer="xy_ring", cardinality=2)
    engine = prepare(ising, spec)
    draws = draw(engine.diagonal, engine.probabilities(np.array([0.3, -0.4])), 64, seed=0)
    assert draws.packed.shape == (64, -(-n // 8))
    assert draws.packed.dtype == np.uint8
    np.testing.assert_array_equal(unpacked(draws.packed, n), draws.bits)
    np.testing.assert_array_equal(draws.bits, unpack(draws.states, n))


def test_a_state_of_no_probability_is_never_drawn() -> None:
    certain = np.zeros(64)
    certain[[5, 63]] = 0.5
    assert set(draw(ENGINE.diagonal, certain, 500, seed=0).states.tolist()) == {5, 63}


def test_what_is_no_distribution_is_refused() -> None:
    for wrong in (P[:10], -P, 2 * P, np.full(64, np.nan)):
        with pytest.raises(PlanError, match="probabilities"):
            draw(ENGINE.diagonal, wrong, 10, seed=0)
    with pytest.raises(PlanError, match="shots: are 0"):
        draw(ENGINE.diagonal, P, 0, seed=0)
