"""The batched engine computes what the contract's definition says, whatever the chunking."""

import numpy as np
import pytest

from quantum_assets.circuits.archive import restore
from quantum_assets.circuits.build import build, diagonal_form
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import DiagonalForm
from quantum_assets.providers import diagonal
from quantum_assets_tests.circuits.specs import DIAGONAL, cases, label
from quantum_assets_tests.providers.workloads import angles


def qiskit_rows(spec, x):
    from qiskit.quantum_info import Statevector

    circuit = restore(build(spec, x.shape[1]))
    return np.array([Statevector(circuit.assign_parameters(row)).data for row in x])


@pytest.mark.parametrize(("spec", "width"), cases(DIAGONAL), ids=label)
def test_equals_statevector_up_to_a_global_phase(spec, width):
    x = angles(4, width, seed=width)
    found, expected = diagonal.states(diagonal_form(spec, x), width), qiskit_rows(spec, x)
    phase = np.sum(found.conj() * expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found * phase, expected, atol=1e-12)


def test_wide_states_equal_statevector():
    spec = FeatureMapSpec(kind="zz", reps=3, entanglement="full")
    x = angles(2, 9)
    found, expected = diagonal.states(diagonal_form(spec, x), 9), qiskit_rows(spec, x)
    np.testing.assert_allclose(np.abs(np.sum(found.conj() * expected, axis=1)), 1.0, atol=1e-12)


def test_chunks_do_not_show():
    width = 11
    rows = 2 * diagonal.rows_per_chunk(width) + 3
    form = diagonal_form(FeatureMapSpec(kind="zz", reps=2), angles(rows, width))
    whole = diagonal.states(form, width)
    for row in (0, diagonal.rows_per_chunk(width), rows - 1):
        alone = DiagonalForm(form.reps, form.terms, form.phases[row : row + 1])
        np.testing.assert_allclose(diagonal.states(alone, width)[0], whole[row], atol=1e-14)


def test_parities_count_the_bits_of_the_term():
    table = diagonal.parities(((0,), (0, 2), (0, 1, 2), ()), 3)
    for z in range(8):
        a, b, c = z & 1, z >> 1 & 1, z >> 2 & 1
        assert table[:, z].tolist() == [a, a ^ c, a ^ b ^ c, 0]


@pytest.mark.parametrize("width", [0, 1, 2, 3])
def test_hadamard_is_the_kronecker_power(width):
    expected = np.eye(1)
    for _ in range(width):
        expected = np.kron(expected, np.array([[1, 1], [1, -1]]) / np.sqrt(2))
    np.testing.assert_allclose(diagonal.hadamard(width), expected, atol=1e-15)


def test_no_terms_and_no_phases():
    form = DiagonalForm(2, (), np.empty((3, 0)))
    np.testing.assert_allclose(diagonal.states(form, 2), np.eye(4)[[0, 0, 0]], atol=1e-15)  # H H = 1


@pytest.mark.parametrize("term", [(3,), (0, -1)])
def test_a_term_outside_the_register_is_refused(term):
    with pytest.raises(PlanError, match="outside 3 qubits"):
        diagonal.states(DiagonalForm(1, (term,), np.zeros((1, 1))), 3)


def test_the_memory_estimate_covers_the_real_peak():
    import tracemalloc

    width, rows = 10, 600
    form = diagonal_form(FeatureMapSpec(kind="zz", reps=2, entanglement="full"), angles(rows, width))
    tracemalloc.start()
    diagonal.states(form, width)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    estimate = diagonal.peak_bytes(rows, len(form.terms), width)
    assert 16 * rows * 2**width < peak <= estimate < 4 * peak
