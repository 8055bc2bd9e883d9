"""Controls draw in the sampler's own sample space, and are named after it."""

import numpy as np
import pytest

from quantum_assets.contracts.problem import Ising
from quantum_assets.models.conditional_bernoulli import draw_given_ones
from quantum_assets.models.controls import (
    Shots,
    coin_shots,
    control_kind,
    controls_of,
    counted,
    merged,
    product_given_ones,
    product_shots,
    uniform_given_ones,
    uniform_shots,
)


def ising(*terms: tuple[int, ...], weights: tuple[float, ...] = ()) -> Ising:
    return Ising(4, terms, np.array(weights or (1.0,) * len(terms)))


@pytest.mark.parametrize(
    ("polynomial", "keeps_ones", "kind"),
    [
        (ising((0, 1), (2, 3)), False, "shared_coin"),
        (ising((0, 1), (0, 1, 2, 3)), False, "shared_coin"),
        (ising((0, 1), (2,)), False, "marginals"),
        (ising((0, 1, 2)), False, "marginals"),
        (ising((0, 1), (2,), weights=(1.0, 1e-16)), False, "shared_coin"),  # rounding of terms that cancel
        (ising((0, 1), (2,), weights=(1.0, 1e-6)), False, "marginals"),
        (ising(), False, "marginals"),
        (ising((0, 1), (2,)), True, "given_ones"),
        (ising((0, 1)), True, "given_ones"),
    ],
)
def test_the_kind_follows_from_polynomial_and_ansatz(polynomial: Ising, keeps_ones: bool, kind: str) -> None:
    assert control_kind(polynomial, keeps_ones) == kind


def ones_of(shots: Shots) -> list[int]:
    return sorted(np.repeat(shots.bits.sum(axis=1), shots.counts).tolist())


FIVE_OF_EIGHT = counted(draw_given_ones(np.linspace(-2, 2, 8), 5, 3000, np.random.default_rng(1)))


def test_controls_have_as_many_ones_shot_for_shot() -> None:
    """Also where noise spoils them; no ones and all ones are rows like others."""
    noisy = merged(
        np.concatenate([FIVE_OF_EIGHT.bits, uniform_shots(8, 500, 2).bits, np.zeros((1, 8)), np.ones((1, 8))]),
        np.concatenate([FIVE_OF_EIGHT.counts, uniform_shots(8, 500, 2).counts, [3, 2]]),
    )
    for sampler in (FIVE_OF_EIGHT, noisy):
        for control in (uniform_given_ones(sampler, 3), product_given_ones(sampler, 4)):
            assert ones_of(control) == ones_of(sampler)


def test_the_conditional_product_has_the_samplers_marginals_and_the_uniform_rows_have_none() -> None:
    assert product_given_ones(FIVE_OF_EIGHT, 4).marginals == pytest.approx(FIVE_OF_EIGHT.marginals, abs=0.04)
    assert uniform_given_ones(FIVE_OF_EIGHT, 4).marginals == pytest.approx(np.full(8, 5 / 8), abs=0.04)
    assert len(uniform_given_ones(FIVE_OF_EIGHT, 4).counts) == 56  # every row with five ones came


def test_each_number_of_ones_keeps_its_own_marginals() -> None:
    """Rows with one 1 have it in front, rows with two have them at the end: the mean of both says neither."""
    sampler = Shots(np.array([[1, 0, 0, 0, 0], [0, 0, 0, 1, 1]], dtype=np.uint8), np.array([40, 60]))
    drawn = product_given_ones(sampler, 1)
    assert dict(zip(map(tuple, drawn.bits.tolist()), drawn.counts.tolist(), strict=True)) == {
        (1, 0, 0, 0, 0): 40,
        (0, 0, 0, 1, 1): 60,
    }


@pytest.mark.parametrize(
    ("kind", "uniform", "product"),
    [
        ("marginals", "uniform bits", "product of its marginals"),
        ("shared_coin", "uniform bits", "product of its marginals up to a flip of all bits"),
        ("given_ones", "uniform rows of 5 ones", "product of its marginals, given 5 ones"),
    ],
)
def test_controls_say_what_they_are(kind: str, uniform: str, product: str) -> None:
    found = controls_of(FIVE_OF_EIGHT, kind, (1, 2))  # type: ignore[arg-type]
    assert (found.kind, found.uniform_name, found.product_name) == (kind, uniform, product)
    assert found.uniform.total == found.product.total == FIVE_OF_EIGHT.total
    assert found.product.bits.shape[1] == 8


def test_the_names_of_one_1_and_of_many_numbers() -> None:
    one = controls_of(Shots(np.eye(3, dtype=np.uint8), np.ones(3, dtype=np.int64)), "given_ones", (1, 2))
    assert one.uniform_name == "uniform rows of 1 one"
    many = controls_of(uniform_shots(4, 100, 1), "given_ones", (1, 2))
    assert many.product_name == "product of its marginals, given each shot's number of ones"


def test_a_coin_flips_all_bits_together() -> None:
    drawn = coin_shots(np.array([0.0, 1.0, 1.0]), 1000, seed=1)
    assert drawn.bits.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert abs(int(drawn.counts[0]) - 500) < 80


def test_marginals() -> None:
    shots = Shots(np.array([[0, 1], [1, 1]], dtype=np.uint8), np.array([3, 1]))
    assert shots.marginals.tolist() == [0.25, 1.0]
    assert product_shots(np.array([0.0, 1.0]), 50, seed=1).bits.tolist() == [[0, 1]]
    many = product_shots(np.array([0.25, 0.5]), 20_000, seed=1)
    assert many.marginals == pytest.approx([0.25, 0.5], abs=0.02)
