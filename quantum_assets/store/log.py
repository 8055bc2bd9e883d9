"""The commit log of one partition: who is the newest, what was before, and how each was made.

A commit is one JSON file, numbered, put by a single atomic call that fails if the number is taken; so a reader sees a
whole commit or none, and numbers have no gaps. Order is the number's, never the clock's. Every file carries the hash of
its own body.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from quantum_assets.contracts.errors import CorruptObject, PlanError, StoreError
from quantum_assets.store.files import Link, StepHook, put_if_absent, sync, temp_file, write_bytes
from quantum_assets.store.footer import FORMAT, FileFacts, check_format
from quantum_assets.store.layout import Place

PROVENANCE_LIMIT = 1_000_000
"""Largest provenance, in bytes of JSON; longer evidence belongs in an artifact or a table."""

_NAME = re.compile(r"^(\d{10})\.json$")


@dataclass(frozen=True)
class Commit:
    """One commit: this version became the newest of its partition.

    Attributes:
        asset: Parts of the asset's name.
        partition: Value of each dimension; empty for an unpartitioned asset.
        version: The data version, a sha256 digest of the content.
        sequence: Number of the commit in its partition, from 1, without gaps.
        created_at: UTC, ISO 8601; what the clock said, which orders nothing.
        contract: Name of the table contract.
        rows: Rows of the table.
        file: Size and hashes of the object's bytes.
        provenance: What the asset said about how it was made.
        packages: Package name to version, of the writer.
        changed: Whether the version differs from that of the commit before.
        path: Its object on this machine; not stored, so that a store can be moved.
        removed: Whether retention has removed the object since; not stored.
    """

    asset: tuple[str, ...]
    partition: Mapping[str, str]
    version: str
    sequence: int
    created_at: str
    contract: str
    rows: int
    file: FileFacts
    provenance: Mapping[str, Any]
    packages: Mapping[str, str]
    changed: bool
    path: Path
    removed: bool = False

    @property
    def bytes(self) -> int:
        """Size of the object's file."""
        return self.file.bytes

    @property
    def time(self) -> datetime:
        """`created_at` as a time."""
        return datetime.fromisoformat(self.created_at)


def check_provenance(provenance: Mapping[str, Any], culprit: str) -> dict[str, Any]:
    """The provenance as it will read back from JSON.

    Raises:
        PlanError: For anything that JSON cannot hold exactly, NaN and infinities among them, or too much of it.
    """
    try:
        text = json.dumps(dict(provenance), allow_nan=False)
        parsed: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError) as error:
        raise PlanError(
            f"{culprit}: provenance", f"is not plain JSON ({error})", "Give text, finite numbers, lists and mappings"
        ) from error
    if len(text) > PROVENANCE_LIMIT:
        raise PlanError(
            f"{culprit}: provenance",
            f"takes {len(text)} bytes",
            f"Keep it below {PROVENANCE_LIMIT}; log long artifacts",
        )
    return parsed


def highest(place: Place) -> int:
    """The newest commit's number; 0 when there is none."""
    return max(_sequences(place), default=0)


def read_commit(place: Place, sequence: int) -> Commit:
    """Read one commit.

    Raises:
        CorruptObject: When the file is damaged or gone.
        StoreError: When another release wrote it, or the disk does not answer.
    """
    culprit = f"{place.label} commit {sequence}"
    try:
        document = json.loads(_file(place, sequence).read_bytes())
        check_format(document["format"], culprit)
        body, recorded = document["commit"], document["sha256"]
        whole = _body_sha256(body) == recorded
        commit = _from_body(place, body)
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        raise CorruptObject(culprit, f"its log entry is damaged ({error!r})", _MEND) from error
    except OSError as error:
        raise StoreError(culprit, f"the disk did not answer ({error})", "Check the disk, then read again") from error
    if not whole or commit.sequence != sequence:
        raise CorruptObject(culprit, "its log entry does not match its own hash", _MEND)
    return commit


def read_all(place: Place) -> tuple[Commit, ...]:
    """Every commit, oldest first.

    Raises:
        CorruptObject: When any is damaged.
    """
    return tuple(read_commit(place, sequence) for sequence in sorted(_sequences(place)))


def read_healthy(place: Place) -> tuple[tuple[Commit, ...], tuple[CorruptObject, ...]]:
    """The commits that can be read, oldest first, and what is wrong with the others.

    One damaged entry must not make every old version unreachable.
    """
    healthy: list[Commit] = []
    damaged: list[CorruptObject] = []
    for sequence in sorted(_sequences(place)):
        try:
            healthy.append(read_commit(place, sequence))
        except CorruptObject as error:
            damaged.append(error)
    return tuple(healthy), tuple(damaged)


def append(place: Place, draft: Commit, steps: StepHook, link: Link) -> Commit:
    """Add a commit after the newest one; whoever loses a race for a number takes the next.

    Args:
        place: Its partition.
        draft: The commit; `sequence` and `changed` are set here.
        steps: Called after each step.
        link: How the file gets its name.

    Returns:
        The commit as written.
    """
    while True:
        last = highest(place)
        commit = replace(draft, sequence=last + 1, changed=_version_at(place, last) != draft.version)
        with temp_file(place.log) as temp:
            write_bytes(temp, _document(commit))
            steps("commit-temp-written")
            sync(temp)
            steps("commit-synced")
            try:
                put_if_absent(temp, _file(place, commit.sequence), link)
            except FileExistsError:
                continue
        steps("commit-written")
        return commit


def mark_removed(place: Place, version: str, now: datetime) -> None:
    """Write down that retention removes a version, so that the history stays readable after it."""
    marker = _marker(place, version)
    if not marker.exists():
        write_bytes(marker, json.dumps({"version": version, "removed_at": now.isoformat()}).encode())
        sync(marker)
        sync(place.log)


def unmark_removed(place: Place, version: str) -> None:
    """Forget that a version was removed: it is being stored again."""
    _marker(place, version).unlink(missing_ok=True)


def is_removed(place: Place, version: str) -> bool:
    """Whether retention removed the object of a version, as opposed to its being lost."""
    return _marker(place, version).exists() and not place.object(version).exists()


_MEND = "Restore the file from a backup; other commits still load by their version"


def _sequences(place: Place) -> list[int]:
    try:
        names = [path.name for path in place.log.iterdir()]
    except FileNotFoundError:
        return []
    return [int(match.group(1)) for match in map(_NAME.match, names) if match]


def _file(place: Place, sequence: int) -> Path:
    return place.log / f"{sequence:010d}.json"


def _marker(place: Place, version: str) -> Path:
    return place.log / f"removed-{version}.json"


def _version_at(place: Place, sequence: int) -> str | None:
    if sequence == 0:
        return None
    try:
        return read_commit(place, sequence).version
    except CorruptObject:
        return None  # what came before cannot be told, so the new commit counts as a change


def _document(commit: Commit) -> bytes:
    body = asdict(commit)
    for derived in ("path", "removed"):
        del body[derived]
    document = {"format": FORMAT, "sha256": _body_sha256(body), "commit": body}
    return json.dumps(document, indent=1, sort_keys=True, allow_nan=False).encode()


def _body_sha256(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _from_body(place: Place, body: dict[str, Any]) -> Commit:
    stored = {field.name for field in fields(Commit)} - {"path", "removed"}
    values = {name: body[name] for name in stored}
    values |= {"asset": tuple(body["asset"]), "file": FileFacts(**body["file"])}
    version = values["version"]
    return Commit(**values, path=place.object(version), removed=is_removed(place, version))
