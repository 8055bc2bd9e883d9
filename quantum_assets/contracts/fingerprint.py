"""Canonical hashes: the fingerprint of a question and the digest of an answer.

Both are sha256 over a canonical byte stream, so that they are equal across processes, machines of one byte order or the
other, Python hash seeds and library versions. Never hash a ``repr``, a pickle or a file: all three change while the
value stays.

Canonical form: a one-letter type tag, a length, then the bytes. Floats are hashed as their IEEE-754 binary64
little-endian bytes with ``-0.0`` folded into ``0.0``; mappings by sorted key; arrays as dtype, shape and C-order
little-endian bytes; frozen dataclasses and pydantic models as their public fields. Fields marked
``metadata={"identity": False}`` or ``json_schema_extra={"identity": False}`` say how a thing is described, not what it
is, and are left out.
"""

import dataclasses
import hashlib
import struct
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel


class _Sink(Protocol):
    """What a canonical stream is written to: anything with hashlib's ``update``."""

    def update(self, data: bytes, /) -> None: ...


def fingerprint(*values: Any) -> str:
    """Hash a question: values that are equal give equal hashes, in any process.

    Args:
        *values: None, bool, int, float, complex, str, bytes, Enum, numpy arrays and scalars, mappings with string
            keys, sequences, sets of strings, frozen dataclasses and pydantic models, nested as needed.

    Returns:
        64 lower-case hexadecimal characters.

    Raises:
        TypeError: For a value that has no canonical form (a function, an open file, a plain object).
    """
    sha = hashlib.sha256()
    for value in values:
        feed(sha, value)
    return sha.hexdigest()


def feed(sink: _Sink, value: Any) -> None:
    """Write the canonical bytes of one value to a hash; the streaming half of `fingerprint`."""
    if type(value) is str:  # most of what is hashed
        _tagged(sink, b"s", value.encode("utf-8", "surrogatepass"))
    elif value is None:
        sink.update(b"N")
    elif isinstance(value, Enum):
        feed(sink, value.value)
    elif isinstance(value, (bool, np.bool_)):
        sink.update(b"T" if value else b"F")
    elif isinstance(value, (int, np.integer)):
        _tagged(sink, b"i", str(int(value)).encode())
    elif isinstance(value, (float, np.floating)):
        sink.update(b"f" + struct.pack("<d", float(value) + 0.0))
    elif isinstance(value, (complex, np.complexfloating)):
        sink.update(b"c" + struct.pack("<dd", value.real + 0.0, value.imag + 0.0))
    elif isinstance(value, str):
        _tagged(sink, b"s", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        _tagged(sink, b"b", bytes(value))
    elif isinstance(value, np.ndarray):
        feed_array(sink, value)
    else:
        _feed_compound(sink, value)


def feed_array(sink: _Sink, values: npt.NDArray[Any]) -> None:
    """Write an array's dtype, shape and little-endian C-order bytes; object arrays are fed item by item."""
    if values.dtype.hasobject or values.dtype.kind in "US":
        _feed_items(sink, b"o", [list(values.shape), *values.ravel().tolist()])
        return
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    if little.dtype.kind in "fc":
        little = little + little.dtype.type(0)  # -0.0 and 0.0 are one value
    _tagged(sink, b"a", f"{little.dtype.str}{values.shape}".encode())
    sink.update(little.tobytes())


def _feed_compound(sink: _Sink, value: Any) -> None:
    kind: Any = type(value)  # mypy takes no class for hashable
    names = _identity_of(kind)
    if names is not None:
        _feed_mapping(sink, {name: getattr(value, name) for name in names})
    elif isinstance(value, Mapping):
        _feed_mapping(sink, value)
    elif isinstance(value, (set, frozenset)):
        _feed_items(sink, b"S", sorted(value))
    elif isinstance(value, Iterable):
        _feed_items(sink, b"l", list(value))
    else:
        raise TypeError(f"{type(value).__name__} has no canonical form; give its fields as plain values")


@lru_cache(maxsize=256)  # of few types; finding them out takes longer than hashing a small value
def _identity_of(kind: type) -> tuple[str, ...] | None:
    """Names of the public fields that say what a value of a type is; None for a type without fields."""
    if issubclass(kind, BaseModel):
        return tuple(name for name, field in kind.model_fields.items() if _is_identity(field.json_schema_extra))
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind) if _is_identity(field.metadata))
    return None


def _is_identity(metadata: Any) -> bool:
    return not (isinstance(metadata, Mapping) and metadata.get("identity") is False)


def _feed_mapping(sink: _Sink, value: Mapping[str, Any]) -> None:
    _feed_items(sink, b"m", [part for key in sorted(value) for part in (key, value[key])])


def _feed_items(sink: _Sink, tag: bytes, items: list[Any]) -> None:
    _tagged(sink, tag, str(len(items)).encode())
    for item in items:
        feed(sink, item)


def _tagged(sink: _Sink, tag: bytes, payload: bytes) -> None:
    sink.update(tag + str(len(payload)).encode() + b":" + payload)
