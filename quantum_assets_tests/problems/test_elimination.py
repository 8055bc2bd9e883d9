"""Elimination of spins against enumeration: every row that is left keeps the lowest energy over the spins that went."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.problems.elimination import Elimination, Step, eliminate
from quantum_assets.problems.polynomial import all_energies, from_spins
from quantum_assets_tests.problems.laws import all_rows
from quantum_assets_tests.problems.test_polynomial import WEIGHTS


@st.composite
def quadratics(draw: st.DrawFn, numbers: st.SearchStrategy[float] = WEIGHTS) -> Ising:
    """Up to 9 spins, from no term at all to 16 of them; equal weights, and so ties, are common."""
    n = draw(st.integers(1, 9))
    places = [(i,) for i in range(n)] + list(combinations(range(n), 2))
    chosen = draw(st.lists(st.sampled_from(places), max_size=16, unique=True))
    weights = draw(st.lists(st.sampled_from([-1.0, 0.5, 1.0]) | numbers, min_size=len(chosen), max_size=len(chosen)))
    return from_spins(n, zip(chosen, weights, strict=True), draw(WEIGHTS))


def lowest(ising: Ising, kept: tuple[int, ...]) -> np.ndarray:
    """For every row of the kept variables, counted as basis states, the least energy over all other bits."""
    energies = all_energies(ising)
    states = unpack(np.arange(len(energies)), ising.n_variables).astype(np.int64)
    least = np.full(1 << len(kept), np.inf)
    np.minimum.at(least, states[:, list(kept)] @ (1 << np.arange(len(kept))), energies)
    return least


@settings(max_examples=150, deadline=None)
@given(quadratics(), st.integers(1, 9))
def test_every_row_that_is_left_has_the_lowest_energy_over_the_rest(ising: Ising, most: int) -> None:
    found = eliminate(ising, most)
    assert (all_energies(found.ising) == lowest(ising, found.kept)).all()
    assert found.ising.order <= 2
    assert (found.ising.coefficients != 0).all()


@settings(max_examples=100, deadline=None)
@given(quadratics(st.floats(-9, 9, allow_nan=False)), st.integers(1, 9))
def test_real_weights_are_exact_to_rounding(ising: Ising, most: int) -> None:
    found = eliminate(ising, most)
    size = 1 + abs(ising.offset) + np.abs(ising.coefficients).sum()
    np.testing.assert_allclose(all_energies(found.ising), lowest(ising, found.kept), rtol=0, atol=1e-11 * size)


@settings(max_examples=100, deadline=None)
@given(quadratics(), st.integers(1, 9))
def test_expanded_rows_have_the_energies_of_what_is_left(ising: Ising, most: int) -> None:
    found = eliminate(ising, most)
    rows = all_rows(len(found.kept))
    whole = found.expand(rows)
    assert whole.dtype == np.uint8
    assert (found.restrict(whole) == rows).all()
    assert (ising.energies(whole) == found.ising.energies(rows)).all()
    one = found.expand(rows[-1])
    assert (one == whole[-1:]).all()


@settings(max_examples=100, deadline=None)
@given(quadratics(), st.integers(1, 9))
def test_it_leaves_as_many_as_asked_for_and_stops_early_only_where_no_spin_can_go(ising: Ising, most: int) -> None:
    """Whether a spin can go is asked of the spectrum of its minimum: a product of three or more spins forbids it."""
    found = eliminate(ising, most)
    assert len(found.kept) >= min(most, ising.n_variables)
    if len(found.kept) <= most:
        return
    n = found.ising.n_variables
    energies = all_energies(found.ising).reshape((2,) * n)
    for spin in range(n):
        least = energies.min(axis=n - 1 - spin).ravel()
        masks = np.arange(len(least))
        signs = 1.0 - 2.0 * (np.bitwise_count(masks[:, None] & masks) & 1)
        assert np.abs(signs @ least)[np.bitwise_count(masks) > 2].max() > 1e-9


@settings(max_examples=60, deadline=None)
@given(quadratics(), st.integers(1, 9), st.randoms())
def test_the_order_of_terms_leaves_no_trace(ising: Ising, most: int, random) -> None:
    order = random.sample(range(len(ising.terms)), len(ising.terms))
    shuffled = Ising(ising.n_variables, tuple(ising.terms[t] for t in order), ising.coefficients[order], ising.offset)
    one, other = eliminate(ising, most), eliminate(shuffled, most)
    assert one.steps == other.steps
    assert one.ising.fingerprint == other.ising.fingerprint


def test_star_triangle_by_hand() -> None:
    """-|a + b + c| of three spins is -3 where they agree and -1 elsewhere: -3/2 and -1/2 for each pair."""
    frame = [(pair, 8.0) for pair in combinations(range(1, 4), 2)]
    found = eliminate(from_spins(4, [((0, 1), 1.0), ((0, 2), 1.0), ((0, 3), 1.0), *frame]), 3)
    assert found.steps == (Step(0, (1, 2, 3), (1.0, 1.0, 1.0), 0.0),)
    assert (found.kept, found.ising.offset) == ((1, 2, 3), -1.5)
    assert dict(zip(found.ising.terms, found.ising.coefficients, strict=True)) == dict.fromkeys(
        [(0, 1), (0, 2), (1, 2)], 7.5
    )


def test_star_triangle_takes_the_field_for_a_third_spin() -> None:
    terms = [((0, 1), 1.0), ((0, 2), 1.0), ((0,), 1.0), ((1, 2), 8.0), ((1,), 0.125), ((2,), 0.25)]
    found = eliminate(from_spins(3, terms), 2)
    assert found.steps == (Step(0, (1, 2), (1.0, 1.0), 1.0),)
    assert dict(zip(found.ising.terms, found.ising.coefficients, strict=True)) == {
        (0,): -0.375,
        (1,): -0.25,
        (0, 1): 7.5,
    }


def test_a_strong_field_fixes_a_spin_of_many_neighbours_and_so_does_a_tie() -> None:
    pairs = [((0, other), 1.0) for other in range(1, 6)]
    frame = [((i, j), 3.0 + i) for i, j in combinations(range(1, 6), 2)]  # the rest holds together
    assert eliminate(from_spins(6, [*pairs, *frame, ((0,), 4.5)]), 5).steps == ()
    for field in (5.0, 6.0):
        found = eliminate(from_spins(6, [*pairs, *frame, ((0,), field)]), 5)
        assert [step.spin for step in found.steps] == [0]
        assert (found.expand(all_rows(5)[:-1])[:, 0] == 1).all()
    tied = eliminate(from_spins(6, [*pairs, *frame, ((0,), 5.0)]), 5)
    assert tied.expand(np.ones((1, 5), dtype=np.uint8))[0, 0] == 0  # 5 - 5 = 0: both values are minima, bit 0


def test_a_spin_follows_its_strongest_neighbour() -> None:
    pairs = [((0, 1), -4.0), *(((0, other), 1.0) for other in range(2, 6))]
    frame = [((i, j), 7.0) for i, j in combinations(range(1, 6), 2)]
    found = eliminate(from_spins(6, [*pairs, *frame]), 5)
    assert [step.spin for step in found.steps] == [0]
    weights = dict(zip(found.ising.terms, found.ising.coefficients, strict=True))
    assert all(weights[0, other] == 8.0 for other in range(1, 5))  # z_0 = z_1, so J_0b joins J_1b
    assert found.ising.offset == -4.0


def test_fewest_neighbours_go_first_then_the_lowest_number() -> None:
    """A path 0-1-2-3-4 with a spin alone: that one, then the ends from the left, each end making the next."""
    path = from_spins(6, [((0, 1), 1.0), ((1, 2), 1.0), ((2, 3), 1.0), ((3, 4), 1.0)])
    assert [step.spin for step in eliminate(path, 1).steps] == [5, 0, 1, 2, 3]
    cycle = from_spins(5, [((i, j), 1.0) for i, j in ((0, 1), (1, 2), (2, 3), (3, 4), (0, 4))])
    assert [step.spin for step in eliminate(cycle, 3).steps] == [0, 1]
    field = from_spins(4, [((0,), 1.0), ((0, 1), 2.0), ((1, 2), 2.0), ((2, 3), 2.0)])
    assert eliminate(field, 3).steps[0].spin == 3  # the field is a neighbour of 0


def test_a_tree_is_solved_outright() -> None:
    rng = np.random.default_rng(2)
    tree = [((int(rng.integers(0, child)), child), float(rng.normal())) for child in range(1, 200)]
    found = eliminate(from_spins(200, tree), 1)
    assert (found.ising.n_variables, found.ising.terms) == (1, ())
    assert found.ising.offset == pytest.approx(-sum(abs(weight) for _, weight in tree), rel=1e-13)
    assert from_spins(200, tree).energies(found.expand(np.zeros(1, dtype=np.uint8)))[0] == pytest.approx(
        found.ising.offset, rel=1e-13
    )


def test_rounding_leaves_no_shadow_of_a_coupling() -> None:
    """0.1 + 0.2 - 0.3 is not 0 in binary; the pair is gone all the same, and what ties by hand ties here."""
    ising = from_spins(3, [((0, 1), 0.1 + 0.2), ((0, 2), 0.3), ((1, 2), 0.3)])
    found = eliminate(ising, 2)
    assert found.ising.terms == ()
    np.testing.assert_allclose(all_energies(found.ising), -0.3, atol=1e-15)
    assert found.expand(np.array([[0, 1]], dtype=np.uint8)).tolist() == [[0, 0, 1]]


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    rng = np.random.default_rng(8)
    ising = from_spins(40, [((i, (i * 7 + k) % 40), float(rng.normal())) for i in range(40) for k in (1, 3) if i < 30])
    found = eliminate(ising, 12)
    rows = rng.integers(0, 2, (500, len(found.kept)), dtype=np.uint8)
    together = found.expand(rows)
    assert (together == np.concatenate([found.expand(row) for row in rows])).all()


def test_what_is_refused() -> None:
    with pytest.raises(PlanError, match="terms of 3 variables"):
        eliminate(from_spins(3, [((0, 1, 2), 1.0)]), 1)
    with pytest.raises(PlanError, match="leave 0 variables"):
        eliminate(from_spins(3, [((0, 1), 1.0)]), 0)
    found = eliminate(from_spins(3, [((0, 1), 1.0)]), 2)
    with pytest.raises(PlanError, match=r"bits: have the shape \(1, 3\)"):
        found.expand(np.zeros((1, 3), dtype=np.uint8))
    with pytest.raises(PlanError, match=r"bits: have the shape \(2,\)"):
        found.restrict(np.zeros(2, dtype=np.uint8))


@pytest.mark.parametrize(
    ("n", "kept", "steps", "expected"),
    [
        (2, (0,), (), "keeps (0,) and eliminates []"),
        (2, (0,), (Step(0, (), (), 0.0),), "Keep or eliminate every variable once"),
        (3, (1, 0), (Step(2, (), (), 0.0),), "name what is kept in order"),
        (3, (0,), (Step(1, (), (), 0.0), Step(2, (), (), 0.0)), "leaves a polynomial of 2"),
        (4, (0, 3), (Step(1, (), (), 0.0), Step(2, (1,), (1.0,), 0.0)), "variable 2: depends on (1,)"),
        (3, (0, 1), (Step(2, (0,), (), 0.0),), "with 0 weights"),
    ],
)
def test_an_elimination_that_cannot_be_undone_is_refused(n, kept, steps, expected) -> None:
    with pytest.raises(PlanError) as caught:
        Elimination(n, kept, from_spins(2, [((0, 1), 1.0)]), steps)
    assert expected in str(caught.value)
