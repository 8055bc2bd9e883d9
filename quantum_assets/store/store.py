"""The store: commit a table as a new version of its partition, and read any version back, verified.

A commit is an event: each call adds one to the log, also when the content is what it was (`changed` says so). The
object of a version is written once; one whose bytes no longer match the log is written anew. The order of the steps
makes every crash harmless: object (temporary, synced, read back, renamed), then log entry, then the `current` file. A
reader trusts only what the log names.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.errors import CorruptObject, StoreError, VersionNotFound
from quantum_assets.store import log
from quantum_assets.store.choose import choices, choose, facts_of, missing_partition
from quantum_assets.store.conform import conform
from quantum_assets.store.digest import content_digest
from quantum_assets.store.files import Link, StepHook, disk_errors, link_or_copy, make_directory, no_op, sync, temp_file
from quantum_assets.store.footer import FileFacts, Footer, package_versions
from quantum_assets.store.layout import Place, place, places
from quantum_assets.store.log import Commit
from quantum_assets.store.parquet import check_object, measure, read_object, write_object
from quantum_assets.store.partitions import parse_path

__all__ = ["Commit", "Store"]


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Store:
    """Versioned tables below one root; making the value touches no disk.

    Attributes:
        root: Root folder; created by the first commit.
        steps: Called after each named step of a commit (`files.STEPS`); a seam for crash tests.
        clock: What commits are dated by; dates order nothing.
        link: How a file gets a second name; copies serve where the file system has no hard links.
        lock_seconds: How long a commit waits for another one of the same partition.
        turn_seconds: How long a maker waits for its `turn`: others before it read and reckon, which takes minutes.
    """

    root: Path
    steps: StepHook = no_op
    clock: Callable[[], datetime] = utc_now
    link: Link = os.link
    lock_seconds: float = 600.0
    turn_seconds: float = 3600.0

    def commit(
        self,
        asset: tuple[str, ...],
        partition: Mapping[str, str],
        table: pa.Table,
        contract: TableContract,
        provenance: Mapping[str, Any],
    ) -> Commit:
        """Store a table as the newest version of its partition.

        Args:
            asset: Parts of the asset's name.
            partition: Value of each dimension; empty for an unpartitioned asset.
            table: The content; conforms to `contract`.
            contract: What it says it is.
            provenance: How it was made: plain JSON, without secrets. Entries under ``run``, or ending in ``run_id``,
                name the event and are not compared by `history`.

        Returns:
            The commit; `version` is the data version.

        Raises:
            PlanError: For hostile names, a table that breaks its contract, or provenance that is not JSON; nothing is
                written then.
            StoreError: When the disk refuses; the previous version stands.
        """
        where = place(self.root, asset, partition)
        table = conform(table, contract, where.label)
        content = content_digest(table, contract.name, contract.volatile)
        footer = Footer(
            asset=tuple(asset),
            partition=dict(partition),
            content=content,
            provenance=log.check_provenance(provenance, where.label),
            created_at=self.clock().astimezone(UTC).isoformat(timespec="microseconds"),
            packages=package_versions(),
        )
        with disk_errors(where.label), self.locked(where):
            facts = self._put_object(where, table, footer)
            commit = log.append(where, _draft(where, footer, facts), self.steps, self.link)
            self._point_current(where)
        return commit

    def read(
        self,
        asset: tuple[str, ...],
        partition: Mapping[str, str],
        version: str | None = None,
        as_of: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
        verify: bool = True,
    ) -> pa.Table:
        """Read a version of a partition; see `find` for how it is chosen.

        Args:
            asset: Parts of the asset's name.
            partition: Value of each dimension.
            version: Digest, or a prefix of it.
            as_of: A time with zone.
            columns: Columns wanted, in order; None for all.
            verify: Compare the hashes of file and content, on top of the page checksums.

        Returns:
            The table.

        Raises:
            VersionNotFound: When the store has no such thing.
            CorruptObject: When the stored bytes are not what was stored.
            PlanError: For hostile names, or a column that is not there.
        """
        commit = self.find(asset, partition, version, as_of)
        try:
            return _read(self.place(commit), commit, columns, verify)
        except CorruptObject:
            again = self.find(asset, partition, commit.version)
            if again.file == commit.file:
                raise
            return _read(self.place(commit), again, columns, verify)  # a commit healed the object meanwhile

    def find(
        self,
        asset: tuple[str, ...],
        partition: Mapping[str, str],
        version: str | None = None,
        as_of: datetime | None = None,
    ) -> Commit:
        """The commit that a request means: the newest one, the newest of a version, or the newest up to a time.

        Args:
            asset: Parts of the asset's name.
            partition: Value of each dimension.
            version: Digest, or a prefix of at least 6 characters that only one version has.
            as_of: A time with zone: the highest commit whose date is not after it.

        Returns:
            The commit; its `file` is what the log last said about the version's bytes.

        Raises:
            VersionNotFound: When nothing matches, several versions do, or retention removed it; lists what is near.
            PlanError: For a request that cannot be meant.
        """
        where = place(self.root, asset, partition)
        newest = log.highest(where)
        if newest == 0:
            raise missing_partition(self.assets(), tuple(asset), where.label)
        plain = version is None and as_of is None
        commit = log.read_commit(where, newest) if plain else choose(where, version, as_of)
        if commit.removed:
            raise VersionNotFound(where.culprit(commit.version), "was removed by retention", choices(where))
        return commit

    def history(self, asset: tuple[str, ...], partition: Mapping[str, str]) -> tuple[Commit, ...]:
        """Every commit of a partition, oldest first; empty when there is none.

        Raises:
            CorruptObject: When a log entry is damaged.
        """
        return log.read_all(place(self.root, asset, partition))

    def assets(self) -> tuple[tuple[tuple[str, ...], dict[str, str]], ...]:
        """Every (asset, partition) that has a commit, in order of its path."""
        return tuple(self.identify(where) for where in places(self.root) if log.highest(where))

    def identify(self, where: Place) -> tuple[tuple[str, ...], dict[str, str]]:
        """Whose place it is: from its path, or from its log where a value was shortened.

        Raises:
            PlanError: For a path that no store wrote.
            CorruptObject: When the log would have to say, and cannot.
        """
        asset, partition = parse_path(where.path)
        if partition is None:
            partition = dict(log.read_commit(where, log.highest(where)).partition)
        return asset, partition

    def place(self, commit: Commit) -> Place:
        """Where the partition of a commit lies."""
        return place(self.root, commit.asset, commit.partition)

    def refresh_current(self, asset: tuple[str, ...], partition: Mapping[str, str]) -> None:
        """Point the `current` file at the newest commit again, after a crash or a careless hand.

        Raises:
            VersionNotFound: When the partition has no commit.
            StoreError: When the disk refuses.
        """
        where = self.place(self.find(asset, partition))
        with disk_errors(where.label), self.locked(where):
            self._point_current(where)

    @contextmanager
    def turn(self, asset: tuple[str, ...], partition: Mapping[str, str]) -> Iterator[None]:
        """Hold the making of a partition: who makes it from the newest versions of others is alone from read to commit.

        Without it, of two that read and commit at the same time the one that read earlier may commit last, and what the
        other saw is gone. A commit takes a lock of its own, inside this one. A holder that dies lets go.

        Raises:
            PlanError: For hostile names.
            StoreError: When others hold it for longer than `turn_seconds`.
        """
        where = place(self.root, asset, partition)
        with _held(where.turn, self.turn_seconds, where.label, "making it"):
            yield

    @contextmanager
    def locked(self, where: Place) -> Iterator[None]:
        """Hold a partition: no other process commits to it or removes from it.

        Raises:
            StoreError: When another process holds it for longer than `lock_seconds`.
        """
        with _held(where.lock, self.lock_seconds, where.label, "committing to it"):
            yield

    def _put_object(self, where: Place, table: pa.Table, footer: Footer) -> FileFacts:
        """Make sure that the object of a version lies there and is sound; the bytes that exist are kept if they are."""
        version = footer.content.version
        target = where.object(version)
        if target.exists():
            known = facts_of(log.read_healthy(where)[0], version)
            if known is not None and measure(target) == known:
                return known
        log.unmark_removed(where, version)
        with temp_file(where.objects) as temp:
            write_object(temp, table, footer, self.steps)
            self.steps("object-temp-written")
            sync(temp)
            self.steps("object-synced")
            facts = check_object(temp, footer.content, where.culprit(version))
            self.steps("object-verified")
            temp.chmod(0o444)  # `current` is the same file: a careless writer there must not change an old version
            temp.replace(target)
        sync(where.objects)
        self.steps("object-published")
        return facts

    def _point_current(self, where: Place) -> None:
        """Show the newest commit under `current`; looks again afterwards, in case a lock was not honoured."""
        shown = 0
        while (newest := log.highest(where)) != shown:
            target = log.read_commit(where, newest).path
            if not (where.current.exists() and where.current.samefile(target)):
                make_directory(where.current.parent)
                with temp_file(where.objects) as temp:
                    link_or_copy(target, temp, self.link)
                    self.steps("current-temp-linked")
                    temp.replace(where.current)
                sync(where.current.parent)
                self.steps("current-linked")
            shown = newest


@contextmanager
def _held(path: Path, seconds: float, label: str, doing: str) -> Iterator[None]:
    """Hold a lock file; the system releases it when its holder dies."""
    lock = FileLock(path, timeout=seconds, poll_interval=0.01)
    with disk_errors(label):
        make_directory(path.parent)
        try:
            lock.acquire()
        except Timeout as error:
            problem = f"another process has been {doing} for {seconds:g} s"
            raise StoreError(label, problem, "Wait for it or end it, then materialise again") from error
    try:
        yield
    finally:
        lock.release()


def _draft(where: Place, footer: Footer, facts: FileFacts) -> Commit:
    content = footer.content
    return Commit(
        asset=footer.asset,
        partition=footer.partition,
        version=content.version,
        sequence=0,
        created_at=footer.created_at,
        contract=content.contract,
        rows=content.rows,
        file=facts,
        provenance=footer.provenance,
        packages=footer.packages,
        changed=True,
        path=where.object(content.version),
    )


def _read(where: Place, commit: Commit, columns: Sequence[str] | None, verify: bool) -> pa.Table:
    return read_object(
        commit.path, commit.file, commit.version, where.culprit(commit.version), columns=columns, verify=verify
    )
