"""Rows of bits: shapes and values are judged before anything is computed from them."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems import rows
from quantum_assets.problems.graphs import named
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets.problems.rows import matrix_of, pair_sums, pieces

PETERSEN = MaxCut(named("petersen"))


def test_one_row_becomes_a_matrix_and_other_integers_become_bits() -> None:
    assert matrix_of(PETERSEN, np.zeros(10, dtype=np.uint8)).shape == (1, 10)
    assert matrix_of(PETERSEN, np.eye(10, dtype=np.int64)).dtype == np.uint8


@pytest.mark.parametrize(
    ("bits", "problem"),
    [
        (np.zeros((2, 9), dtype=np.uint8), "have the shape (2, 9) for 10 variables"),
        (np.zeros((1, 2, 10), dtype=np.uint8), "have the shape (1, 2, 10) for 10 variables"),
        (np.full(10, 2, dtype=np.uint8), "hold the value 2"),
        (np.full(10, -1), "hold the value -1"),
        (np.full(10, 0.5), "hold the value 0.5"),
        (np.full(10, np.nan), "hold the value nan"),
    ],
)
def test_what_is_not_bits_is_refused(bits: np.ndarray, problem: str) -> None:
    with pytest.raises(PlanError) as caught:
        matrix_of(PETERSEN, bits)
    assert caught.value.culprit == "max_cut petersen: bits"
    assert caught.value.problem == problem


def test_pieces_cover_every_row_once() -> None:
    assert [i for piece in pieces(10, rows._CHUNK // 3) for i in range(10)[piece]] == list(range(10))
    assert list(pieces(0, 5)) == []
    assert len(list(pieces(7, 10 * rows._CHUNK))) == 7


def test_pair_sums_are_the_same_in_pieces() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (50, 8), dtype=np.uint8)
    pairs = np.array([[0, 1], [2, 7]])
    many = np.tile(pairs, (rows._CHUNK // 40, 1))  # wide enough for several pieces
    weights = np.ones(len(many))
    expected = ((bits[:, 0] & bits[:, 1]) + (bits[:, 2] & bits[:, 7]).astype(float)) * (len(many) // 2)
    assert (pair_sums(bits, many, weights, np.logical_and) == expected).all()
