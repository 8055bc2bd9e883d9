"""What a study of any kind remembers of each step: where a version comes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.orchestration.environment import environment
from quantum_assets.orchestration.stored import version_of


class StudyPlan(Protocol):
    """What every kind of study has."""

    @property
    def name(self) -> str:
        """Key prefix of its assets."""
        ...

    @property
    def base(self) -> Path:
        """Folder that relative paths start from."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of its question."""
        ...


def provenance(
    plan: StudyPlan,
    inputs: Mapping[str, pa.Table],
    profile: ExecutionProfile | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """What a version was made from: study, input versions, profile, software; JSON-able, without a clock."""
    made: dict[str, Any] = {
        "study": plan.name,
        "question": plan.fingerprint,
        "inputs": {f"{plan.name}/{name}": version_of(table) for name, table in inputs.items()},
        "environment": environment(),
    }
    if profile is not None:
        made |= {"profile": profile.name, "profile_fingerprint": profile.fingerprint}
    return made | {name: value for name, value in facts.items() if value is not None}
