"""Frozen values as YAML states them, with errors that name file, line and field instead of a class.

Dagster validates the outline of a `defs.yaml` and then builds our values; what only the values can judge (a limit, a
choice, fields that contradict each other) is raised here as one sentence a mistake.
"""

from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import (
    ClassicalSpec,
    DecisionPolicy,
    LoopSpec,
    Periods,
    ProblemSpec,
    QuantumSpec,
)
from quantum_assets.contracts.qaoa import Objective, TrainingBudget
from quantum_assets.contracts.study import DataSource, FeatureMapSpec, Preparation, Protocol


class YamlValue(dg.Resolvable):
    """A resolvable value whose validation errors point into the YAML."""

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """Build the value from its YAML.

        Raises:
            PlanError: Naming file, line, field, what is wrong and what is allowed, for every mistake in this value.
        """
        try:
            resolved: Self = super().resolve_from_model(context, model)
        except ValidationError as exc:
            raise _in_yaml(context, exc) from exc
        return resolved


class SourceYaml(DataSource, YamlValue):
    """`DataSource` as YAML states it."""


class PreparationYaml(Preparation, YamlValue):
    """`Preparation` as YAML states it."""


class FeatureMapYaml(FeatureMapSpec, YamlValue):
    """`FeatureMapSpec` as YAML states it."""


class ProtocolYaml(Protocol, YamlValue):
    """`Protocol` as YAML states it."""


class ProblemYaml(ProblemSpec, YamlValue):
    """`ProblemSpec` as YAML states it."""


class PeriodsYaml(Periods, YamlValue):
    """`Periods` as YAML states it."""


class ObjectiveYaml(Objective, YamlValue):
    """`Objective` as YAML states it."""


class TrainingYaml(TrainingBudget, YamlValue):
    """`TrainingBudget` as YAML states it."""


class LoopYaml(LoopSpec, YamlValue):
    """`LoopSpec` as YAML states it."""


class QuantumYaml(QuantumSpec, YamlValue):
    """`QuantumSpec` as YAML states it."""

    objective: ObjectiveYaml = ObjectiveYaml()
    training: TrainingYaml = TrainingYaml(optimiser="nelder_mead", evaluations=80)
    loop: LoopYaml = LoopYaml()


class ClassicalYaml(ClassicalSpec, YamlValue):
    """`ClassicalSpec` as YAML states it."""


class PolicyYaml(DecisionPolicy, YamlValue):
    """`DecisionPolicy` as YAML states it."""


def _in_yaml(context: dg.ResolutionContext, exc: ValidationError) -> PlanError:
    errors = exc.errors()
    problems = "; ".join(_problem(error) for error in errors)
    return PlanError(_place(context, list(errors[0]["loc"])), problems, "Mend it and run `quantum-assets check` again")


def _place(context: dg.ResolutionContext, within: list[str | int]) -> str:
    """``wine/defs.yaml:12: feature_maps.0.kind``; without a line where Dagster knows of none."""
    path = [*context.path, *within]
    name = ".".join(str(part) for part in path if part != "attributes") or "attributes"
    tree = context.source_position_tree
    if tree is None:
        return name
    position, _ = tree.lookup_closest_and_path(path, trace=None)
    file = Path(position.filename)
    return f"{file.parent.name}/{file.name}:{position.start.line}: {name}"


def _problem(error: Any) -> str:
    field = ".".join(map(str, error["loc"]))
    message = str(error["msg"]).removeprefix("Value error, ")
    given = f"{field} is {error['input']!r}: " if field and not isinstance(error["input"], dict) else ""
    return f"{given}{message[:1].lower()}{message[1:]}"
