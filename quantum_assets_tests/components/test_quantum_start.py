"""Where training begins: angles carried over from fewer variables, and states turned towards the greedy row."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.circuits.qaoa import amplitudes
from quantum_assets.components.quantum_sampler import SAME_STATE, trained
from quantum_assets.components.quantum_start import ansatz_of, first_angles, origin_of
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ProblemSpec, QuantumSpec
from quantum_assets.contracts.problem import Bits, Problem
from quantum_assets.contracts.qaoa import Objective
from quantum_assets.problems.build import build
from quantum_assets.problems.reduction import reduce
from quantum_assets.qaoa.angles import flip_scale


def _petersen() -> Problem:
    return build(ProblemSpec(kind="max_cut", graph="petersen"), Path(), "")


def _spec(**fields: Any) -> QuantumSpec:
    return QuantumSpec(**{"layers": 2, "training": {"evaluations": 60}, "most_variables": 12, **fields})


def test_angles_are_trained_on_fewer_variables_and_scaled_up() -> None:
    spec = _spec(start="transfer", transfer_variables=8)
    origin = origin_of(_petersen(), spec, "toy")
    narrow = reduce(_petersen(), 8)
    ising = narrow.encode().ising
    found = trained(narrow.encode(), _spec(), "toy")
    ratio = flip_scale(ising) / flip_scale(_petersen().encode().ising)
    assert origin.angles.betas == found.angles.betas
    np.testing.assert_allclose(origin.angles.gammas, np.array(found.angles.gammas) * ratio)
    assert origin.angles.flip_scale == pytest.approx(flip_scale(_petersen().encode().ising))
    assert narrow.name in origin.angles.source
    assert origin.ansatz == ansatz_of(_petersen().encode(), spec)


def test_carried_over_angles_begin_below_the_tables() -> None:
    whole, spec = _petersen(), _spec(start="transfer", transfer_variables=8)
    carried = trained(whole.encode(), spec, "toy", origin=origin_of(whole, spec, "toy"))
    tabulated = trained(whole.encode(), _spec(), "toy")
    assert carried.training.history[0].value != tabulated.training.history[0].value
    assert carried.training.history[0].value < carried.random_value
    assert carried.value <= carried.training.history[0].value
    assert carried.difference <= SAME_STATE


@pytest.mark.parametrize("lives", [0, 1, 9])
def test_without_time_to_train_on_fewer_variables_the_tables_serve(lives: int) -> None:
    spec = _spec(start="transfer", transfer_variables=8)
    origin = origin_of(_petersen(), spec, "toy", lambda history: "It is late." if len(history) >= lives else "")
    assert origin.angles == first_angles(_petersen().encode(), spec)
    assert origin.halted == "It is late."
    calm = origin_of(_petersen(), spec, "toy", lambda _: "")
    assert calm == origin_of(_petersen(), spec, "toy")
    assert (calm.halted, calm.angles == origin.angles) == ("", False)


def test_an_instance_that_is_narrow_already_starts_from_the_tables() -> None:
    narrow = reduce(_petersen(), 7)
    origin = origin_of(narrow, _spec(start="transfer", transfer_variables=7), "toy")
    assert origin.angles == first_angles(narrow.encode(), _spec())


def test_what_cannot_be_reduced_so_far_is_refused_with_the_field() -> None:
    with pytest.raises(PlanError) as caught:
        origin_of(_petersen(), _spec(start="transfer", transfer_variables=4), "toy")
    for word in ("study toy: quantum.transfer_variables", "is 4", "leaves 7", "Raise it, or take another start"):
        assert word in str(caught.value)


def test_what_may_be_frozen_is_carried_over_from_the_frozen_instance() -> None:
    origin = origin_of(_petersen(), _spec(start="transfer", transfer_variables=4, narrowing="freeze"), "toy")
    assert "4 of" in origin.angles.source
    assert origin.angles.flip_scale == pytest.approx(flip_scale(_petersen().encode().ising))


@pytest.mark.parametrize("epsilon", [0.05, 0.25])
@pytest.mark.parametrize("objective", [Objective(), Objective(kind="cvar", alpha=0.25)])
def test_a_warm_start_measures_the_greedy_row_with_the_stated_chance(epsilon: float, objective: Objective) -> None:
    narrow = reduce(_petersen(), 7)
    spec = _spec(warm_start=epsilon, objective=objective)
    ready = trained(narrow.encode(), spec, "toy", origin=origin_of(narrow, spec, "toy"))
    assert ready.difference <= SAME_STATE  # circuit and engine agree at the trained angles
    still = np.zeros(4)
    at_start = ready.engine.probabilities(still)
    greedy = narrow.greedy()
    index = int(greedy @ (1 << np.arange(7)))
    assert at_start[index] == pytest.approx((1 - epsilon) ** 7)
    assert _ones(at_start) == pytest.approx(np.where(greedy == 1, 1 - epsilon, epsilon))
    assert ready.value <= ready.training.history[0].value
    state = np.abs(amplitudes(ready.circuit, ready.angles)) ** 2
    np.testing.assert_allclose(state, ready.engine.probabilities(ready.angles.vector), atol=1e-9)


def _ones(probabilities: np.ndarray) -> np.ndarray:
    bits: Bits = ((np.arange(len(probabilities))[:, None] >> np.arange(7)) & 1).astype(np.uint8)
    return probabilities @ bits


@pytest.mark.parametrize("objective", [Objective(), Objective(kind="cvar", alpha=0.25)])
def test_what_a_warm_start_is_compared_with_stays_uniform_bits(objective: Objective) -> None:
    """Were it the warm state itself, a start that knows the greedy row would be held against itself."""
    narrow = reduce(_petersen(), 7)
    spec = _spec(warm_start=0.1, objective=objective)
    warm = trained(narrow.encode(), spec, "toy", origin=origin_of(narrow, spec, "toy"))
    cold = trained(narrow.encode(), _spec(objective=objective), "toy")
    assert warm.random_value == pytest.approx(cold.random_value, abs=1e-12)
    assert warm.engine.value(np.zeros(4), objective) < warm.random_value


def test_half_is_the_uniform_start() -> None:
    narrow = reduce(_petersen(), 7)
    spec = _spec(warm_start=0.5)
    warm = trained(narrow.encode(), spec, "toy", origin=origin_of(narrow, spec, "toy"))
    cold = trained(narrow.encode(), _spec(), "toy")
    assert warm.value == pytest.approx(cold.value, abs=1e-9)


def test_both_starts_go_together() -> None:
    spec = _spec(start="transfer", transfer_variables=8, warm_start=0.2)
    ready = trained(_petersen().encode(), spec, "toy", origin=origin_of(_petersen(), spec, "toy"))
    assert ready.engine.spec.initial == "warm"
    assert ready.difference <= SAME_STATE
    assert ready.value <= ready.training.history[0].value


def test_a_warm_start_without_a_row_is_refused() -> None:
    with pytest.raises(PlanError, match=r"quantum\.warm_start: has no row to begin at"):
        trained(_petersen().encode(), _spec(warm_start=0.2), "toy")
