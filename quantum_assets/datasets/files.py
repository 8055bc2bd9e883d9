"""Data files: where a path points, whether it can be read, how many rows it holds, and its rows as a `RawTable`.

CSV (comma-separated UTF-8 with a header) and Parquet, by a path relative to the study's folder, an absolute path, or
any URL that fsspec knows (``memory://``, ``s3://``, ``https://`` …). Credentials inside a URL never reach a message.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets import columns, csv_file, parquet_file
from quantum_assets.datasets.raw import RawTable
from quantum_assets.datasets.validation import check_rows
from quantum_assets.datasets.wording import nearest, shortened, shown

Kind = Literal["csv", "parquet"]
KINDS: dict[str, Kind] = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+(://|::)")


@dataclass(frozen=True)
class DataFile:
    """A file that a study names; nothing is opened by making one.

    Attributes:
        url: What is opened; may hold credentials, so it never goes into a message.
        public: The path as written, without credentials.
        whose: Begins every culprit: study and public path.
        kind: How it is parsed.
        local: The path, for files of this machine; None for URLs.
    """

    url: str
    public: str
    whose: str
    kind: Kind
    local: Path | None


def locate(path: str, name: str, base: Path) -> DataFile:
    """Say what a study's path means.

    Args:
        path: As written in the YAML.
        name: Study, for messages.
        base: Folder that a relative path starts from.

    Raises:
        PlanError: For control characters in the path, or an extension that is neither CSV nor Parquet.
    """
    public = _without_credentials(path)
    if not path.strip() or any(ord(c) < 32 or ord(c) == 127 for c in path):
        raise PlanError(
            f"{name}: source.path {shown(public)}", "is blank or holds control characters", "Write a plain path"
        )
    is_url = _URL.match(path) is not None
    suffix = Path(public if is_url else path).suffix.lower()
    if suffix not in KINDS:
        raise PlanError(
            f"{name}: source.path {shown(public)}",
            f"ends in {shown(suffix)}, which is neither CSV nor Parquet" if suffix else "has no extension",
            f"Save the table with one of the extensions {', '.join(KINDS)}",
        )
    local = None if is_url else base / path
    return DataFile(path if local is None else str(local), public, f"{name}: {shortened(public)}", KINDS[suffix], local)


def check_present(file: DataFile) -> None:
    """See that a local file is there, is a file and is not empty; for a URL, that its protocol is known.

    Raises:
        PlanError: Naming the place that was looked at, and a file beside it with nearly the same name.
    """
    if file.local is None:
        _check_protocol(file)
        return
    try:
        if file.local.is_dir():
            raise PlanError(file.whose, "is a folder", "Give the path of one CSV or Parquet file")
        if not file.local.exists():
            folder = file.local.parent
            near = nearest(file.local.name, sorted(p.name for p in folder.iterdir())) if folder.is_dir() else None
            hint = f"Did you mean {shown(near)}? Correct" if near else "Correct"
            raise PlanError(
                file.whose,
                f"there is no file {shortened(str(file.local), 200)}",
                f"{hint} source.path (relative to the study's folder)",
            )
        if file.local.stat().st_size == 0:
            raise PlanError(file.whose, "the file is empty (0 bytes)", "Write a header line and rows")
    except OSError as error:
        raise PlanError(
            file.whose, f"cannot be looked at ({error.strerror})", "Correct source.path or its permissions"
        ) from error


def read(
    source: DataSource,
    name: str,
    base: Path,
    max_rows: int | None = None,
    describe: Callable[[int], str] | None = None,
) -> RawTable:
    """Read the columns that the source names, after checking everything that makes them unusable.

    Args:
        source: With a path.
        name: Study, for messages.
        base: Folder that a relative path starts from.
        max_rows: A larger file is refused from its metadata (Parquet) or its line count (CSV), without parsing it.
        describe: Says what so many rows would cost; by default the size of a Gram matrix.

    Raises:
        PlanError: Naming file, column, lines and value.
    """
    file = locate(str(source.path), name, base)
    check_present(file)

    def check_size(rows: int) -> None:
        check_rows(file.whose, rows, max_rows, describe)

    if file.kind == "csv":
        with opened(file) as stream:
            data, rows = csv_file.fetch(stream, max_rows)
        check_size(rows)
        content = csv_file.parse(data, source, file.whose)
    else:
        with opened(file) as stream:
            content = parquet_file.parse(stream, source, file.whose, check_size)
    return columns.assemble(content, source, file.public, file.whose)


def count_rows(source: DataSource, name: str, base: Path) -> int:
    """Number of rows of a file without parsing it: from Parquet's metadata, or by counting a CSV's line ends.

    Blank lines of a CSV are counted as rows.

    Raises:
        PlanError: For a file that cannot be read.
    """
    file = locate(str(source.path), name, base)
    check_present(file)
    with opened(file) as stream:
        if file.kind == "csv":
            return csv_file.fetch(stream, limit=0)[1]
        return parquet_file.count(stream, file.whose)


@contextmanager
def opened(file: DataFile) -> Iterator[BinaryIO]:
    """Open for reading bytes; whatever the file system raises becomes one PlanError without credentials."""
    try:
        if file.local is not None:
            with file.local.open("rb") as stream:
                yield stream
        else:
            import fsspec

            with fsspec.open(file.url, "rb") as stream:
                yield cast(BinaryIO, stream)
    except PlanError:
        raise
    except Exception as error:  # noqa: BLE001 - every fsspec store raises classes of its own
        secret = file.local is None and file.public != file.url
        said = type(error).__name__ if secret else f"{type(error).__name__}: {error}"
        raise PlanError(file.whose, f"cannot be read ({said})", _mend(error)) from (None if secret else error)


def _mend(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "Correct source.path, and see that it can be reached from here"
    if isinstance(error, PermissionError):
        return "Give this user the right to read it"
    if isinstance(error, ImportError):
        return "Install the package that the protocol needs"
    return "See that the address is right and can be reached from here"


def _check_protocol(file: DataFile) -> None:
    from fsspec import available_protocols

    known = set(available_protocols())
    for part in re.split("::", file.url):
        protocol = part.split("://", 1)[0] if "://" in part else part
        if protocol.lower() not in known and (("://" in part) or part == file.url.split("::", 1)[0]):
            raise PlanError(
                file.whose,
                f"fsspec knows no protocol {shown(protocol)}",
                "Use a local path or a known protocol, for example file, https, s3, gs, abfs or memory",
            )


def _without_credentials(path: str) -> str:
    """Leave out user, password, query and fragment of every part of a URL; a local path stays as it is."""
    if not _URL.match(path):
        return path
    parts = [re.sub(r"//[^/]*@", "//", re.split(r"[?#]", part, maxsplit=1)[0]) for part in path.split("::")]
    return "::".join(parts)
