"""The provenance inside an object's footer, and what the log keeps of the object's bytes: values and their JSON.

Both carry the format number of the release that wrote them; another one is refused, never guessed.
"""

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from quantum_assets.contracts.errors import CorruptObject, StoreError
from quantum_assets.store.digest import ColumnDigest, ContentDigest

FORMAT = 1
"""Number of the layout of footers and log entries."""
KEY = b"quantum_assets"
"""Key of the provenance among the metadata of a Parquet file."""
PACKAGES = ("quantum_assets", "pyarrow", "numpy", "pandas")
RESTORE = "Read another version, or materialise the partition again to heal this one"
"""What mends a corrupt object."""


@dataclass(frozen=True)
class FileFacts:
    """What the commit log knows about an object's bytes: their number, and the sha256 of all and of the footer."""

    bytes: int
    sha256: str
    footer_sha256: str


@dataclass(frozen=True)
class Footer:
    """The provenance that travels inside the file.

    Attributes:
        asset: Parts of the asset's name.
        partition: Value of each dimension.
        content: Digest of every column that counts; its version is the data version.
        provenance: What the asset said about how it was made, when this object was first stored.
        created_at: UTC, ISO 8601.
        packages: Package name to version.
    """

    asset: tuple[str, ...]
    partition: Mapping[str, str]
    content: ContentDigest
    provenance: Mapping[str, Any]
    created_at: str
    packages: Mapping[str, str]

    def to_json(self) -> str:
        """One JSON object; also names the format and the version for people and other tools."""
        body = {"format": FORMAT, "version": self.content.version, **asdict(self)}
        return json.dumps(body, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes, culprit: str) -> "Footer":
        """Parse `to_json`'s text.

        Raises:
            StoreError: For a format of another release.
            CorruptObject: For text that does not hold what it should.
        """
        try:
            body = json.loads(text)
            check_format(body["format"], culprit)
            content = body["content"]
            columns = tuple(ColumnDigest(**column) for column in content["columns"])
            digest = ContentDigest(content["contract"], content["rows"], columns)
            footer = cls(
                tuple(body["asset"]),
                body["partition"],
                digest,
                body["provenance"],
                body["created_at"],
                body["packages"],
            )
            recorded = body["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptObject(culprit, f"its footer is damaged ({error!r})", RESTORE) from error
        if digest.version != recorded:
            raise CorruptObject(culprit, "its footer's digests do not make its version", RESTORE)
        return footer


def check_format(found: Any, culprit: str) -> None:
    """Refuse what another release wrote, rather than guess.

    Raises:
        StoreError: For any format but `FORMAT`.
    """
    if found != FORMAT:
        raise StoreError(
            culprit, f"was written in format {found!r}; this release reads format {FORMAT}", "Upgrade quantum_assets"
        )


@lru_cache(maxsize=1)
def package_versions() -> Mapping[str, str]:
    """Versions of Python and of the packages that shape a stored table; installed ones only."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = "not installed"
    return installed
