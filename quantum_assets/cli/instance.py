"""The Dagster instance of a home: `<home>/dagster` with the project's `dagster.yaml`, and the workspace it serves.

A checkout's own `dagster.yaml` and `workspace.yaml` come first; an installed wheel has the same files in
`quantum_assets/orchestration`. The copy in a home follows the project until somebody edits it there.
"""

import hashlib
import os
from pathlib import Path

from filelock import FileLock

import quantum_assets
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.redact import redact

#: For daemon and webserver: a code server that does not answer, because the machine is busy, ends no run too early, and
#: ends no backfill at all.
PATIENCE = {"DAGSTER_GRPC_TIMEOUT_SECONDS": "300", "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1"}
CONFIG, WORKSPACE, MARK = "dagster.yaml", "workspace.yaml", ".dagster.yaml.sha256"


def prepare_instance(home: Path) -> Path:
    """Make `<home>/dagster` ready to be `DAGSTER_HOME`; safe to repeat and in several processes at once.

    Its databases are made here, by one process: daemon, webserver and launched runs that open a fresh instance at the
    same moment would each stamp Dagster's schema version, and a database with two stamps cannot be opened again.

    Args:
        home: The home, from `locate_home`.

    Returns:
        The absolute folder.

    Raises:
        PlanError: If the folder cannot be written, or if the instance that its `dagster.yaml` describes cannot be
            opened.
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
    with FileLock(folder / ".prepare.lock"):
        _make_databases(folder)
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


def _make_databases(folder: Path) -> None:
    """Open the instance and every storage of it once, which creates what is missing."""
    import dagster as dg

    try:
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
                if storage is not None:
                    storage.alembic_version()
    except Exception as error:  # Dagster's own kinds and every driver's
        told = redact(" ".join(f"{error}".split())[:300] or type(error).__name__)
        raise PlanError(
            f"instance {folder}", f"cannot be opened: {told}", f"Mend {CONFIG} there, or remove it to get the project's"
        ) from error


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
