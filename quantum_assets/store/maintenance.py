"""Care of a store: find what is wrong (`doctor`, `verify`) and remove what retention allows (`collect_garbage`).

`doctor` changes nothing. `collect_garbage` is explicit and dry by default; it never removes the newest version, and the
history of a partition stays readable after it: removed versions are marked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from quantum_assets.contracts.errors import PlanError, QuantumAssetsError
from quantum_assets.store import log
from quantum_assets.store.files import disk_errors, sync
from quantum_assets.store.footer import RESTORE
from quantum_assets.store.layout import CURRENT, Place, places
from quantum_assets.store.log import Commit
from quantum_assets.store.parquet import measure, read_object
from quantum_assets.store.partitions import label
from quantum_assets.store.store import Store

Kind = Literal[
    "corrupt object",
    "missing object",
    "damaged log",
    "wrong current",
    "orphan object",
    "stale temporary file",
    "foreign file",
]
STALE = timedelta(hours=1)
"""Age at which a temporary file, or an object without a commit, no longer belongs to a writer at work."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: What sort of thing.
        culprit: Asset and partition, and the version where there is one.
        path: The file.
        problem: What is wrong with it.
        mend: What to do about it.
    """

    kind: Kind
    culprit: str
    path: Path
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.culprit}: {self.problem}. {self.mend}. ({self.path})"


@dataclass(frozen=True)
class Removal:
    """One file that retention removes, or would.

    Attributes:
        kind: ``version``, ``orphan`` or ``temporary``.
        culprit: Asset and partition, and the version where there is one.
        path: The file.
        bytes: Its size.
        version: Digest, for ``version`` and ``orphan``.
    """

    kind: Literal["version", "orphan", "temporary"]
    culprit: str
    path: Path
    bytes: int
    version: str = ""


def doctor(store: Store, stale: timedelta = STALE) -> tuple[Finding, ...]:
    """Everything that is wrong with a store, every object read and verified; nothing is changed.

    Args:
        store: The store.
        stale: Age at which a temporary file or an orphan is reported.

    Returns:
        Findings, in order of the partitions' paths; empty for a sound store.
    """
    findings = list(verify(store))
    for where in _named(store):
        findings += _current_findings(where)
        findings += _leftovers(where, store.clock() - stale)
    return tuple(findings) + tuple(_foreign(store))


def verify(store: Store) -> tuple[Finding, ...]:
    """Read every log entry and every version that was not removed, checksums and digests included.

    Returns:
        What is corrupt or missing; empty when every version loads.
    """
    findings: list[Finding] = []
    for where in _named(store):
        commits, damaged = log.read_healthy(where)
        findings += [Finding("damaged log", e.culprit, where.log, e.problem, e.mend) for e in damaged]
        findings += [finding for commit in _latest(commits) for finding in _object_findings(where, commit)]
    return tuple(findings)


def collect_garbage(
    store: Store, keep_versions: int, older_than: timedelta, dry_run: bool = True
) -> tuple[Removal, ...]:
    """Remove old versions, orphans and stale temporary files.

    A version goes when it is not among the newest `keep_versions` of its partition and its latest commit is older than
    `older_than`. Partitions with a damaged log entry keep every object, for nobody can tell which ones it names.

    Args:
        store: The store.
        keep_versions: Versions kept in every partition, at least 1: the newest one always stays.
        older_than: Age from which things may go.
        dry_run: Only tell.

    Returns:
        What was removed, or would be.

    Raises:
        PlanError: For a retention that makes no sense.
        StoreError: When the disk refuses.
    """
    if keep_versions < 1 or older_than < timedelta(0):
        raise PlanError(
            "retention", f"keeps {keep_versions} versions and removes after {older_than}", "Keep at least one version"
        )
    cutoff = store.clock() - older_than
    removals: list[Removal] = []
    for where in _named(store):
        if dry_run:
            removals += _garbage(where, keep_versions, cutoff)
            continue
        with disk_errors(where.label), store.locked(where):
            found = _garbage(where, keep_versions, cutoff)
            for removal in found:
                _remove(where, removal, store.clock())
            sync(where.objects)
            removals += found
    return tuple(removals)


def _named(store: Store) -> Iterator[Place]:
    for where in places(store.root):
        try:
            asset, partition = store.identify(where)
        except QuantumAssetsError:
            yield where  # its path is all that can be said; the findings will say why
        else:
            yield Place(where.root, where.path, label(asset, partition))


def _latest(commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    """The latest commit of every version, newest first."""
    latest: dict[str, Commit] = {}
    for commit in reversed(commits):
        latest.setdefault(commit.version, commit)
    return tuple(latest.values())


def _object_findings(where: Place, commit: Commit) -> Iterator[Finding]:
    if commit.removed:
        return
    culprit = where.culprit(commit.version)
    if not commit.path.exists():
        yield Finding("missing object", culprit, commit.path, "a commit names it and it is not there", RESTORE)
        return
    try:
        read_object(commit.path, commit.file, commit.version, culprit)
    except QuantumAssetsError as error:
        yield Finding("corrupt object", culprit, commit.path, error.problem, error.mend)


def _current_findings(where: Place) -> Iterator[Finding]:
    mend = "Materialise the partition again, or call Store.refresh_current"
    commits, damaged = log.read_healthy(where)
    if damaged:
        return  # which commit is the newest cannot be told
    newest = commits[-1] if commits else None
    if newest is None:
        if where.current.exists():
            yield Finding("wrong current", where.label, where.current, "no commit stands behind it", "Remove the file")
    elif not where.current.exists():
        yield Finding("wrong current", where.label, where.current, "is missing", mend)
    elif not _shows(where.current, newest):
        yield Finding("wrong current", where.label, where.current, f"is not version {newest.version[:12]}", mend)


def _shows(current: Path, newest: Commit) -> bool:
    """Whether the file is the newest object, or a copy of it where there are no hard links."""
    return (newest.path.exists() and current.samefile(newest.path)) or measure(current) == newest.file


def _leftovers(where: Place, cutoff: datetime) -> Iterator[Finding]:
    mend = "Remove it with garbage collection"
    for removal in _temporary(where, cutoff):
        yield Finding("stale temporary file", where.label, removal.path, "a writer left it behind", mend)
    for removal in _orphans(where, cutoff):
        yield Finding("orphan object", removal.culprit, removal.path, "no commit names it", mend)


def _foreign(store: Store) -> Iterator[Finding]:
    ours = {where.current for where in places(store.root)}
    top = store.root / CURRENT
    for path in sorted(top.rglob("*")):
        if path.is_file() and path not in ours:
            yield Finding(
                "foreign file", str(path.relative_to(top)), path, "this store did not write it", "Move it away"
            )


def _garbage(where: Place, keep_versions: int, cutoff: datetime) -> list[Removal]:
    return [*_old_versions(where, keep_versions, cutoff), *_orphans(where, cutoff), *_temporary(where, cutoff)]


def _old_versions(where: Place, keep_versions: int, cutoff: datetime) -> list[Removal]:
    commits, damaged = log.read_healthy(where)
    if damaged:
        return []
    old = [c for c in _latest(commits)[keep_versions:] if c.time < cutoff and c.path.exists()]
    return [Removal("version", where.culprit(c.version), c.path, c.path.stat().st_size, c.version) for c in old]


def _orphans(where: Place, cutoff: datetime) -> list[Removal]:
    commits, damaged = log.read_healthy(where)
    if damaged:
        return []
    lost = sorted(where.stored_versions() - {commit.version for commit in commits})
    paths = {version: where.object(version) for version in lost if _written(where.object(version)) < cutoff}
    return [Removal("orphan", where.culprit(v), path, path.stat().st_size, v) for v, path in paths.items()]


def _temporary(where: Place, cutoff: datetime) -> list[Removal]:
    old = [path for path in where.temps() if _written(path) < cutoff]
    return [Removal("temporary", where.label, path, path.stat().st_size) for path in old]


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _remove(where: Place, removal: Removal, now: datetime) -> None:
    if removal.kind == "version":
        log.mark_removed(where, removal.version, now)
    removal.path.unlink(missing_ok=True)
