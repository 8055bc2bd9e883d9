"""Where the files of one partition of one asset lie.

::

    <root>/_store/<asset>/<dim=value>/<digest>.parquet          immutable objects
    <root>/_store/<asset>/<dim=value>/_log/0000000007.json      commits, in order of their numbers
    <root>/current/<asset>/<dim=value>/data.parquet             the newest version, for any reader of Parquet

Two trees on purpose: readers that walk a directory would otherwise mix old and new versions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from quantum_assets.store.files import is_temp
from quantum_assets.store.partitions import asset_path, label, partition_path

OBJECTS, CURRENT, LOG = "_store", "current", "_log"
DATA = "data.parquet"
_OBJECT = re.compile(r"^([0-9a-f]{64})\.parquet$")


@dataclass(frozen=True)
class Place:
    """One partition of one asset on disk; nothing is created or read here.

    Attributes:
        root: Root of the store.
        path: Asset and partition below the root, encoded.
        label: How messages name it.
    """

    root: Path
    path: PurePosixPath
    label: str

    @cached_property
    def objects(self) -> Path:
        """Directory of its objects, and of every temporary file made for it."""
        return self.root / OBJECTS / self.path

    @cached_property
    def log(self) -> Path:
        """Directory of its commits."""
        return self.objects / LOG

    @cached_property
    def lock(self) -> Path:
        """Lock file held by whoever commits or removes."""
        return self.log / ".lock"

    @cached_property
    def turn(self) -> Path:
        """Lock file held by whoever makes it from the newest versions of others; beside the log, which comes later."""
        return self.objects / ".turn"

    @cached_property
    def current(self) -> Path:
        """The file that shows the newest version."""
        return self.root / CURRENT / self.path / DATA

    def object(self, version: str) -> Path:
        """The object of one version."""
        return self.objects / f"{version}.parquet"

    def culprit(self, version: str) -> str:
        """How messages name one version of it."""
        return f"{self.label} version {version[:12]}"

    def stored_versions(self) -> frozenset[str]:
        """Digests of the objects that lie here, whether or not a commit names them."""
        found = (_OBJECT.match(path.name) for path in self.objects.glob("*.parquet"))
        return frozenset(match.group(1) for match in found if match)

    def temps(self) -> tuple[Path, ...]:
        """Temporary files left here by writers that are at work or were killed."""
        folders = [folder for folder in (self.objects, self.log) if folder.is_dir()]
        return tuple(sorted(path for folder in folders for path in folder.iterdir() if is_temp(path)))


def place(root: Path, asset: Sequence[str], partition: Mapping[str, str]) -> Place:
    """The place of a partition of an asset.

    Raises:
        PlanError: For a hostile name or key; this is where they are refused, before anything is written.
    """
    return Place(root, asset_path(asset) / partition_path(partition), label(asset, partition))


def places(root: Path) -> Iterator[Place]:
    """Every place that has a log, in order of its path; labelled by path, for the log may not be readable."""
    top = root / OBJECTS
    for log in sorted(top.rglob(LOG)):
        path = PurePosixPath(log.parent.relative_to(top).as_posix())
        yield Place(root, path, str(path))
