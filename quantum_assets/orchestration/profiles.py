"""Execution profiles as people write them: one YAML file, read into values, with errors that name file and field."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile

FILE_NAME = "profiles.yaml"
_LARGEST_FILE = 1_000_000
# A name that asks for a secret, and what a secret looks like wherever it stands: a key pair's id or PEM block, a bearer
# header, a password inside an address.
_SECRET_NAME = re.compile(
    r"token|secret|passw(or)?d|credential|authorization|(api|access|private|account|service)[_-]?key|^crn$|^(pwd|auth|key)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\bbearer\s+\S{8,}|://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE
)


def read_profiles(path: Path) -> dict[str, ExecutionProfile]:
    """All profiles of one file, by name.

    Raises:
        PlanError: If the file is missing, is not YAML, holds what looks like a credential (named, never quoted), a
            profile contradicts itself, or a fallback is no ideal profile of this file; profile and field are named.
    """
    if not path.is_file():
        raise PlanError(str(path), "there is no such file", "Put profiles.yaml at the top of the defs folder")
    if path.stat().st_size > _LARGEST_FILE:
        raise PlanError(str(path), f"is over {_LARGEST_FILE} bytes", "Keep profiles.yaml to profiles")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        # Without the lines that PyYAML quotes, and without its exception: a secret may stand in them
        raise PlanError(str(path), f"is not YAML: {_unquoted(exc)}", "Mend the line it names") from None
    if not isinstance(document, Mapping) or not document:
        raise PlanError(str(path), "holds no profiles", "Write one mapping a profile: name, then its fields")
    for field in _credentials(document):
        raise PlanError(
            f"{path.name}: {field}",
            "looks like a credential",
            "Take it out and revoke it; providers read credentials from the environment only",
        )
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


def _credentials(value: Any, within: str = "") -> Iterator[str]:
    """Names of the fields, dotted, whose name or value looks like a secret; the value itself goes nowhere."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            name = f"{within}.{key}" if within else str(key)
            if _SECRET_NAME.search(str(key)):
                yield name
            yield from _credentials(inner, name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _credentials(inner, f"{within}.{number}")
    elif isinstance(value, str) and _SECRET_VALUE.search(value):
        yield within


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


def _unquoted(exc: yaml.YAMLError | UnicodeDecodeError) -> str:
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        what = re.sub(r"(['\"]).*?\1", "…", exc.problem or "cannot be read")
        return f"line {exc.problem_mark.line + 1}: {what}"
    return type(exc).__name__


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
