"""The Dagster instance of a home: `<home>/dagster` with the project's `dagster.yaml`, and the workspace it serves.

A checkout's own `dagster.yaml` and `workspace.yaml` come first; an installed wheel has the same files in
`quantum_assets/orchestration`. The copy in a home follows the project until somebody edits it there.
"""

import hashlib
import os
from pathlib import Path

import quantum_assets
from quantum_assets.contracts.errors import PlanError

CONFIG, WORKSPACE, MARK = "dagster.yaml", "workspace.yaml", ".dagster.yaml.sha256"


def prepare_instance(home: Path) -> Path:
    """Make `<home>/dagster` ready to be `DAGSTER_HOME`; safe to repeat and in several processes at once.

    Args:
        home: The home, from `locate_home`.

    Returns:
        The absolute folder.

    Raises:
        PlanError: If the folder cannot be written.
    """
    folder = home.absolute() / "dagster"
    wanted = project_file(CONFIG).read_bytes()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _is_ours(folder, wanted):
            _replace(folder / CONFIG, wanted)
            _replace(folder / MARK, hashlib.sha256(wanted).hexdigest().encode())
    except OSError as error:
        raise PlanError(f"home {home}", f"cannot be written: {error.strerror}", "Name another with --home") from error
    return folder


def project_file(name: str, package: Path | None = None) -> Path:
    """`dagster.yaml` or `workspace.yaml`: the one beside the package in a checkout, else the packaged copy.

    Args:
        name: File name.
        package: Folder of the package; by default that of this installation.
    """
    inside = package or Path(quantum_assets.__file__).parent
    beside = inside.parent / name
    is_checkout = (inside.parent / "pyproject.toml").is_file() and beside.is_file()
    return beside if is_checkout else inside / "orchestration" / name


def _is_ours(folder: Path, wanted: bytes) -> bool:
    """Whether the file there is the one that we wrote last, the one that we would write now, or none."""
    found = _read(folder / CONFIG)
    if found is None or found == wanted:
        return True
    return hashlib.sha256(found).hexdigest().encode() == _read(folder / MARK)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(path)
