"""Read the failure policy: a YAML list of rules, of which the first that matches decides; ours by default."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.failure import FailurePolicy, Rule
from quantum_assets.contracts.yaml_file import read_yaml

SHIPPED = Path(__file__).with_name("failure_policy.yaml")


def read_policy(path: Path | None = None) -> FailurePolicy:
    """The rules of one file.

    Args:
        path: A file with one key, `rules`, a list; None: the one that is shipped with the package.

    Raises:
        PlanError: If it cannot be read (`read_yaml`), or a rule contradicts itself; file, rule and field are named.
    """
    path = path or SHIPPED
    entries = _entries(path)
    rules = tuple(_rule(path, place, entry) for place, entry in enumerate(entries))
    try:
        return FailurePolicy(rules=rules)
    except ValidationError as exc:
        raise PlanError(str(path), _problems(exc), "Mend the order or the names of its rules") from exc


def _entries(path: Path) -> list[Any]:
    document = read_yaml(path, "Name a file of rules, or none for the shipped ones")
    entries = document.get("rules") if isinstance(document, Mapping) and set(document) == {"rules"} else None
    if not isinstance(entries, list) or not entries:
        raise PlanError(str(path), "is not one list of rules", "Write `rules:` and below it one entry a rule")
    return entries


def _rule(path: Path, place: int, entry: Any) -> Rule:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    try:
        return Rule(**entry)
    except (ValidationError, TypeError, re.error) as exc:
        raise PlanError(
            f"{path.name}: rule {place + 1} ({name or 'without a name'})",
            _problems(exc),
            "Mend that field; the fields are those of contracts.failure.Rule",
        ) from exc


def _problems(exc: ValidationError | TypeError | re.error) -> str:
    if isinstance(exc, TypeError):
        return "is no mapping of fields"
    if isinstance(exc, re.error):
        return f"holds {exc.pattern!r}, which is no regular expression: {exc.msg}"
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'rules'}: {e['msg']}" for e in exc.errors())
