"""Fingerprints must be equal where values are equal and differ where they differ, in every process."""

import os
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.study import FeatureMapSpec

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _same(a: object, b: object) -> bool:
    """Equality that tells 1 from 1.0 and True, as the fingerprint does, and -0.0 from 0.0 not."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return a == b


@given(VALUES, VALUES)
def test_equal_fingerprints_mean_equal_values(a: object, b: object) -> None:
    assert (fingerprint(a) == fingerprint(b)) == _same(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["ab", "c"], ["a", "bc"]),
        ([[1], 2], [1, [2]]),
        ("1", 1),
        (1, 1.0),
        (b"a", "a"),
        ({"a": None}, {}),
        (np.zeros(2), np.zeros((1, 2))),
        (np.zeros(2), np.zeros(2, dtype=np.float32)),
        (np.array(["a", "b"]), np.array(["ab"])),
        (0.1 + 0.2, 0.3),
    ],
)
def test_near_misses_differ(a: object, b: object) -> None:
    assert fingerprint(a) != fingerprint(b)


def test_representation_does_not_matter() -> None:
    values = np.arange(6, dtype=np.float64).reshape(2, 3)
    assert fingerprint(values) == fingerprint(np.asfortranarray(values))
    assert fingerprint(values) == fingerprint(values.astype(">f8"))
    assert fingerprint(np.array([0.0])) == fingerprint(np.array([-0.0]))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"x", "y"}) == fingerprint({"y", "x"})


@dataclass(frozen=True)
class _Named:
    value: int
    label: str = field(default="", metadata={"identity": False})


def test_descriptions_are_not_identity() -> None:
    assert fingerprint(_Named(1, "a")) == fingerprint(_Named(1, "b"))
    assert fingerprint(_Named(1)) != fingerprint(_Named(2))
    plain = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector",))
    assert plain.fingerprint == plain.model_copy(update={"description": "other words"}).fingerprint
    assert plain.fingerprint != plain.model_copy(update={"seed": 1}).fingerprint


def test_values_without_a_canonical_form_are_refused() -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        fingerprint(object())


def test_equal_across_processes_and_hash_seeds() -> None:
    """A fingerprint that depends on the interpreter's hash seed would make every cache and version useless."""
    program = (
        "import numpy as np; from quantum_assets.contracts.fingerprint import fingerprint;"
        "from quantum_assets.contracts.study import FeatureMapSpec;"
        "print(fingerprint(FeatureMapSpec(), {'b', 'a', 'c'}, {'z': 1.5, 'y': [np.arange(3)]}))"
    )
    expected = fingerprint(FeatureMapSpec(), {"b", "a", "c"}, {"z": 1.5, "y": [np.arange(3)]})
    for seed in ("0", "1"):
        answer = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert answer.stdout.strip() == expected, answer.stderr
