"""Every shipped angle is what its source says; ramps, draws, transfer and interpolation follow their rules."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec
from quantum_assets.qaoa.angles import (
    fixed_angles,
    fixed_angles_for,
    flip_scale,
    interpolate,
    linear_ramp,
    random_angles,
    transfer,
)
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.fixed_angles import FIXED_ANGLES
from quantum_assets.qaoa.trees import best_tree_angles, tree_cut_fraction
from quantum_assets_tests.qaoa.polynomials import max_cut, random_polynomial


@pytest.mark.parametrize(("degree", "layers"), list(FIXED_ANGLES))
def test_every_fixed_entry_reaches_its_fraction_and_is_a_maximum(degree: int, layers: int) -> None:
    angles, fraction = fixed_angles(degree, layers).vector, FIXED_ANGLES[degree, layers][2]
    assert tree_cut_fraction(degree, angles) == pytest.approx(fraction, abs=1e-11)
    for direction in np.random.default_rng(layers).normal(size=(3, 2 * layers)):
        assert tree_cut_fraction(degree, angles + 1e-3 * direction) < fraction
        assert tree_cut_fraction(degree, angles - 1e-3 * direction) < fraction


@pytest.mark.parametrize("degree", [3, 6])
def test_the_table_can_be_made_again_from_nothing(degree: int) -> None:
    angles = np.array([np.arctan((degree - 1) ** -0.5), -np.pi / 8])
    for layers in (1, 2, 3):
        angles, fraction = best_tree_angles(degree, interpolate(AngleTable.of(angles, "test"), layers).vector)
        assert fraction == pytest.approx(FIXED_ANGLES[degree, layers][2], abs=1e-10)
        np.testing.assert_allclose(angles, fixed_angles(degree, layers).vector, atol=1e-4)


def test_a_missing_entry_says_what_there_is() -> None:
    with pytest.raises(PlanError, match=r"degree 4 and 9 layers: are not in the table \(layers 1 to 5 are\)"):
        fixed_angles(4, 9)
    with pytest.raises(PlanError, match="degrees 3 to 11 are"):
        fixed_angles(12, 1)


def test_flip_scale_is_half_the_energy_of_a_flip_over_random_bits() -> None:
    ising = random_polynomial(8, 4, seed=0)
    bits = ((np.arange(256)[:, None] >> np.arange(8)) & 1).astype(np.uint8)
    squares = [(ising.energies(bits) - ising.energies(bits ^ np.eye(8, dtype=np.uint8)[i])) ** 2 for i in range(8)]
    assert flip_scale(ising) == pytest.approx(np.sqrt(np.mean(squares)) / 2)
    assert flip_scale(max_cut("petersen")) == pytest.approx(fixed_angles(3, 1).flip_scale)
    with pytest.raises(PlanError, match="no energy scale"):
        flip_scale(Ising(2, ((0,),), np.zeros(1)))


def test_a_scaled_polynomial_gets_the_same_state() -> None:
    ising = random_polynomial(7, 3, seed=4)
    larger = Ising(7, ising.terms, 37.0 * ising.coefficients, 5.0)
    spec = AnsatzSpec(layers=3)
    first, second = fixed_angles_for(ising, 3), fixed_angles_for(larger, 3)
    np.testing.assert_allclose(
        prepare(ising, spec).state(first.vector), prepare(larger, spec).state(second.vector), atol=1e-10
    )
    assert second.flip_scale == pytest.approx(37 * first.flip_scale)
    assert "Gammas times" in second.source


def test_on_a_regular_graph_fixed_angles_for_it_are_the_table() -> None:
    np.testing.assert_allclose(fixed_angles_for(max_cut("petersen"), 2).vector, fixed_angles(3, 2).vector, rtol=1e-12)


@pytest.mark.parametrize("layers", [1, 4, 9, 16])
def test_fixed_angles_and_ramps_of_any_depth_beat_random_guessing(layers: int) -> None:
    for ising in (max_cut("random_regular", 3, 10, seed=2), random_polynomial(8, 2, seed=3, per_size=12)):
        engine = prepare(ising, AnsatzSpec(layers=layers))
        guessing = engine.mean(np.zeros(2 * layers))
        assert engine.mean(fixed_angles_for(ising, layers).vector) < guessing
        assert engine.mean(linear_ramp(layers, flip_scale(ising)).vector) < guessing


def test_more_layers_of_interpolated_fixed_angles_do_better() -> None:
    ising = max_cut("random_regular", 3, 10, seed=1)
    means = [prepare(ising, AnsatzSpec(layers=p)).mean(fixed_angles_for(ising, p).vector) for p in (1, 2, 4, 6, 10)]
    assert (np.diff(means) < 0).all()


def test_random_angles_come_from_their_seed_and_range() -> None:
    first, again, other = random_angles(4, 2.0, 1), random_angles(4, 2.0, 1), random_angles(4, 2.0, 2)
    assert first == again
    assert first != other
    assert np.abs(np.array(first.gammas) * 2.0).max() <= np.pi
    assert np.abs(first.betas).max() <= np.pi / 2


def test_transfer_needs_to_know_where_the_angles_come_from() -> None:
    solved = AngleTable(gammas=(0.4,), betas=(0.3,), convention="cut", source="A solved instance.", flip_scale=2.0)
    np.testing.assert_allclose(transfer(solved, 0.5).vector, [1.6, -0.3])
    with pytest.raises(PlanError, match="flip_scale"):
        transfer(AngleTable(gammas=(0.4,), betas=(0.3,), source="Somewhere."), 0.5)
    with pytest.raises(PlanError, match="not a positive number"):
        transfer(solved, 0.0)


def test_interpolation_keeps_ends_and_lines() -> None:
    flat = AngleTable.of(np.array([0.5, 0.5, -0.2, -0.2]), "test")
    np.testing.assert_allclose(interpolate(flat, 3).gammas, [0.5, 0.5, 0.5])
    two = AngleTable.of(np.array([0.2, 0.4, -0.4, -0.2]), "test")
    np.testing.assert_allclose(interpolate(two, 3).vector, [0.2, 0.3, 0.4, -0.4, -0.3, -0.2])
    assert interpolate(two, 2) is two
    with pytest.raises(PlanError, match="2 to 16"):
        interpolate(two, 17)
    with pytest.raises(PlanError, match="out of range"):
        linear_ramp(0, 1.0)
