"""What is wrong with the attributes of a `defs.yaml`, one sentence a mistake: field, value, what is allowed.

The study's own models judge the whole file at once, so that a mistake deep in a section is told as what it is. Dagster
judges by a JSON schema in which every section may also be a template, and then says only that no alternative fits.
"""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets.wording import nearest, shown

_QUOTED = re.compile(r"'([^']*)'")


def mistakes_in(attributes: Mapping[str, Any], model: type[BaseModel], study: str) -> list[PlanError]:
    """Every mistake that the model finds.

    Args:
        attributes: As YAML states them.
        model: The study's class; the classes of its sections follow from its fields.
        study: Its name, for messages.

    Returns:
        One error a mistake, unraised; values that Dagster fills in (``{{ env.NAME }}``) are left to it.
    """
    try:
        model.model_validate(attributes)
    except ValidationError as exc:
        return [_told(error, model, study) for error in exc.errors() if not is_template(error["input"])]
    return []


def is_template(value: Any) -> bool:
    """Whether Dagster fills the value in, or one inside it."""
    if isinstance(value, Mapping):
        return any(map(is_template, value.values()))
    if isinstance(value, list):
        return any(map(is_template, value))
    return isinstance(value, str) and "{{" in value


def not_known(name: object, known: tuple[str, ...]) -> str:
    """The mend of a name that nobody knows: the nearest that there is, and all of them."""
    near = nearest(str(name), known)
    allowed = f"Allowed: {', '.join(known)}" if known else "Leave it out"
    return f"Did you mean {near}? {allowed}" if near else allowed


def line_of(text: str, field: str) -> int | None:
    """The line of a file on which a field stands, or what stands around it; from 1, None for a file of several studies.

    Args:
        text: YAML, read before without an error.
        field: Dotted, with the places of lists as numbers, for example ``feature_maps.0.kind``; below ``attributes``.
    """
    documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    if len(documents) != 1:
        return None
    node, line = documents[0], 1
    for part in ("attributes", *field.split(".")):
        found = next(((key, value) for key, value in _children(node) if key.value == part), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _children(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, yaml.MappingNode):
        yield from node.value
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield yaml.ScalarNode("place", str(place), item.start_mark), item


def _told(error: Any, model: type[BaseModel], study: str) -> PlanError:
    """One of pydantic's errors as its owner would say it."""
    loc = tuple(error["loc"])
    culprit = ": ".join([f"study {study}", ".".join(map(str, loc))] if loc else [f"study {study}"])
    kind, value = error["type"], error["input"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return PlanError(culprit, "is no field", not_known(loc[-1], _fields_at(model, loc[:-1])))
    if kind == "missing":
        return PlanError(culprit, "is missing", "Write it")
    if kind == "literal_error":
        allowed = tuple(_QUOTED.findall(error["ctx"]["expected"]))
        return PlanError(culprit, f"is {shown(value)}", not_known(value, allowed))
    if kind == "value_error":
        return PlanError(culprit, message, "Mend that section")
    given = "is a section" if isinstance(value, dict) else f"is {shown(value) if isinstance(value, str) else value}"
    return PlanError(culprit, given, message.replace("Input should", "It should", 1))


def _fields_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> tuple[str, ...]:
    """Names of the fields of the section at a place."""
    at: type[BaseModel] | None = model
    for part in loc:
        if at is not None and isinstance(part, str) and part in at.model_fields:
            at = _model_in(at.model_fields[part].annotation)
    return tuple(at.model_fields) if at is not None else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation holds: itself, or one in a list of it or beside None."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for inner in typing.get_args(annotation) if (found := _model_in(inner)) is not None), None)
