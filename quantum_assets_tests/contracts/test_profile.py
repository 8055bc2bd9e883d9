"""A profile that contradicts itself is refused where it is written, and what ran is compared with what was asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from quantum_assets.contracts.profile import Batching, EffectiveProfile, ExecutionProfile, NoiseSpec, Transpilation

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
        ({"routing": {"choose": "suitable"}}, "needs a backend and alternatives"),
        ({"routing": {"choose": "suitable"}, "backend": "a", "alternatives": ("a",)}, "needs a backend and alternat"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ExecutionProfile(**({"name": "p", "mode": "ideal", "providers": ("statevector",)} | fields))


@pytest.mark.parametrize(("waits", "stale"), [(60.0, 60.0), (7200.0, 3600.0)])
def test_nobody_waits_for_company_until_he_is_stale(waits: float, stale: float) -> None:
    with pytest.raises(
        ValidationError, match=rf"max_wait_seconds \({waits:g}\) is not below stale_seconds \({stale:g}\)"
    ):
        Batching(max_wait_seconds=waits, stale_seconds=stale)
    assert Batching(max_wait_seconds=waits - 1, stale_seconds=waits).stale_seconds == waits


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


def test_how_a_backend_is_chosen_is_no_part_of_what_is_asked() -> None:
    asked = NOISY.model_copy(update={"backend": "a", "alternatives": ("b",)})
    choosing = ExecutionProfile.model_validate(asked.model_dump() | {"routing": {"choose": "suitable"}})
    assert (asked.routing.choose, choosing.routing.choose) == ("first", "suitable")
    assert choosing.fingerprint == asked.fingerprint
