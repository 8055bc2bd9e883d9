"""The positive control: separable by its own feature map, seeded, without repetitions, and no global state left."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.ad_hoc import read
from quantum_assets.datasets.raw import RawTable


def generate(seed: int = 0, **options: float) -> RawTable:
    return read(DataSource(dataset="ad_hoc", seed=seed, options=options))


@pytest.mark.parametrize("qubits", [3, 4])
def test_rows_are_balanced_distinct_and_in_range(qubits: int) -> None:
    raw = generate(qubits=qubits, samples=60, gap=0.2)
    assert raw.features.shape == (60, qubits)
    assert raw.labels == ("A",) * 30 + ("B",) * 30
    assert len(np.unique(raw.features, axis=0)) == 60
    assert (raw.features >= 0).all()
    assert (raw.features < 2 * np.pi).all()


def test_seed_decides_the_rows() -> None:
    first, again, other = (generate(seed, qubits=4, samples=20) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)


def test_rows_are_those_of_the_library_for_the_same_seed() -> None:
    from qiskit_machine_learning.datasets import ad_hoc_data
    from qiskit_machine_learning.utils import algorithm_globals

    algorithm_globals.random_seed = 12345
    wanted = ad_hoc_data(20, 5, 2, gap=0.3, one_hot=False)
    raw = generate(seed=12345, samples=50)
    assert np.array_equal(raw.features[:20], wanted[0][:20])
    assert np.array_equal(raw.features[20:25], wanted[2][:5])


def test_global_generator_is_left_as_it_was() -> None:
    from qiskit_machine_learning.utils import algorithm_globals

    algorithm_globals.random_seed = 99
    algorithm_globals.random.random(3)
    state = algorithm_globals.random.bit_generator.state
    generate(qubits=4, samples=10)
    with pytest.raises(PlanError):
        generate(qubits=4, gap=0.99, samples=10)
    assert algorithm_globals.random_seed == 99
    assert algorithm_globals.random.bit_generator.state == state


def test_labels_are_the_sign_of_the_observable_after_the_zz_map() -> None:
    """Recompute the labels from the formula: states that differ in label are parted by one observable."""
    raw = generate(seed=3, samples=100)
    states = _zz_states(raw.features)
    densities = np.einsum("ni,nj->nij", states, states.conj()).reshape(len(states), -1)
    design = np.hstack([densities.real, densities.imag])
    signs = np.where(np.array(raw.labels) == "A", 1.0, -1.0)
    coefficients, *_ = np.linalg.lstsq(design, signs, rcond=None)
    assert ((design @ coefficients > 0) == (signs > 0)).mean() > 0.95


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"gap": 1.5}, "options.gap"),
        ({"qubits": 2.5}, "options.qubits"),
        ({"qubits": 7}, "options.qubits"),
        ({"samples": 11}, "options.samples"),
        ({"sample": 10}, "options.sample"),
        ({"gap": 0.97, "samples": 10}, "options.gap"),
    ],
)
def test_impossible_options_end_in_an_error(options: dict[str, float], culprit: str) -> None:
    with pytest.raises(PlanError) as caught:
        generate(**options)
    assert caught.value.culprit == f"dataset ad_hoc.{culprit}"


def _zz_states(x: np.ndarray) -> np.ndarray:
    z = np.array([[1, 1, -1, -1], [1, -1, 1, -1]])
    phases = x @ z + ((np.pi - x[:, :1]) * (np.pi - x[:, 1:])) * (z[0] * z[1])
    hadamard = np.kron([[1, 1], [1, -1]], [[1, 1], [1, -1]]) / 2
    diagonal = np.exp(1j * phases)
    return diagonal * ((diagonal / 2) @ hadamard)
