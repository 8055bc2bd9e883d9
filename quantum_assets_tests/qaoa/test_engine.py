"""The engine against exponentials of dense matrices, and its means, tails and refusals."""

from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.contracts.qaoa import AnsatzSpec, Objective, mixer_edges
from quantum_assets.qaoa.diagonal import all_energies, states_with
from quantum_assets.qaoa.engine import Engine, prepare, tail_mean
from quantum_assets_tests.qaoa.polynomials import labs, random_polynomial

X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])


def string(n: int, **factors: np.ndarray) -> np.ndarray:
    """Operator with the named qubits' matrices (`q0=X`) and identities elsewhere."""
    return reduce(np.kron, [factors.get(f"q{qubit}", np.eye(2)) for qubit in reversed(range(n))])


def by_matrices(ising: Ising, spec: AnsatzSpec, angles: np.ndarray) -> np.ndarray:
    """The house convention word for word, with `2**n` by `2**n` exponentials."""
    n, tilts = ising.n_variables, spec.tilts(ising.n_variables)
    if spec.cardinality is None:
        state = reduce(np.kron, [np.array([np.cos(t / 2), np.sin(t / 2)]) for t in tilts[::-1]])
        generators = [
            sum(
                np.sin(t) * string(n, **{f"q{q}": X}) + np.cos(t) * string(n, **{f"q{q}": Z})
                for q, t in enumerate(tilts)
            )
        ]
    else:
        state = np.zeros(1 << n)
        state[states_with(n, spec.cardinality)] = 1
        state = state / np.linalg.norm(state)
        generators = [
            (string(n, **{f"q{i}": X, f"q{j}": X}) + string(n, **{f"q{i}": Y, f"q{j}": Y})) / 2
            for i, j in mixer_edges(spec.mixer, n)
        ]
    for gamma, beta in zip(angles[: spec.layers], angles[spec.layers :], strict=True):
        state = np.exp(-1j * gamma * all_energies(ising)) * state
        for generator in generators:
            state = expm(-1j * beta * generator) @ state
    return state


def specs(n: int, layers: int) -> list[AnsatzSpec]:
    chances = np.random.default_rng(n).uniform(size=n).tolist()
    found = [AnsatzSpec(layers=layers), AnsatzSpec(layers=layers, probabilities=chances)]
    for mixer in ("xy_ring", "xy_complete"):
        found += [AnsatzSpec(mixer=mixer, layers=layers, cardinality=ones) for ones in {0, n // 2, n}]
    return found


@pytest.mark.parametrize(("n", "layers", "order"), [(1, 2, 1), (2, 1, 2), (3, 3, 3), (5, 2, 4), (6, 2, 4)])
def test_every_ansatz_is_its_product_of_exponentials(n: int, layers: int, order: int) -> None:
    ising = random_polynomial(n, order, seed=n)
    for spec in specs(n, layers):
        angles = np.random.default_rng(layers).uniform(-2, 2, 2 * layers)
        engine, wanted = prepare(ising, spec), by_matrices(ising, spec, angles)
        np.testing.assert_allclose(engine.state(angles), wanted, atol=1e-12)
        probabilities = engine.probabilities(angles)
        chosen = slice(None) if engine.diagonal.states is None else engine.diagonal.states
        np.testing.assert_allclose(probabilities, (np.abs(wanted) ** 2)[chosen], atol=1e-12)
        energies = ising.energies(unpack(np.arange(1 << n), n))
        assert engine.mean(angles) == pytest.approx(float(np.abs(wanted) ** 2 @ energies), abs=1e-11)


def test_levels_and_plain_energies_give_the_same_phases() -> None:
    ising = labs(9)
    with_levels = prepare(ising, AnsatzSpec(layers=2))
    assert with_levels.diagonal.levels is not None
    nudged = Ising(9, ising.terms, ising.coefficients * (1 + 1e-13 * np.arange(len(ising.terms))), ising.offset)
    without = prepare(nudged, AnsatzSpec(layers=2))
    assert without.diagonal.levels is None
    angles = np.array([0.1, 0.2, -0.4, -0.2])
    np.testing.assert_allclose(with_levels.state(angles), without.state(angles), atol=1e-10)


def test_a_state_wider_than_a_block_keeps_its_norm_and_the_warm_engine_agrees() -> None:
    ising = random_polynomial(16, 3, seed=3, per_size=20)
    angles = np.array([0.3, 0.5, -0.4, -0.2])
    plain = prepare(ising, AnsatzSpec(layers=2))
    warm = prepare(ising, AnsatzSpec(layers=2, probabilities=[0.5] * 16))
    np.testing.assert_allclose(plain.state(angles), warm.state(angles), atol=1e-13)
    assert plain.probabilities(angles).sum() == pytest.approx(1, abs=1e-12)
    assert plain.mean(angles) == pytest.approx(warm.mean(angles), abs=1e-10)


def test_mixers_of_pairs_work_beyond_what_all_states_allow() -> None:
    ising = random_polynomial(30, 2, seed=5, per_size=40)
    engine = prepare(ising, AnsatzSpec(mixer="xy_ring", layers=2, cardinality=3))
    assert engine.diagonal.n_states == 4060
    assert engine.probabilities(np.array([0.1, 0.2, -0.5, -0.3])).sum() == pytest.approx(1, abs=1e-12)
    even = ising.energies(unpack(engine.diagonal.states, 30)).mean()
    assert engine.mean(np.zeros(4)) == pytest.approx(even, abs=1e-10)
    assert engine.mean(np.array([0.02, 0.02, -0.05, -0.05])) < even


def test_energy_falls_from_the_start_for_positive_gamma_and_negative_beta() -> None:
    for spec in specs(6, 1):
        ising = random_polynomial(6, 3, seed=8)
        engine = prepare(ising, spec)
        if engine.diagonal.n_states > 1:
            assert engine.mean(np.array([0.05, -0.05])) < engine.mean(np.zeros(2)), spec
            assert engine.mean(np.array([0.05, 0.05])) > engine.mean(np.zeros(2)), spec


@pytest.mark.parametrize("spec", [AnsatzSpec(), AnsatzSpec(mixer="xy_complete", cardinality=3)])
@pytest.mark.parametrize("levels", [True, False])
def test_cvar_is_the_mean_of_the_lowest_part(spec: AnsatzSpec, levels: bool) -> None:
    ising = labs(7) if levels else random_polynomial(7, 2, seed=1, per_size=15)
    engine, angles = prepare(ising, spec), np.array([0.2, -0.4])
    probabilities, energies = engine.probabilities(angles), engine.diagonal.energies + ising.offset
    for alpha in (0.03, 0.25, 0.7, 1.0):
        rest, total = alpha, 0.0
        for place in np.argsort(energies):
            share = min(rest, probabilities[place])
            total, rest = total + share * energies[place], rest - share
        assert engine.cvar(angles, alpha) == pytest.approx(total / alpha, abs=1e-9)
    assert engine.cvar(angles, 1.0) == pytest.approx(engine.mean(angles), abs=1e-10)
    assert engine.value(angles, Objective(kind="cvar", alpha=0.25)) == engine.cvar(angles, 0.25)
    assert engine.value(angles, Objective()) == engine.mean(angles)


def test_a_tail_that_ends_inside_a_level_counts_it_in_part() -> None:
    energies, weights = np.array([-3.0, 1.0, 2.0]), np.array([0.25, 0.5, 0.25])
    assert tail_mean(energies, weights, 0.25) == -3
    assert tail_mean(energies, weights, 0.5) == pytest.approx(-1)
    assert tail_mean(energies, weights, 1.0) == pytest.approx(0.25)


def test_chance_of_an_optimum_counts_every_optimum() -> None:
    engine = prepare(labs(6), AnsatzSpec(layers=1))
    assert engine.optimum_probability(np.zeros(2)) == pytest.approx(len(engine.diagonal.optima) / 64)
    ring = prepare(labs(6), AnsatzSpec(mixer="xy_ring", cardinality=2))
    assert ring.optimum_probability(np.zeros(2)) == pytest.approx(len(ring.diagonal.optima) / 15)


def test_threads_share_an_engine_without_mixing_their_states() -> None:
    engine = prepare(random_polynomial(12, 3, seed=6), AnsatzSpec(layers=2))
    points = [np.random.default_rng(seed).uniform(-1, 1, 4) for seed in range(40)]
    alone = [engine.mean(point) for point in points]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(engine.mean, points)) == alone


def test_results_are_the_callers_own() -> None:
    engine: Engine = prepare(labs(6), AnsatzSpec())
    first = engine.probabilities(np.array([0.1, 0.2]))
    kept = first.copy()
    engine.probabilities(np.array([0.7, 0.9]))
    engine.mean(np.array([0.7, 0.9]))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("angles", [np.zeros(3), np.zeros((2, 2)), np.array([0.1, 0.2, np.nan, 0.1])])
def test_angles_that_do_not_fit_are_refused(angles: np.ndarray) -> None:
    with pytest.raises(PlanError, match="4 finite numbers for 2 layers"):
        prepare(labs(4), AnsatzSpec(layers=2)).mean(angles)


def test_an_ansatz_of_another_width_is_refused() -> None:
    with pytest.raises(PlanError, match="3 for 4 variables"):
        prepare(labs(4), AnsatzSpec(probabilities=[0.1, 0.2, 0.3]))
    with pytest.raises(PlanError, match="5 ones among 4 variables"):
        prepare(labs(4), AnsatzSpec(mixer="xy_ring", cardinality=5))
