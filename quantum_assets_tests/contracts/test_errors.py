"""Errors cross process pools: they must come back with all their parts."""

import pickle

import pytest

from quantum_assets.contracts.errors import (
    CorruptObject,
    GuardrailError,
    PlanError,
    ProviderError,
    QuantumAssetsError,
    RejectedError,
)


@pytest.mark.parametrize(
    "error",
    [
        PlanError("wine/defs.yaml: qubits", "is 40", "Use at most 16"),
        GuardrailError("wine under profile noisy", "the circuit has 40 qubits", "Raise max_qubits"),
        CorruptObject("wine/quantum_kernel[ideal]", "version abc fails its checksum", "Load an older version"),
        ProviderError("aer", "is busy", "Try later", retry=True),
        RejectedError("wine", ["shots differ", "norm is 0.5"]),
    ],
)
def test_errors_survive_pickling(error: QuantumAssetsError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_the_message_names_culprit_problem_and_mend() -> None:
    assert str(PlanError("a.csv: column age", "holds text", "Encode it")) == "a.csv: column age: holds text. Encode it."


def test_a_rejection_keeps_every_reason() -> None:
    assert RejectedError("w", ["one", "two"]).reasons == ("one", "two")
