"""The notebook's door: one line from a name to a frame, without Dagster.

::

    quantum_assets.load("wine/quantum_kernel", profile="ideal")             # labelled square frame
    quantum_assets.load("wine/evaluation", profile="ideal", version="3f9a2c")
    quantum_assets.load_gram("wine/quantum_kernel", profile="ideal").to_numpy(rows=slice(0, 10))
    quantum_assets.history("wine/quantum_kernel", profile="ideal")

Partition dimensions are keywords; an unpartitioned asset takes none.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.tables import GRAM, KERNELS
from quantum_assets.store.changes import what_changed
from quantum_assets.store.gram import GramView, gram_values, read_gram
from quantum_assets.store.home import Home, locate_home
from quantum_assets.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

Time = datetime | str | None


def load(
    name: str,
    *,
    home: Path | str | None = None,
    version: str | None = None,
    as_of: Time = None,
    kernel: str | None = None,
    verify: bool = True,
    **partition: object,
) -> "pd.DataFrame":
    """Load a version of an asset as a frame.

    Args:
        name: Parts of the asset's name joined by slashes, for example ``wine/quantum_kernel``.
        home: Home folder; None: as `locate_home` finds it.
        version: Digest, or an unambiguous prefix of at least 6 characters; None: the newest.
        as_of: The newest version at that time: a time, or ISO 8601 text; UTC where no zone is given.
        kernel: Which matrix of a stack of kernels.
        verify: Compare hashes of file and content, on top of the page checksums.
        **partition: Value of each partition dimension.

    Returns:
        A Gram matrix as a square frame labelled by sample ids on both sides; any other table as it is.

    Raises:
        VersionNotFound: When there is no such asset, partition or version; the message lists those there are.
        CorruptObject: When the stored bytes are not what was stored.
        PlanError: For a request that cannot be meant.
    """
    store, asset, keys = _request(name, home, partition)
    commit = store.find(asset, keys, version, _time(as_of))
    table = store.read(asset, keys, commit.version, verify=verify)
    if commit.contract == GRAM.name or (commit.contract == KERNELS.name and kernel is not None):
        return _square(table, kernel)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def load_gram(
    name: str,
    *,
    home: Path | str | None = None,
    version: str | None = None,
    as_of: Time = None,
    kernel: str | None = None,
    verify: bool = True,
    **partition: object,
) -> GramView:
    """Open a Gram matrix for reading rows and columns without the rest of the file; arguments as for `load`.

    Raises:
        VersionNotFound: When there is no such asset, partition or version.
        CorruptObject: When the stored bytes are not what was stored.
        PlanError: When it is no Gram matrix.
    """
    store, asset, keys = _request(name, home, partition)
    return read_gram(store, asset, keys, version=version, as_of=_time(as_of), kernel=kernel, verify=verify)


def load_table(
    name: str,
    *,
    home: Path | str | None = None,
    version: str | None = None,
    as_of: Time = None,
    verify: bool = True,
    **partition: object,
) -> pa.Table:
    """Load a version of an asset as the Arrow table that is stored; arguments and errors as for `load`."""
    store, asset, keys = _request(name, home, partition)
    return store.read(asset, keys, version, _time(as_of), verify=verify)


def history(name: str, *, home: Path | str | None = None, **partition: object) -> "pd.DataFrame":
    """List the commits of an asset's partition, oldest first.

    Args:
        name: Parts of the asset's name joined by slashes.
        home: Home folder; None: as `locate_home` finds it.
        **partition: Value of each partition dimension.

    Returns:
        One row a commit: sequence, created_at (UTC), version, contract, rows, bytes, changed, removed, what_changed.

    Raises:
        VersionNotFound: When there is no such asset or partition.
        CorruptObject: When a log entry is damaged.
    """
    import pandas as pd

    store, asset, keys = _request(name, home, partition)
    store.find(asset, keys)
    commits = store.history(asset, keys)
    lines = [
        {
            "sequence": commit.sequence,
            "created_at": commit.time,
            "version": commit.version,
            "contract": commit.contract,
            "rows": commit.rows,
            "bytes": commit.bytes,
            "changed": commit.changed,
            "removed": commit.removed,
            "what_changed": what_changed(before, commit),
        }
        for before, commit in zip((None, *commits), commits, strict=False)
    ]
    return pd.DataFrame(lines)


def _request(
    name: str, home: Path | str | None, partition: Mapping[str, object]
) -> tuple[Store, tuple[str, ...], dict[str, str]]:
    if not isinstance(name, str) or not all(name.split("/")):
        raise PlanError(f"asset {name!r}", "is not a name", "Give its parts joined by slashes, like 'wine/evaluation'")
    keys = {dimension: str(value) for dimension, value in partition.items()}
    return Store(Home(locate_home(home)).store), tuple(name.split("/")), keys


def _time(as_of: Time) -> datetime | None:
    if as_of is None:
        return None
    try:
        moment = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    except ValueError as error:
        raise PlanError(f"as_of {as_of!r}", "is no ISO 8601 time", "Give for example '2026-03-01T12:00:00'") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _square(table: pa.Table, kernel: str | None) -> "pd.DataFrame":
    import pandas as pd

    ids, values = gram_values(table, kernel=kernel)
    return pd.DataFrame(values, index=pd.Index(ids, name="sample_id"), columns=pd.Index(ids, name="sample_id"))
