"""Text and arrays in one checked block of bytes: what `wire` writes its values into.

Everything is little-endian::

    magic 8 | version 2 | kind 2 | table length 4 | head length 4 | frame length 8 | sha256 32 | table | head | arrays

The table is canonical JSON: dtype and shape of every array by name. The arrays follow the head as raw bytes in the
order of their names, each at a multiple of 64 bytes. The sha256 is over everything but itself.

Reading trusts nothing: lengths, checksum and the sizes of all arrays are compared with the bytes that are there before
anything is made of them, no number in a frame leads to an allocation, and no object is ever unpickled. The checksum
finds damage; it is no signature, and says nothing of who wrote the frame.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from quantum_assets.contracts.errors import PlanError

MAGIC = b"\x89QAWIR\r\n"  # a transfer in text mode breaks it at once, as it does PNG's
VERSION = 1
MAX_BYTES = 1 << 32
MAX_HEAD_BYTES = 1 << 26

_KINDS = {1: "workload", 2: "envelope", 3: "order"}
_PREFIX = struct.Struct("<8sHHIIQ32s")
_DIGEST = slice(_PREFIX.size - 32, _PREFIX.size)
_ALIGNMENT = 64
_MAX_AXES = 4
_NAMES = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
_DTYPES = {name: np.dtype(name) for name in _NAMES}  # numbers only: no objects, no text

Array = npt.NDArray[Any]
Content = bytes | memoryview


class _Span(BaseModel):
    """dtype and shape of one array."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dtype: str
    shape: tuple[int, ...]


_TABLE = TypeAdapter(dict[str, _Span])


def seal(kind: str, head: bytes, arrays: Mapping[str, Array]) -> bytes:
    """Frame a head and its arrays.

    Args:
        kind: ``workload``, ``envelope`` or ``order``.
        head: Any bytes.
        arrays: Arrays of numbers with at most four axes; any byte order and layout.

    Raises:
        PlanError: For anything else than arrays of numbers, or a frame over `MAX_BYTES`.
    """
    flat = {name: _plain(kind, name, arrays[name]) for name in sorted(arrays)}
    table = _json({name: {"dtype": array.dtype.str, "shape": array.shape} for name, array in flat.items()})
    parts: list[Any] = [table, head]
    size = _PREFIX.size + len(table) + len(head)
    for array in flat.values():
        gap = bytes(-size % _ALIGNMENT)
        parts += [gap, array.reshape(-1).view(np.uint8)]
        size += len(gap) + array.nbytes
    if size > MAX_BYTES or len(table) + len(head) > MAX_HEAD_BYTES:
        raise PlanError(kind, f"takes {size:,} bytes, {len(head):,} of them text", "Split it into smaller ones")
    code = next(code for code, name in _KINDS.items() if name == kind)
    prefix = _PREFIX.pack(MAGIC, VERSION, code, len(table), len(head), size, bytes(32))[: _DIGEST.start]
    sha = hashlib.sha256(prefix)
    for part in parts:
        sha.update(part)
    return b"".join([prefix, sha.digest(), *parts])


def unseal(kind: str, content: Content, limit: int = MAX_BYTES) -> tuple[bytes, dict[str, Array]]:
    """Check a frame from the outside in, and return its head and its arrays.

    Args:
        kind: What it must hold.
        content: The frame; the arrays are read-only views of it.
        limit: Bytes that are accepted.

    Raises:
        PlanError: For bytes that are cut short, altered, too many, or of another kind or version.
    """
    whole = memoryview(content)
    found, table_length, head_length = _verified(kind, whole, limit)
    if found != kind:
        raise fault(kind, f"holds {found}, not {kind}")
    middle, end = _PREFIX.size + table_length, _PREFIX.size + table_length + head_length
    try:
        table = _TABLE.validate_json(bytes(whole[_PREFIX.size : middle]))
    except ValidationError as error:
        raise fault(kind, "has a table of arrays that cannot be read") from error
    return bytes(whole[middle:end]), _arrays(kind, whole, end, table)


def verify(content: Content, limit: int = MAX_BYTES) -> str:
    """Check lengths and checksum of a frame without reading it.

    Returns:
        Its kind.

    Raises:
        PlanError: As `unseal`.
    """
    return _verified("frame", memoryview(content), limit)[0]


def array_of(arrays: Mapping[str, Array], kind: str, name: str, numbers: str) -> Array:
    """One array, if it holds the kinds of number (numpy's letters) that are allowed in its place.

    Raises:
        PlanError: If it is missing or holds others.
    """
    if name not in arrays or arrays[name].dtype.kind not in numbers:
        raise fault(kind, f"has no array {name} of the right type")
    return arrays[name]


def fault(kind: str, problem: str) -> PlanError:
    """What is wrong with a frame, and the one thing that mends it."""
    return PlanError(f"packed {kind}", problem, "Have it written or sent again, whole and by the same version")


def _verified(kind: str, whole: memoryview, limit: int) -> tuple[str, int, int]:
    """Kind, length of the table and length of the head, once the prefix fits the bytes and the checksum holds."""
    if whole[: len(MAGIC)] != MAGIC[: len(whole)]:
        raise fault(kind, "is something else: it does not begin as one")
    if len(whole) < _PREFIX.size:
        raise fault(kind, f"is cut short after {len(whole)} bytes")
    _, version, code, table, head, size, digest = _PREFIX.unpack_from(whole)
    if version != VERSION:
        raise fault(kind, f"has version {version} of the format, and this program reads {VERSION}")
    if size != len(whole):
        raise fault(kind, f"has {len(whole):,} bytes, and its prefix says {size:,}")
    if size > limit or table + head > min(MAX_HEAD_BYTES, size - _PREFIX.size):
        raise fault(kind, f"has {size:,} bytes, {table + head:,} of them text; {limit:,} are accepted")
    sha = hashlib.sha256(whole[: _DIGEST.start])
    sha.update(whole[_DIGEST.stop :])
    if sha.digest() != digest or code not in _KINDS:
        raise fault(kind, "was altered: its checksum does not match")
    return _KINDS[code], table, head


def _arrays(kind: str, whole: memoryview, start: int, table: Mapping[str, _Span]) -> dict[str, Array]:
    """Views of the arrays, once all their sizes together are known to fill the frame exactly."""
    places = {}
    for name in sorted(table):
        span = table[name]
        if span.dtype not in _DTYPES or len(span.shape) > _MAX_AXES or min(span.shape, default=0) < 0:
            raise fault(kind, f"has array {name[:40]} of dtype {span.dtype[:20]} and {len(span.shape)} axes")
        start += -start % _ALIGNMENT
        places[name] = start
        start += math.prod(span.shape) * _DTYPES[span.dtype].itemsize
    if start != len(whole):
        raise fault(kind, f"has {len(whole):,} bytes, and its arrays end elsewhere")
    frozen = whole.toreadonly()
    try:
        return {n: np.ndarray(table[n].shape, _DTYPES[table[n].dtype], frozen, place) for n, place in places.items()}
    except (ValueError, OverflowError) as error:  # an empty array with an absurd axis
        raise fault(kind, f"has an array that cannot be: {error}") from error


def _plain(kind: str, name: str, array: Any) -> Array:
    """The array as little-endian bytes in C order, without a copy where it is so already."""
    if not isinstance(array, np.ndarray) or array.dtype.newbyteorder("<").str not in _DTYPES or array.ndim > _MAX_AXES:
        what = getattr(array, "dtype", type(array).__name__)
        raise PlanError(f"{kind}: {name}", f"is {what}, no array of numbers", "Give a numpy array of a usual dtype")
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
