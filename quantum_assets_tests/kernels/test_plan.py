"""Plans ask for what the profile prices, and what is too large is refused before any of it exists."""

import tracemalloc

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile, Guardrails
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.kernels.plan import check_size, estimate_memory, most_rows, plan
from quantum_assets_tests.trust.honest import BINOMIAL, CIRCUITS, EXACT, NOISY

ZZ = FeatureMapSpec(kind="zz", reps=2, entanglement="linear")
VALUES = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("profile", [EXACT, BINOMIAL], ids=lambda p: p.name)
def test_exact_and_binomial_profiles_ask_for_states(profile: ExecutionProfile) -> None:
    workload = plan(ZZ, 0.5, VALUES, profile, label="wine/r0f0")
    assert workload.measure == "states"
    assert workload.pairs is None
    np.testing.assert_array_equal(workload.bindings, 0.5 * VALUES)
    assert workload.diagonal is not None
    assert workload.diagonal.phases.shape[0] == 5
    assert workload.label == "wine/r0f0"
    assert workload.circuit.name == "zz-linear-r2"


def test_a_map_without_diagonal_form_goes_without() -> None:
    pauli = FeatureMapSpec(kind="pauli", paulis=("Z", "YY"), reps=1)
    assert plan(pauli, 1.0, VALUES, EXACT).diagonal is None


@pytest.mark.parametrize("profile", [CIRCUITS, NOISY], ids=lambda p: p.name)
def test_priced_and_noisy_profiles_ask_for_both_triangles_and_the_diagonal(profile: ExecutionProfile) -> None:
    workload = plan(ZZ, 1.0, VALUES, profile)
    assert workload.measure == "overlaps"
    assert workload.pairs is not None
    assert [tuple(pair) for pair in workload.pairs] == [(i, j) for i in range(5) for j in range(5)]


def test_only_the_wanted_rows_and_columns_are_paid_for() -> None:
    workload = plan(ZZ, 1.0, VALUES, CIRCUITS, rows=np.array([4, 1]), columns=np.array([0, 2, 3]))
    assert workload.pairs is not None
    assert [tuple(pair) for pair in workload.pairs] == [(4, 0), (4, 2), (4, 3), (1, 0), (1, 2), (1, 3)]
    tight = CIRCUITS.model_copy(update={"guardrails": Guardrails(max_circuits=6)})
    plan(ZZ, 1.0, VALUES, tight, rows=np.array([4, 1]), columns=np.array([0, 2, 3]))
    with pytest.raises(PlanError, match="25 overlap circuits are needed, the profile allows 6"):
        plan(ZZ, 1.0, VALUES, tight)


def test_the_same_question_has_the_same_fingerprint_and_another_bandwidth_another() -> None:
    fingerprint = plan(ZZ, 0.5, VALUES, EXACT).fingerprint
    assert plan(ZZ, 0.5, VALUES.copy(), EXACT, label="other").fingerprint == fingerprint
    assert plan(ZZ.model_copy(update={"bandwidths": (0.5,)}), 0.5, VALUES, EXACT).fingerprint == fingerprint
    assert plan(ZZ, 0.6, VALUES, EXACT).fingerprint != fingerprint


@pytest.mark.parametrize("profile", [EXACT, BINOMIAL, CIRCUITS, NOISY], ids=lambda p: p.name)
def test_a_million_rows_are_refused_with_the_estimate_and_without_allocating(profile: ExecutionProfile) -> None:
    million = np.broadcast_to(np.zeros((1, 4)), (10**6, 4))
    tracemalloc.start()
    with pytest.raises(PlanError) as caught:
        plan(ZZ, 1.0, million, profile, label="huge")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000
    message = str(caught.value)
    assert "huge: 1000000 samples on 4 qubits under profile" in message
    assert ("2.4e+04 GB" if profile in {EXACT, BINOMIAL} else "1000000000000 overlap circuits") in message


def test_the_estimate_counts_states_and_matrix() -> None:
    assert estimate_memory(1000, 12) == 3 * 16 * 1000 * 4096 + 3 * 8 * 1000**2
    limits = EXACT.model_copy(update={"guardrails": Guardrails(max_memory_bytes=250_000_000)})
    check_size(1000, 12, limits)
    with pytest.raises(PlanError, match=r"about 0\.417 GB of memory is needed, the profile allows 0\.25 GB"):
        check_size(1000, 13, limits)


@pytest.mark.parametrize("budget", [1_000_000, 4_000_000_000, 10**13])
@pytest.mark.parametrize("n_qubits", [1, 8, 16])
def test_most_rows_is_the_last_number_within_the_budget(budget: int, n_qubits: int) -> None:
    rows = most_rows(budget, n_qubits)
    assert estimate_memory(rows, n_qubits) <= budget < estimate_memory(rows + 1, n_qubits)


def test_too_many_qubits_are_refused() -> None:
    with pytest.raises(PlanError, match="the profile allows 16 qubits"):
        plan(ZZ, 1.0, np.zeros((3, 17)), EXACT)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, np.nan, np.inf])
def test_a_bandwidth_that_is_no_scale_is_refused(bandwidth: float) -> None:
    with pytest.raises(PlanError, match=r"zz-linear-r2: bandwidth is"):
        plan(ZZ, bandwidth, VALUES, EXACT)


def test_values_that_are_no_table_or_not_finite_are_refused() -> None:
    with pytest.raises(PlanError, match=r"values have shape \(3,\)"):
        plan(ZZ, 1.0, VALUES[0], EXACT)
    holed = VALUES.copy()
    holed[1, 1] = np.nan
    for profile in (EXACT, CIRCUITS):
        with pytest.raises(PlanError):
            plan(ZZ, 1.0, holed, profile)
