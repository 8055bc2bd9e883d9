"""Budgets as people edit them: one YAML file, a mapping a project, read into values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.yaml_file import read_yaml

FILE_NAME = "budgets.yaml"


def read_budgets(path: Path) -> Mapping[str, Budget]:
    """All budgets of one file, by project.

    Raises:
        PlanError: If the file cannot be read (`read_yaml`) or a budget breaks the form; file, project and field are
            named.
    """
    document = read_yaml(path, f"Put {FILE_NAME} in the defs folder")
    if not isinstance(document, Mapping) or not document:
        raise PlanError(str(path), "holds no budgets", "Write one mapping a project: name, then its limits")
    return {str(project): _budget(path, str(project), fields) for project, fields in document.items()}


def budget_of(budgets: Mapping[str, Budget], project: str) -> Budget:
    """The budget of a project.

    Raises:
        PlanError: For a project that has none; those that exist are listed.
    """
    if project not in budgets:
        raise PlanError(
            f"project {project}",
            f"has no budget (there are: {', '.join(budgets) or 'none'})",
            f"Add it to {FILE_NAME}, or name another project in the profile",
        )
    return budgets[project]


def _budget(path: Path, project: str, fields: Any) -> Budget:
    if not isinstance(fields, Mapping):
        raise PlanError(f"{path.name}: {project}", f"is {fields!r}", "Write the limits below the project's name")
    try:
        budget = Budget(**{"project": project, **{str(name): value for name, value in fields.items()}})
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, error['loc'])) or 'budget'}: {error['msg']}" for error in exc.errors()]
        raise PlanError(f"{path.name}: {project}", "; ".join(problems), "Mend those fields") from exc
    if budget.project != project:
        raise PlanError(f"{path.name}: {project}", f"names project {budget.project}", "Leave project out")
    return budget
