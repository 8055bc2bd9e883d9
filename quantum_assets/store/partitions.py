"""The only way from a key to a path: an injective, length-capped encoder that never leaves the root.

A partition is a mapping of dimension name to value; it lies at ``dim=enc(value)`` directories sorted by dimension,
which pandas, pyarrow, DuckDB and Polars decode as Hive columns. The encoder percent-encodes the UTF-8 bytes outside
``a-z 0-9 - _ .`` (upper-case letters included, so that ``A`` and ``a`` stay apart on file systems that fold case), a
leading ``.`` or ``_`` (readers skip such directories) and a trailing ``.``. The empty value is ``__empty__``. Values
whose encoding is longer than `VALUE_LIMIT` keep their head and end in ``~`` and the sha256 of the whole value; the
commit log knows them in full.
"""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from quantum_assets.contracts.errors import PlanError

KEY_LIMIT = 1024
"""Longest partition value, in UTF-8 bytes."""
VALUE_LIMIT = 180
"""Longest encoded partition value, in bytes; ``dim=value`` stays below the 255 bytes of a path component."""
NAME_LIMIT = 180
"""Longest encoded part of an asset name, in bytes."""
DIMENSION_LIMIT = 64
"""Longest encoded dimension name, in bytes."""
MAX_PARTS = 8
MAX_DIMENSIONS = 4

_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")
_EMPTY = "__empty__"
_SHORTENED = "~"
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED = {"Cc": "a control character", "Cs": "a lone surrogate", "Zl": "a line break", "Zp": "a paragraph break"}


def validate_key(value: str, culprit: str = "partition key") -> None:
    """Refuse a partition value that no honest partition has, before anything is computed.

    Args:
        value: The value as the user gave it.
        culprit: What to call it in the message.

    Raises:
        PlanError: For a value that is no text, longer than `KEY_LIMIT` bytes, holds control characters (NUL among
            them), lone surrogates, line breaks or text-direction overrides, has ``.`` or ``..`` as a path segment, or
            is Hive's word for a missing value.
    """
    if not isinstance(value, str):
        raise PlanError(culprit, f"is a {type(value).__name__}, not text", "Give the value as a string")
    problem = _hostility(value)
    if problem is not None:
        raise PlanError(
            f"{culprit} {_shown(value)}", problem, f"Use plain text of at most {KEY_LIMIT} bytes without path segments"
        )


def validate_name(name: str, culprit: str, limit: int = NAME_LIMIT) -> None:
    """Refuse a part of an asset name, or a dimension name, that cannot be one directory.

    Args:
        name: The name.
        culprit: What to call it in the message.
        limit: Longest encoded form, in bytes.

    Raises:
        PlanError: For whatever `validate_key` refuses, an empty name, one with a slash or backslash, or a longer one.
    """
    validate_key(name, culprit)
    if not name or "/" in name or "\\" in name:
        raise PlanError(f"{culprit} {_shown(name)}", "is empty or holds a slash", "Give one plain name a part")
    if len(_encode_name(name)) > limit:
        raise PlanError(
            f"{culprit} {_shown(name)}", f"takes more than {limit} bytes as a directory name", "Shorten the name"
        )


def encode(value: str) -> str:
    """Encode one partition value as at most `VALUE_LIMIT` bytes of ASCII; different values give different results.

    Raises:
        PlanError: For a hostile value (`validate_key`).
    """
    validate_key(value)
    if value == "":
        return _EMPTY
    text = _escape(value)
    if len(text) <= VALUE_LIMIT:
        return text
    head = text[: VALUE_LIMIT - 65]
    cut = head.rfind("%", len(head) - 2)
    head = head if cut < 0 else head[:cut]
    return head + _SHORTENED + hashlib.sha256(value.encode()).hexdigest()


def decode(text: str) -> str | None:
    """Decode what `encode` returned; None for a shortened value, which only the commit log knows in full.

    Raises:
        PlanError: For text that `encode` cannot have written.
    """
    if _SHORTENED in text:
        return None
    value = "" if text == _EMPTY else unquote(text, errors="replace")
    if encode(value) != text:
        raise PlanError(f"directory {_shown(text)}", "was not written by this store", "Move it out of the store")
    return value


def partition_path(partition: Mapping[str, str]) -> PurePosixPath:
    """The Hive path of a partition: one ``dim=enc(value)`` a dimension, sorted by dimension; ``.`` when there is none.

    Raises:
        PlanError: For a hostile dimension or value, or more than `MAX_DIMENSIONS` dimensions.
    """
    if len(partition) > MAX_DIMENSIONS:
        raise PlanError("partition", f"has {len(partition)} dimensions", f"Use at most {MAX_DIMENSIONS}")
    for dimension, value in partition.items():
        validate_name(dimension, "partition dimension", DIMENSION_LIMIT)
        validate_key(value, f"partition key of {dimension}:")
    return PurePosixPath(*(f"{_encode_name(d)}={encode(partition[d])}" for d in sorted(partition)))


def asset_path(asset: Sequence[str]) -> PurePosixPath:
    """The path of an asset: one directory a part of its name.

    Raises:
        PlanError: For an empty name, more than `MAX_PARTS` parts, or a part that `validate_name` refuses.
    """
    if isinstance(asset, str) or not asset or len(asset) > MAX_PARTS:
        raise PlanError(f"asset {asset!r}", f"is not a tuple of 1 to {MAX_PARTS} names", "Give the key as its parts")
    for part in asset:
        validate_name(part, "asset name")
    return PurePosixPath(*(_encode_name(part) for part in asset))


def parse_path(path: PurePosixPath) -> tuple[tuple[str, ...], dict[str, str] | None]:
    """The inverse of `asset_path` joined with `partition_path`.

    Returns:
        The asset, and its partition; None for the partition when a value was shortened.

    Raises:
        PlanError: For a path that those two cannot have returned.
    """
    parts = [part for part in path.parts if "=" not in part]
    pairs = [part.split("=", 1) for part in path.parts if "=" in part]
    asset = tuple(_decode_name(part) for part in parts)
    values = {_decode_name(dimension): decode(value) for dimension, value in pairs}
    known = {dimension: value for dimension, value in values.items() if value is not None}
    return asset, known if len(known) == len(values) else None


def label(asset: Sequence[str], partition: Mapping[str, str]) -> str:
    """How messages name a partition of an asset: ``wine/quantum_kernel [profile=ideal]``."""
    name = "/".join(asset)
    if not partition:
        return name
    return f"{name} [{', '.join(f'{d}={partition[d]}' for d in sorted(partition))}]"


def _escape(value: str) -> str:
    characters = [chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in value.encode()]
    if characters[0] in "._":
        characters[0] = f"%{ord(characters[0]):02X}"
    if characters[-1] == ".":
        characters[-1] = "%2E"
    return "".join(characters)


def _encode_name(name: str) -> str:
    # A dot would let an asset be called like one of our files (data.parquet), so names have none.
    return _escape(name).replace(".", "%2E")


def _decode_name(text: str) -> str:
    name = unquote(text, errors="replace")
    validate_name(name, "directory")
    if _encode_name(name) != text:
        raise PlanError(f"directory {_shown(text)}", "was not written by this store", "Move it out of the store")
    return name


def _hostility(value: str) -> str | None:
    for character in value:
        category = unicodedata.category(character)
        if category in _REFUSED or character in _BIDI:
            what = _REFUSED.get(category, "a text-direction override")
            return f"holds {what} (U+{ord(character):04X})"
    size = len(value.encode())
    if size > KEY_LIMIT:
        return f"is {size} bytes long"
    if value == _HIVE_NULL:
        return "is what readers of Hive paths take for a missing value"
    if any(segment in {".", ".."} for segment in value.replace("\\", "/").split("/")):
        return "holds a path segment '.' or '..'"
    return None


def _shown(value: str) -> str:
    return ascii(value if len(value) <= 60 else value[:57] + "...")
