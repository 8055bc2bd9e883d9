"""Ansatz, angles and budget: what fits together, in which order pairs act, and what conventions mean."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.linalg import expm

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec, Convention, Objective, TrainingBudget, mixer_edges


def test_the_start_follows_from_the_mixer_unless_it_is_said() -> None:
    assert AnsatzSpec().initial == "uniform"
    assert AnsatzSpec(mixer="xy_ring", cardinality=2).initial == "dicke"
    assert AnsatzSpec(probabilities=[0.1, 0.9]).initial == "warm"
    again = AnsatzSpec.model_validate_json(AnsatzSpec(probabilities=[0.1, 0.9]).model_dump_json())
    assert again == AnsatzSpec(probabilities=(0.1, 0.9))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mixer": "xy_ring"}, "cardinality"),
        ({"cardinality": 2}, "cardinality"),
        ({"mixer": "xy_ring", "cardinality": 2, "initial": "uniform"}, "dicke"),
        ({"initial": "dicke"}, "dicke"),
        ({"initial": "warm"}, "probabilities"),
        ({"initial": "uniform", "probabilities": [0.5]}, "probabilities"),
        ({"probabilities": [0.5, 1.2]}, "1.2"),
        ({"layers": 0}, "layers"),
        ({"layers": 17}, "layers"),
        ({"mixer": "grover"}, "mixer"),
        ({"epsilon": 0.0, "probabilities": [0.5]}, "epsilon"),
        ({"depth": 3}, "depth"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AnsatzSpec.model_validate(fields)


def test_tilts_are_the_regularised_probabilities() -> None:
    spec = AnsatzSpec(probabilities=[0.0, 0.3, 0.5, 1.0], epsilon=0.1)
    np.testing.assert_allclose(np.sin(spec.tilts(4) / 2) ** 2, [0.1, 0.3, 0.5, 0.9])
    np.testing.assert_allclose(AnsatzSpec().tilts(3), np.pi / 2)
    with pytest.raises(PlanError, match="4 for 3 variables"):
        spec.tilts(3)


@pytest.mark.parametrize("n", range(1, 12))
def test_a_complete_mixer_has_every_pair_once_and_rounds_that_share_no_qubit(n: int) -> None:
    edges = mixer_edges("xy_complete", n)
    assert sorted(edges) == [(i, j) for i in range(n) for j in range(i + 1, n)]
    for start in range(0, len(edges), max(1, n // 2)):
        qubits = [qubit for edge in edges[start : start + n // 2] for qubit in edge]
        assert len(set(qubits)) == len(qubits)


def test_a_ring_goes_by_even_pairs_odd_pairs_and_the_closing_one() -> None:
    assert mixer_edges("xy_ring", 1) == ()
    assert mixer_edges("xy_ring", 2) == ((0, 1),)
    assert mixer_edges("xy_ring", 3) == ((0, 1), (1, 2), (0, 2))
    assert mixer_edges("xy_ring", 6) == ((0, 1), (2, 3), (4, 5), (1, 2), (3, 4), (0, 5))
    assert mixer_edges("x", 6) == ()


@pytest.mark.parametrize("convention", list(Convention))
def test_conversion_keeps_the_distribution_that_the_statement_says(convention: Convention) -> None:
    energies, flip = np.array([0.3, -1.1]), np.array([[0.0, 1.0], [1.0, 0.0]])
    told = {
        Convention.HOUSE: energies,
        Convention.CUT: -energies,
        Convention.HALF_CUT: -energies / 2,
        Convention.DOUBLE_CUT: -2 * energies,
        Convention.HALF_ENERGY: energies / 2,
    }[convention]
    table = AngleTable(gammas=(0.7, 0.4), betas=(-0.2, 0.5), convention=convention, source="A test.")

    def distribution(gammas: object, betas: object, diagonal: np.ndarray) -> np.ndarray:
        state = np.full(2, 0.5**0.5, dtype=complex)
        for gamma, beta in zip(gammas, betas, strict=True):
            state = expm(-1j * beta * flip) @ (np.exp(-1j * gamma * diagonal) * state)
        return np.abs(state) ** 2

    house = table.house()
    np.testing.assert_allclose(
        distribution(house.gammas, house.betas, energies), distribution(table.gammas, table.betas, told), atol=1e-14
    )
    assert house.convention is Convention.HOUSE
    assert house.house() is house
    assert convention is Convention.HOUSE or convention.statement in house.source


def test_a_vector_and_its_table_are_one_value() -> None:
    table = AngleTable.of(np.array([0.1, 0.2, -0.3, -0.4]), "A test.", 1.5)
    assert (table.gammas, table.betas) == ((0.1, 0.2), (-0.3, -0.4))
    np.testing.assert_array_equal(table.vector, [0.1, 0.2, -0.3, -0.4])
    assert AngleTable.model_validate_json(table.model_dump_json()) == table


def test_tables_objectives_and_budgets_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValidationError, match="2 gammas for 1 betas"):
        AngleTable(gammas=(0.1, 0.2), betas=(0.1,), source="A test.")
    with pytest.raises(ValidationError, match="finite"):
        AngleTable(gammas=(float("nan"),), betas=(0.1,), source="A test.")
    with pytest.raises(ValidationError, match="source"):
        AngleTable(gammas=(0.1,), betas=(0.1,), source="")
    with pytest.raises(ValidationError, match="cvar"):
        Objective(alpha=0.5)
    with pytest.raises(ValidationError, match="alpha"):
        Objective(kind="cvar", alpha=0.0)
    with pytest.raises(ValidationError, match="evaluations"):
        TrainingBudget(evaluations=0)
    assert TrainingBudget().fingerprint != TrainingBudget(seed=1).fingerprint
