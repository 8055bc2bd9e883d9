"""A frame gives back what was put in, or one sentence; nothing is made of bytes that were not checked."""

import hashlib
import json
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.frame import MAGIC, array_of, seal, unseal, verify

NUMBERS = st.sampled_from(["|b1", "|i1", "|u1", "<i4", ">i8", "<u8", "<f4", "<f8", ">f8", "<c8", "<c16", ">c16"])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
ARRAYS = st.dictionaries(st.text(max_size=4), NUMBERS.flatmap(lambda d: hnp.arrays(d, SHAPES)), max_size=3)
SMALL = seal("workload", b"head", {"a": np.arange(9.0), "b": np.zeros((2, 0, 3))})


def forged(table: Any) -> bytes:
    """A frame with a right checksum over a wrong table, padded to where its first array would begin."""
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    body = bytes(-(60 + len(text)) % 64)
    prefix = struct.pack("<8sHHIIQ", MAGIC, 1, 1, len(text), 0, 60 + len(text) + len(body))
    return prefix + hashlib.sha256(prefix + text + body).digest() + text + body


def shaped(dtype: str, *shape: float) -> bytes:
    """A frame whose table promises one array."""
    return forged({"a": {"dtype": dtype, "shape": shape}})


@given(st.binary(max_size=200), ARRAYS)
def test_everything_comes_back_to_the_bit(head: bytes, arrays: dict[str, Any]) -> None:
    content = seal("envelope", head, arrays)
    assert verify(content) == "envelope"
    text, found = unseal("envelope", content)
    assert text == head
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        little = array.astype(array.dtype.newbyteorder("<"))
        assert found[name].dtype == little.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == little.tobytes()
        assert not found[name].flags.writeable


def test_arrays_are_views_and_aligned() -> None:
    values = np.arange(1000.0)
    content = seal("workload", b"x" * 17, {"a": values[::-1], "b": np.asfortranarray(values.reshape(10, 100))})
    _, found = unseal("workload", content)
    assert all(array.flags.aligned and not array.flags.owndata for array in found.values())
    assert np.array_equal(found["a"], values[::-1])
    assert np.array_equal(found["b"], values.reshape(10, 100))


def test_every_truncation_is_refused() -> None:
    for length in range(len(SMALL)):
        with pytest.raises(PlanError, match="packed workload"):
            unseal("workload", SMALL[:length])


def test_every_flipped_bit_is_refused() -> None:
    for place in range(8 * len(SMALL)):
        altered = bytearray(SMALL)
        altered[place // 8] ^= 1 << place % 8
        with pytest.raises(PlanError):
            unseal("workload", bytes(altered))


FOREIGN = {
    "empty": (b"", "cut short after 0 bytes"),
    "zip": (b"PK\x03\x04 a zip file", "something else"),
    "pickle": (b"\x80\x05\x95 a pickle" * 9, "something else"),
    "text mode": (SMALL.replace(b"\r\n", b"\n"), "something else"),
    "too long": (SMALL + b"\0", "its prefix says"),
    "version": (SMALL[:8] + b"\x07" + SMALL[9:], "version 7"),
    "kind": (seal("order", b"", {}), "holds order, not workload"),
    "objects": (shaped("|O", 1), r"array a of dtype \|O"),
    "negative axis": (shaped("<f8", -1), "array a of dtype"),
    "many axes": (shaped("<f8", 1, 1, 1, 1, 0), "5 axes"),
    "huge": (shaped("<f8", 10**15), "end elsewhere"),
    "huge and empty": (shaped("<f8", 0, 10**30), "cannot be: "),
    "half an item": (shaped("<f8", 0.5), "cannot be read"),
    "no shape": (forged({"a": {"dtype": "<f8"}}), "cannot be read"),
    "deep": (forged(b"[" * 100_000), "cannot be read"),
    "no JSON": (forged(b'{"a": nonsense'), "cannot be read"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_foreign_bytes_get_one_clear_sentence(case: str) -> None:
    content, sentence = FOREIGN[case]
    with pytest.raises(PlanError, match=sentence):
        unseal("workload", content)


def test_too_many_bytes_are_refused_before_they_are_hashed() -> None:
    with pytest.raises(PlanError, match="100 are accepted"):
        unseal("workload", SMALL, limit=100)


def test_nothing_big_is_allocated_for_a_lie() -> None:
    lie = shaped("<c16", 2**40)
    tracemalloc.start()
    with pytest.raises(PlanError):
        unseal("workload", lie)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "array", [np.array([None]), np.array(["a"]), [1.0], np.zeros(2, "datetime64[s]"), np.zeros((1,) * 5)]
)
def test_only_arrays_of_numbers_are_written(array: Any) -> None:
    with pytest.raises(PlanError, match="no array of numbers"):
        seal("workload", b"", {"a": array})


def test_an_array_must_be_of_the_right_numbers() -> None:
    _, arrays = unseal("workload", SMALL)
    assert array_of(arrays, "workload", "a", "f").shape == (9,)
    with pytest.raises(PlanError, match="no array a of the right type"):
        array_of(arrays, "workload", "a", "iu")
    with pytest.raises(PlanError, match="no array c"):
        array_of(arrays, "workload", "c", "f")
