"""One stored object: how a table becomes a Parquet file, and how the file proves itself when it is read.

Parquet has no integrity by default: a flipped bit reads as another number. So pages carry checksums and are read with
verification; the footer carries provenance and the digest of every column (key ``quantum_assets``, JSON); and the
commit log keeps the sha256 of the whole file and of its footer, which no page checksum covers (`FileFacts`).

Encodings: zstd 1 throughout; doubles as BYTE_STREAM_SPLIT, or as a dictionary when they look like shot counts (few
distinct values); text as a dictionary; statistics on plain columns only; row groups of 512 where there are vectors.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quantum_assets.contracts.errors import CorruptObject, PlanError, QuantumAssetsError, StoreError
from quantum_assets.store.digest import ColumnDigest, ContentDigest, TableHasher
from quantum_assets.store.files import StepHook, no_op
from quantum_assets.store.footer import KEY, RESTORE, FileFacts, Footer

VECTOR_GROUP_ROWS = 512
PLAIN_GROUP_ROWS = 131_072
DICTIONARY_VALUES = 65_536
"""Most distinct doubles a dictionary may hold; a column chunk with more falls back to plain values by itself."""

_SAMPLE = 65_536
_TAIL = 8
_MAGIC = b"PAR1"
_BLOCK = 1 << 20


def write_object(path: Path, table: pa.Table, footer: Footer, steps: StepHook = no_op) -> None:
    """Write a table and its footer to a new file, one row group at a time; does not sync.

    Raises:
        OSError: What the disk said.
    """
    rows = VECTOR_GROUP_ROWS if any(_is_vector(field.type) for field in table.schema) else PLAIN_GROUP_ROWS
    with pq.ParquetWriter(path, table.schema, **_encodings(table)) as writer:
        for start in range(0, table.num_rows, rows):
            writer.write_table(table.slice(start, rows), row_group_size=rows)
            steps("object-band-written")
        writer.add_key_value_metadata({KEY.decode(): footer.to_json()})


def measure(path: Path) -> FileFacts:
    """The facts of a file as it lies on disk."""
    with pa.OSFile(str(path)) as file:
        return _measure(file)


def check_object(path: Path, content: ContentDigest, culprit: str) -> FileFacts:
    """Read a whole object back, page checksums and content included, and return its facts.

    Raises:
        CorruptObject: When it does not hold the content.
    """
    with opened(path, culprit) as file:
        facts = _measure(file)
        parquet = _parquet(file)
        _compare(footer_of(parquet, culprit).content.columns, content.columns, culprit)
        names = [column.name for column in content.columns]
        hasher = TableHasher(parquet.schema_arrow, names)
        for group in range(parquet.num_row_groups):
            hasher.update(parquet.read_row_group(group))  # volatile columns too: their checksums count
        _compare(hasher.digests(), content.columns, culprit)
    return facts


def read_object(
    path: Path,
    facts: FileFacts,
    version: str,
    culprit: str,
    *,
    columns: Sequence[str] | None = None,
    verify: bool = True,
) -> pa.Table:
    """Read an object, or some of its columns.

    Args:
        path: The object.
        facts: What the log knows of its bytes.
        version: The data version it must hold.
        culprit: Asset, partition and version, for messages.
        columns: Names wanted, in order; None for all.
        verify: Compare the file's and the content's hashes; page checksums are verified in any case.

    Returns:
        The table.

    Raises:
        CorruptObject: When anything does not match.
        PlanError: For a column that is not there.
    """
    with opened(path, culprit) as file:
        if verify and _measure(file) != facts:
            raise CorruptObject(culprit, f"the bytes of {path.name} are not those that were stored", RESTORE)
        parquet = _parquet(file)
        names = _chosen(parquet.schema_arrow, columns, culprit)
        table = parquet.read(columns=names).select(names)
        if verify:
            content = footer_of(parquet, culprit).content
            _check_version(content, version, culprit)
            wanted = [column for column in content.columns if column.name in names]
            hasher = TableHasher(table.schema, [column.name for column in wanted])
            hasher.update(table)
            _compare(hasher.digests(), wanted, culprit)
    return table


@contextmanager
def opened_slices(path: Path, facts: FileFacts, culprit: str, verify: bool) -> Iterator[pq.ParquetFile]:
    """An object opened for reading a few row groups: the footer is checked by its hash, the pages by their checksums.

    Raises:
        CorruptObject: When the footer, or a page read inside the context, does not match.
    """
    with opened(path, culprit) as file:
        if verify and (file.size() != facts.bytes or _footer_sha256(file) != facts.footer_sha256):
            raise CorruptObject(culprit, f"the footer of {path.name} is not the one that was stored", RESTORE)
        yield _parquet(file)


@contextmanager
def opened(path: Path, culprit: str) -> Iterator[pa.OSFile]:
    """An object's file; whatever Arrow finds wrong with its bytes inside the context becomes `CorruptObject`.

    Raises:
        CorruptObject: For bytes that cannot be decoded, or no file.
        StoreError: When the disk does not answer.
    """
    try:
        with pa.OSFile(str(path)) as file:
            yield file
    except QuantumAssetsError:
        raise
    except FileNotFoundError as error:
        raise CorruptObject(culprit, f"its object {path.name} is missing from the store", RESTORE) from error
    except OSError as error:
        if error.errno is not None:
            raise StoreError(
                culprit, f"the disk did not answer ({error})", "Check the disk, then read again"
            ) from error
        raise CorruptObject(culprit, f"{path.name} cannot be decoded ({error})", RESTORE) from error
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise CorruptObject(culprit, f"{path.name} cannot be decoded ({error})", RESTORE) from error


def footer_of(parquet: pq.ParquetFile, culprit: str) -> Footer:
    """The provenance inside an opened object.

    Raises:
        CorruptObject: When there is none.
        StoreError: When another release wrote it.
    """
    text = (parquet.metadata.metadata or {}).get(KEY)
    if text is None:
        raise CorruptObject(culprit, f"its footer has no '{KEY.decode()}' entry", RESTORE)
    return Footer.from_json(text, culprit)


def _encodings(table: pa.Table) -> dict[str, Any]:
    split: list[str] = []
    dictionary: list[str] = []
    plain: list[str] = []
    for name in table.column_names:
        kind = table.schema.field(name).type
        leaf = f"{name}.list.element" if _is_vector(kind) else name
        if not _is_vector(kind):
            plain.append(leaf)
        if _is_vector(kind) or pa.types.is_floating(kind):
            (dictionary if _few_values(table.column(name)) else split).append(leaf)
        elif pa.types.is_string(kind):
            dictionary.append(leaf)
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": dictionary or False,
        "use_byte_stream_split": split or False,
        "write_statistics": plain or False,
        "dictionary_pagesize_limit": DICTIONARY_VALUES * 8,
        "write_page_checksum": True,
        "store_schema": True,
    }


def _few_values(column: pa.ChunkedArray) -> bool:
    """Whether a sample of a float column repeats itself as shot counts do: at least four times a value on average.

    Rows are sampled evenly. The test only chooses an encoding; a wrong guess costs space, never a value.
    """
    width = column.type.list_size if _is_vector(column.type) else 1
    step = max(1, len(column) * width // _SAMPLE)
    rows = column.take(pa.array(np.arange(0, len(column), step)))
    values = rows.combine_chunks().flatten() if _is_vector(column.type) else rows
    sample = values.to_numpy()
    return bool(sample.size) and np.unique(sample).size * 4 <= sample.size


def _is_vector(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))


def _parquet(file: pa.OSFile) -> pq.ParquetFile:
    file.seek(0)
    return pq.ParquetFile(file, page_checksum_verification=True)


def _measure(file: pa.OSFile) -> FileFacts:
    file.seek(0)
    sha = hashlib.sha256()
    while block := file.read(_BLOCK):
        sha.update(block)
    return FileFacts(file.size(), sha.hexdigest(), _footer_sha256(file))


def _footer_sha256(file: pa.OSFile) -> str:
    size = file.size()
    tail = file.read_at(_TAIL, size - _TAIL) if size > _TAIL else b""
    if tail[4:] != _MAGIC:
        return ""
    length = min(int.from_bytes(tail[:4], "little") + _TAIL, size)
    return hashlib.sha256(file.read_at(length, size - length)).hexdigest()


def _chosen(schema: pa.Schema, columns: Sequence[str] | None, culprit: str) -> list[str]:
    if columns is None:
        return list(schema.names)
    unknown = [name for name in columns if name not in schema.names]
    if unknown:
        raise PlanError(culprit, f"has no columns {unknown}", f"Choose among {', '.join(schema.names[:30])}")
    return list(columns)


def _check_version(content: ContentDigest, version: str, culprit: str) -> None:
    if content.version != version:
        raise CorruptObject(culprit, f"the object holds version {content.version[:12]}", RESTORE)


def _compare(found: Sequence[ColumnDigest], wanted: Sequence[ColumnDigest], culprit: str) -> None:
    if tuple(found) != tuple(wanted):
        wrong = sorted({column.name for column in set(found) ^ set(wanted)}) or ["the columns' order"]
        raise CorruptObject(culprit, f"the content of {', '.join(wrong)} does not match its digest", RESTORE)
