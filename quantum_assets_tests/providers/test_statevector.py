"""The exact provider: what its envelope says, and that its cross-check is no ornament."""

from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.workload import DiagonalForm
from quantum_assets.providers.statevector import StatevectorProvider
from quantum_assets_tests.providers.workloads import IDEAL, SAMPLED, ZZ, states_workload


def test_binomial_profiles_get_exact_states_and_say_what_the_draw_will_be():
    workload = states_workload(ZZ, 6, 3)
    exact, sampled = (StatevectorProvider().run(workload, profile) for profile in (IDEAL, SAMPLED))
    np.testing.assert_array_equal(exact.data.amplitudes, sampled.data.amplitudes)
    assert (exact.effective.shots, exact.effective.seed, exact.effective.estimator) == (None, None, "exact")
    assert (sampled.effective.shots, sampled.effective.seed) == (512, 5)
    assert (sampled.effective.estimator, sampled.effective.engine) == ("binomial", "diagonal-states")
    assert (sampled.circuits_run, sampled.circuits_needed) == (0, 15)


def test_a_false_diagonal_form_is_found_by_the_crosscheck():
    workload = states_workload(ZZ, 6, 3)
    form = workload.diagonal
    lies = {
        "phases": DiagonalForm(form.reps, form.terms, form.phases * 1.01),
        "reps": DiagonalForm(form.reps + 1, form.terms, form.phases),
        "qubits": DiagonalForm(form.reps, tuple(tuple(2 - q for q in t) for t in form.terms), form.phases),
    }
    for lie in lies.values():
        envelope = StatevectorProvider().run(replace(workload, diagonal=lie), IDEAL)
        assert envelope.crosscheck_difference > 1e-3


@pytest.mark.parametrize("rows", [2, 7])
def test_the_tile_has_the_rows_of_the_guardrail(rows):
    profile = IDEAL.model_copy(update={"guardrails": IDEAL.guardrails.model_copy(update={"crosscheck_rows": rows})})
    assert StatevectorProvider().run(states_workload(ZZ, 9, 2), profile).metrics["crosscheck_rows"] == rows
