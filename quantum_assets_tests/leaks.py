"""Planted secrets, and a search that finds them in any clothes: quoted, in base64, cut in half, compressed."""

import base64
import gzip
import io
import secrets
import sqlite3
import traceback
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

_HALF = 20


@dataclass(frozen=True)
class Planted:
    """Secrets by name, each with letters that nobody guesses between signs that get quoted on the way.

    Attributes:
        cores: The random letters, by name.
    """

    cores: dict[str, str] = field(default_factory=dict)

    def plant(self, name: str) -> str:
        """A new secret."""
        self.cores[name] = secrets.token_hex(_HALF)
        return f"p/{self.cores[name]}+&="

    def in_bytes(self, content: bytes) -> list[str]:
        """Names of the secrets of which a half stands in some bytes, as it is or in base64."""
        lowered = content.lower()
        return [
            name
            for name, core in self.cores.items()
            if any(half.encode() in lowered for half in (core[:_HALF], core[_HALF:]))
            or any(piece in content for piece in _in_base64(core.encode()))
        ]

    def in_text(self, text: str) -> list[str]:
        """`in_bytes` for text."""
        return self.in_bytes(text.encode())

    def in_error(self, error: BaseException) -> list[str]:
        """Names of those in what Python prints of an exception: its causes and contexts as well."""
        return self.in_text("".join(traceback.format_exception(error)))

    def below(self, folder: Path) -> list[str]:
        """Every file below a folder with the secrets in it; nothing is left out, and nothing stays packed."""
        found = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            names = {name for content in _contents(path) for name in self.in_bytes(content)}
            names.update(self.in_text(path.name))
            found += [f"{path.relative_to(folder)}: {name}" for name in sorted(names)]
        return found


def files_below(folder: Path) -> int:
    """How many files there are, so that a search in an empty folder is noticed."""
    return sum(path.is_file() for path in folder.rglob("*"))


def _contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they hold when they are opened the way their kind is."""
    raw = path.read_bytes()
    yield raw
    if raw[:4] == b"PAR1":
        yield repr(pq.ParquetFile(path).metadata.metadata).encode()
        yield repr(pq.read_table(path).to_pylist()).encode()
    elif raw[:16] == b"SQLite format 3\0":
        yield _dump(path)
    elif raw[:2] == b"\x1f\x8b":
        yield gzip.decompress(raw)
    elif raw[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            yield from (packed.read(name) for name in packed.namelist())


def _dump(path: Path) -> bytes:
    """Every row of a database, for a long value lies in pieces on its pages; its log is a file that is read too."""
    connection = sqlite3.connect(path)
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = (row for name in tables for row in connection.execute(f'SELECT * FROM "{name}"'))
        return b"\n".join(repr(row).encode() for row in rows)
    finally:
        connection.close()


def _in_base64(core: bytes) -> Iterator[bytes]:
    """The middle of every base64 that text with `core` in it can have: three ways to lie on its grid."""
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + core)[4:-4]
