"""A profile that contradicts itself is refused where it is written, and what ran is compared with what was asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile, NoiseSpec, Transpilation

NOISY = ExecutionProfile(
    name="noisy",
    mode="noisy",
    estimator="circuits",
    providers=("aer",),
    shots=100,
    seed=3,
    noise=NoiseSpec(readout=0.1),
)
HONOURED = EffectiveProfile(
    mode="noisy",
    estimator="circuits",
    provider="aer",
    engine="density_matrix",
    shots=100,
    seed=3,
    noise=NoiseSpec(readout=0.1),
    transpilation=Transpilation(),
)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"shots": 10}, "takes no shots"),
        ({"estimator": "binomial"}, "needs shots"),
        ({"mode": "noisy"}, "noise section belong together"),
        ({"noise": NoiseSpec()}, "noise section belong together"),
        ({"mode": "hardware", "estimator": "binomial", "shots": 5}, "ideal device only"),
        ({"name": "../evil"}, "pattern"),
        ({"providers": ()}, "at least 1"),
        ({"sots": 5}, "Extra inputs"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ExecutionProfile(**({"name": "p", "mode": "ideal", "providers": ("statevector",)} | fields))


def test_an_honoured_profile_has_no_differences() -> None:
    assert HONOURED.differences(NOISY) == ()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"noise": None}, "noise"),
        ({"shots": 99}, "shots"),
        ({"seed": None}, "seed"),
        ({"mode": "ideal"}, "mode"),
        ({"provider": "other"}, "provider"),
        ({"estimator": "binomial"}, "estimator"),
        ({"transpilation": Transpilation(optimization_level=3)}, "transpilation"),
    ],
)
def test_every_difference_is_named(change: dict[str, Any], word: str) -> None:
    differences = HONOURED.model_copy(update=change).differences(NOISY)
    assert len(differences) == 1
    assert differences[0].startswith(word)
