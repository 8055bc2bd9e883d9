"""Which software made a version: package versions, the lock file's digest and the source revision, for provenance."""

import hashlib
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path

#: Packages whose version can change a number.
PACKAGES = (
    "quantum_assets",
    "numpy",
    "scipy",
    "scikit-learn",
    "qiskit",
    "qiskit-aer",
    "qiskit-machine-learning",
    "pyarrow",
)


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """Package name to version, plus `lock` (sha256 of the lock file) and `revision` (git commit)."""
    return {name: _version(name) for name in PACKAGES} | {"lock": _lock_digest(), "revision": _revision()}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _project_root() -> Path:
    return Path(__file__).resolve().parents[2]


def _lock_digest() -> str:
    """Digest of requirements.lock beside the package; of the installed distributions when there is none (a wheel)."""
    lock = _project_root() / "requirements.lock"
    if lock.is_file():
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    installed = sorted(f"{d.metadata['Name']}=={d.version}" for d in metadata.distributions())
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def _revision() -> str:
    """The git commit of a source checkout; "not a checkout" for an installed wheel."""
    if not (_project_root() / ".git").exists():
        return "not a checkout"
    command = ["git", "-C", str(_project_root()), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as exc:
        return f"unknown: {type(exc).__name__}"
    return answer.stdout.strip() or "unknown"
