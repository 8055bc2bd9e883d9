"""Each limit is held with the figure that breaks it; just within it passes."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import Guardrails
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.guardrails import check_guardrails, estimate_memory
from quantum_assets_tests.trust.honest import CIRCUITS, EXACT, NOISY, circuit, overlaps_workload, states_workload


def test_width() -> None:
    limits = EXACT.model_copy(update={"guardrails": Guardrails(max_qubits=3)})
    check_guardrails(states_workload(n_qubits=3), limits)
    with pytest.raises(PlanError, match=r"a question under profile ideal: the circuit has 4 qubits, .* allows 3"):
        check_guardrails(states_workload(n_qubits=4), limits)


def test_circuits() -> None:
    limits = CIRCUITS.model_copy(update={"guardrails": Guardrails(max_circuits=9)})
    check_guardrails(overlaps_workload(rows=3), limits)
    with pytest.raises(PlanError, match="16 circuits are needed, the profile allows 9"):
        check_guardrails(overlaps_workload(rows=4), limits)
    check_guardrails(states_workload(rows=40), limits)


def test_memory() -> None:
    limits = EXACT.model_copy(update={"guardrails": Guardrails(max_memory_bytes=1_000_000)})
    check_guardrails(states_workload(rows=100, n_qubits=8), limits)
    with pytest.raises(PlanError, match=r"about 0\.00164 GB of memory is needed, the profile allows 0\.001"):
        check_guardrails(states_workload(rows=200, n_qubits=8), limits)


def test_a_density_matrix_costs_the_square_of_a_state() -> None:
    wide = Workload(circuit(10), np.zeros((1, 10)), "overlaps", pairs=np.array([[0, 0]]))
    assert estimate_memory(wide, CIRCUITS) == 2 * 16 * 2**10 + 24
    assert estimate_memory(wide, NOISY) == 2 * 16 * 4**10 + 24
    with pytest.raises(PlanError, match="GB of memory"):
        check_guardrails(wide, NOISY.model_copy(update={"guardrails": Guardrails(max_memory_bytes=30_000_000)}))
