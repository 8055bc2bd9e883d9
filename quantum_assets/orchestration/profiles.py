"""Execution profiles as people write them: one YAML file, read into values, with errors that name file and field."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.yaml_file import read_yaml

FILE_NAME = "profiles.yaml"


def read_profiles(path: Path) -> dict[str, ExecutionProfile]:
    """All profiles of one file, by name.

    Raises:
        PlanError: If the file cannot be read (`read_yaml`), a profile contradicts itself, or a fallback is no ideal
            profile of this file; profile and field are named.
    """
    document = read_yaml(path, "Put profiles.yaml at the top of the defs folder")
    if not isinstance(document, Mapping) or not document:
        raise PlanError(str(path), "holds no profiles", "Write one mapping a profile: name, then its fields")
    profiles = {str(name): _profile(path, str(name), fields) for name, fields in document.items()}
    for profile in profiles.values():
        _check_fallback(path, profile, profiles)
    return profiles


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


def _check_fallback(path: Path, profile: ExecutionProfile, profiles: Mapping[str, ExecutionProfile]) -> None:
    """The last resort must be there, and must need neither a service nor a device nor a queue."""
    name = profile.routing.fallback
    if name is None:
        return
    ideal = [other.name for other in profiles.values() if other.mode == "ideal" and not other.asynchronous]
    mend = f"Choose from {', '.join(n for n in ideal if n != profile.name) or 'none; add an ideal profile'}"
    culprit = f"{path.name}: {profile.name}: routing.fallback"
    if name not in profiles:
        raise PlanError(culprit, f"{name} is not a profile of this file", mend)
    if name not in ideal:
        what = "asynchronous" if profiles[name].asynchronous else f"of mode {profiles[name].mode}"
        raise PlanError(culprit, f"profile {name} is {what}; a fallback is ideal and answers at once", mend)


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
