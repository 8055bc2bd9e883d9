"""How a study of any kind presents itself in the UI."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StudyLook:
    """How a study presents itself in the UI; no number depends on it, but for `code_version`."""

    description: str
    owner: str | None
    tags: Mapping[str, str]
    code_version: str
