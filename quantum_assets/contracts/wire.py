"""The one serialisation of workloads, orders and envelopes: for HTTP, for the cache and for the spool.

What is text or a number becomes canonical JSON (sorted keys, UTF-8), what is an array stays as its bytes; `frame` holds
the two together, versioned and under a checksum. Reading back gives the same values: arrays to the bit, fingerprints
equal, ``nan`` and infinities included, for an envelope must reach the judge as it came.

The models of the JSON are made from the contracts themselves, so that no field can be forgotten here. A field that an
older writer did not know takes its default; one that this version does not know is refused.
"""

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import PydanticSerializationError

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, Samples, States
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.frame import MAX_BYTES, Array, Content, array_of, fault, seal, unseal
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.workload import CircuitArtifact, DiagonalForm, Workload


def pack_workload(workload: Workload) -> bytes:
    """Write a workload whole: circuit evidence, bindings, pairs, diagonal form and label.

    Raises:
        PlanError: When a field is not of its type, or it takes more than `MAX_BYTES`.
    """
    circuit, form = workload.circuit, workload.diagonal
    arrays: dict[str, Array] = {"bindings": workload.bindings, "qpy": np.frombuffer(circuit.qpy, dtype=np.uint8)}
    if workload.pairs is not None:
        arrays["pairs"] = workload.pairs
    if form is not None:
        arrays["phases"] = form.phases
    values = {
        "circuit": _values(circuit, "qpy"),
        "qpy_digest": circuit.qpy_digest,
        "measure": workload.measure,
        "label": workload.label,
        "diagonal": None if form is None else _values(form, "phases"),
        "fingerprint": workload.fingerprint,
    }
    return seal("workload", _head("workload", values), arrays)


def unpack_workload(content: Content, limit: int = MAX_BYTES) -> Workload:
    """Read a workload back; its arrays are read-only views of `content`.

    Args:
        content: What `pack_workload` wrote.
        limit: Bytes that are accepted.

    Raises:
        PlanError: For bytes that are cut short, altered, too many, of another kind or version, or that hold another
            circuit or workload than they say.
    """
    head, arrays = unseal("workload", content, limit)
    values = _read("workload", head)
    circuit = CircuitArtifact(**dict(values["circuit"]), qpy=array_of(arrays, "workload", "qpy", "u").tobytes())
    if circuit.qpy_digest != values["qpy_digest"]:
        raise fault("workload", "holds other QPY bytes than it says")
    form = values["diagonal"]
    workload = Workload(
        circuit,
        bindings=array_of(arrays, "workload", "bindings", "f"),
        measure=values["measure"],
        pairs=array_of(arrays, "workload", "pairs", "iu") if "pairs" in arrays else None,
        diagonal=form and DiagonalForm(**dict(form), phases=array_of(arrays, "workload", "phases", "f")),
        label=values["label"],
    )
    if workload.fingerprint != values["fingerprint"]:
        raise fault("workload", f"is {workload.fingerprint[:12]} and says that it is {values['fingerprint'][:12]}")
    return workload


def pack_envelope(envelope: ResultEnvelope) -> bytes:
    """Write an envelope whole, believed or not: numbers that are not finite and wrong shapes are carried as well.

    Raises:
        PlanError: When the outcomes are no array of numbers, or another field is not of its type.
    """
    data = envelope.data
    if not isinstance(data, States | Overlaps | Samples):
        raise PlanError("envelope: data", f"is {type(data).__name__}", "Give States, Overlaps or Samples")
    shots = None if isinstance(data, States) else data.shots
    own = {"outcomes": type(data).__name__.lower(), "shots": shots}
    return seal("envelope", _head("envelope", _values(envelope, "data") | own), {"outcomes": data.outcomes})


def unpack_envelope(content: Content, limit: int = MAX_BYTES) -> ResultEnvelope:
    """Read an envelope back, still to be judged; its outcomes are a read-only view of `content`.

    Raises:
        PlanError: As `unpack_workload`.
    """
    head, arrays = unseal("envelope", content, limit)
    values = _read("envelope", head)
    kind, shots = values.pop("outcomes"), values.pop("shots")
    outcomes = array_of(arrays, "envelope", "outcomes", "biufc")
    return ResultEnvelope(**values, data=_data(kind, outcomes, shots))


def _data(kind: str, outcomes: Array, shots: int | None) -> States | Overlaps | Samples:
    if kind == "states":
        return States(outcomes)
    if kind == "overlaps":
        return Overlaps(outcomes, shots)
    if shots is None:
        raise fault("envelope", "holds samples and does not say of how many shots")
    return Samples(outcomes, shots)


def pack_order(order: Order) -> bytes:
    """Write an order with all its workloads, each as a frame of its own.

    Raises:
        PlanError: As `pack_workload`.
    """
    frames = {f"{n:09d}": np.frombuffer(pack_workload(w), dtype=np.uint8) for n, w in enumerate(order.workloads)}
    return seal("order", _head("order", _values(order, "workloads")), frames)


def unpack_order(content: Content, limit: int = MAX_BYTES) -> Order:
    """Read an order back; every workload in it is checked by itself.

    Raises:
        PlanError: As `unpack_workload`.
    """
    head, arrays = unseal("order", content, limit)
    frames = [array_of(arrays, "order", name, "u") for name in sorted(arrays)]
    return Order(**_read("order", head), workloads=tuple(unpack_workload(frame.data, limit) for frame in frames))


class _Head(BaseModel):
    """What every model of a head keeps to."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


@cache
def _model(kind: str) -> type[BaseModel]:
    """The model of a head: the fields of its contract but the arrays, and what only the wire needs."""
    if kind == "order":
        return _from(Order, {"workloads"})
    if kind == "envelope":
        return _from(ResultEnvelope, {"data"}, outcomes=Literal["states", "overlaps", "samples"], shots=int | None)
    return _from(
        Workload,
        {"bindings", "pairs"},
        circuit=_from(CircuitArtifact, {"qpy"}),
        diagonal=_from(DiagonalForm, {"phases"}) | None,
        qpy_digest=str,
        fingerprint=str,
    )


def _from(contract: type, without: set[str], **own: Any) -> type[_Head]:
    hints = get_type_hints(contract)
    fields: dict[str, Any] = {
        field.name: (hints[field.name], _default(field))
        for field in dataclasses.fields(contract)
        if field.name not in without
    }
    fields |= {name: (hint, ...) for name, hint in own.items()}
    return create_model(contract.__name__, __base__=_Head, **fields)


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return ... if field.default is dataclasses.MISSING else field.default


def _head(kind: str, values: Mapping[str, Any]) -> bytes:
    try:
        plain = _model(kind).model_validate(values).model_dump(mode="json", warnings="error")
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except ValidationError as error:
        raise PlanError(kind, f"has a field that cannot be written: {_first(error)}", "Mend that field") from error
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise PlanError(kind, f"has a field that cannot be written: {error}", "Mend that field") from error


def _read(kind: str, head: bytes) -> dict[str, Any]:
    try:
        return dict(_model(kind).model_validate_json(head, strict=True))
    except ValidationError as error:
        raise fault(kind, f"has a head that does not fit: {_first(error)}") from error


def _values(value: Any, without: str) -> dict[str, Any]:
    """The fields of a dataclass by name, not copied."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name != without}


def _first(error: ValidationError) -> str:
    """Where the first fault is and what it is; never the value, which may be long or private."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
