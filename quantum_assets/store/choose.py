"""Which commit a request means: the newest of a version or up to a time; and what to say when none is meant."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from quantum_assets.contracts.errors import PlanError, VersionNotFound
from quantum_assets.store import log
from quantum_assets.store.footer import FileFacts
from quantum_assets.store.layout import Place
from quantum_assets.store.log import Commit
from quantum_assets.store.partitions import label

SHORTEST_PREFIX = 6
"""Fewest characters of a digest that may stand for it."""

_LISTED = 20


def missing_partition(
    known: Sequence[tuple[tuple[str, ...], Mapping[str, str]]],
    asset: tuple[str, ...],
    what: str,
) -> VersionNotFound:
    """The error for an asset or a partition without a commit, listing what there is.

    Args:
        known: Every (asset, partition) of the store.
        asset: The asset asked for.
        what: How to name the request.
    """
    mine = [label((), other).strip(" []") or "none" for name, other in known if name == asset]
    if mine:
        more = f" and {len(mine) - _LISTED} more" if len(mine) > _LISTED else ""
        return VersionNotFound(
            what, "has no commit", f"Choose one of its partitions: {'; '.join(mine[:_LISTED])}{more}"
        )
    names = sorted({"/".join(name) for name, _ in known})
    near = difflib.get_close_matches("/".join(asset), names, 5, 0.5) or names[:_LISTED]
    hint = f"Choose an asset that exists: {', '.join(near)}" if near else "Materialise it first; this store is empty"
    return VersionNotFound(what, "is not in this store", hint)


def choose(where: Place, version: str | None, as_of: datetime | None) -> Commit:
    """The commit of a version, or of a time; see `Store.find`.

    Args:
        where: The partition; has at least one commit.
        version: Digest or prefix.
        as_of: Time with zone.

    Returns:
        The commit, with what the log last said about the bytes of its version.

    Raises:
        VersionNotFound: When there is none.
        CorruptObject: When a time is asked for and a log entry is damaged.
        PlanError: For a request that cannot be meant.
    """
    commits, damaged = log.read_healthy(where)
    if version is not None and as_of is not None:
        raise PlanError(where.label, "is asked for by version and by time at once", "Give one of the two")
    if version is not None:
        chosen = _by_version(where, commits, version)
    else:
        if damaged:
            raise damaged[0]  # the entry that cannot be read may be the one that is meant
        chosen = _by_time(where, commits, as_of)
    facts = facts_of(commits, chosen.version)
    return replace(chosen, file=facts or chosen.file)


def _by_version(where: Place, commits: Sequence[Commit], version: str) -> Commit:
    wanted = version.strip().lower()
    if len(wanted) < SHORTEST_PREFIX:
        raise PlanError(
            f"version {version!r}", f"is shorter than {SHORTEST_PREFIX} characters", "Give more of the digest"
        )
    matching = [commit for commit in commits if commit.version.startswith(wanted)]
    distinct = sorted({commit.version for commit in matching})
    if len(distinct) > 1:
        raise VersionNotFound(
            f"{where.label} version {version}", f"could be any of {', '.join(distinct)}", "Give more of the digest"
        )
    if not matching:
        raise VersionNotFound(f"{where.label} version {version}", "was never committed", choices(where))
    return matching[-1]


def _by_time(where: Place, commits: Sequence[Commit], as_of: datetime | None) -> Commit:
    if as_of is None or as_of.tzinfo is None:
        raise PlanError(f"as_of {as_of}", "has no time zone", "Give a time with zone, for example ...+00:00")
    before = [commit for commit in commits if commit.time <= as_of]
    if not before:
        first = commits[0].created_at
        raise VersionNotFound(
            f"{where.label} as of {as_of.isoformat()}",
            f"did not exist; its first commit is of {first}",
            "Ask for a later time",
        )
    return before[-1]


def facts_of(commits: Sequence[Commit], version: str) -> FileFacts | None:
    """What the log last said about the bytes of a version; None when it never named it."""
    return next((commit.file for commit in reversed(commits) if commit.version == version), None)


def choices(where: Place) -> str:
    """The newest versions that can be read, as a mend."""
    kept = {commit.version[:12]: commit.created_at for commit in log.read_healthy(where)[0] if not commit.removed}
    newest = [f"{version} ({created})" for version, created in reversed(list(kept.items()))]
    return "Choose one of " + ", ".join(newest[:_LISTED])
