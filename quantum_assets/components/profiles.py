"""Execution profiles as people write them: one YAML file, read into values, with errors that name file and field."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile

FILE_NAME = "profiles.yaml"
_LARGEST_FILE = 1_000_000


def read_profiles(path: Path) -> dict[str, ExecutionProfile]:
    """All profiles of one file, by name.

    Raises:
        PlanError: If the file is missing, is not YAML, or a profile contradicts itself; the field is named.
    """
    if not path.is_file():
        raise PlanError(str(path), "there is no such file", "Put profiles.yaml at the top of the defs folder")
    if path.stat().st_size > _LARGEST_FILE:
        raise PlanError(str(path), f"is over {_LARGEST_FILE} bytes", "Keep profiles.yaml to profiles")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise PlanError(str(path), f"is not YAML: {' '.join(str(exc).split())}", "Mend the line it names") from exc
    if not isinstance(document, Mapping) or not document:
        raise PlanError(str(path), "holds no profiles", "Write one mapping a profile: name, then its fields")
    return {str(name): _profile(path, str(name), fields) for name, fields in document.items()}


def choose_profiles(
    available: Mapping[str, ExecutionProfile], wanted: tuple[str, ...], study: str
) -> dict[str, ExecutionProfile]:
    """The profiles a study names, in its order.

    Raises:
        PlanError: For a name that no profile has; those that exist are listed.
    """
    unknown = [name for name in wanted if name not in available]
    if unknown:
        raise PlanError(
            f"study {study}: profiles",
            f"{', '.join(unknown)} is not defined",
            f"Choose from {', '.join(available)}, or add it to {FILE_NAME}",
        )
    return {name: available[name] for name in wanted}


def _profile(path: Path, name: str, fields: Any) -> ExecutionProfile:
    if not isinstance(fields, Mapping):
        raise PlanError(f"{path.name}: {name}", f"is {fields!r}", "Write the profile's fields below its name")
    try:
        return ExecutionProfile(**{"name": name, **fields})
    except (ValidationError, TypeError) as exc:
        raise PlanError(
            f"{path.name}: {name}", _first_problem(exc), "Mend that field; docs/profiles.md lists all"
        ) from exc


def _first_problem(exc: ValidationError | TypeError) -> str:
    if isinstance(exc, TypeError):
        return str(exc)
    problems = [f"{'.'.join(map(str, e['loc'])) or 'profile'}: {e['msg']}" for e in exc.errors()]
    return "; ".join(problems)
