"""What was packed comes back the same, and what was not packed here is refused in one sentence."""

import dataclasses
import json
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quantum_assets.contracts.envelope import Attempt, Overlaps, ResultEnvelope, Samples, States, Timings
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.frame import seal, unseal
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.profile import (
    Batching,
    EffectiveProfile,
    ExecutionProfile,
    NoiseSpec,
    Routing,
    Transpilation,
)
from quantum_assets.contracts.wire import (
    pack_envelope,
    pack_order,
    pack_workload,
    unpack_envelope,
    unpack_order,
    unpack_workload,
)
from quantum_assets.contracts.workload import CircuitArtifact, DiagonalForm, Workload

TEXT = st.text(max_size=12)
COUNTS = st.integers(0, 2**62)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANGLES = st.floats(-1e3, 1e3)


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    rows, width, terms = draw(st.integers(1, 4)), draw(st.integers(0, 3)), draw(st.integers(1, 3))
    pairs = draw(st.none() | hnp.arrays(np.int64, (draw(st.integers(0, 5)), 2), elements=st.integers(0, rows - 1)))
    names = tuple(draw(st.lists(TEXT, min_size=width, max_size=width)))
    circuit = CircuitArtifact(
        draw(TEXT), draw(st.binary(max_size=50)), draw(COUNTS), draw(TEXT), draw(TEXT), draw(TEXT), 3, names, 4, 5
    )
    form = st.builds(
        DiagonalForm,
        st.integers(1, 3),
        st.tuples(*[st.tuples(st.integers(0, 2))] * terms),
        hnp.arrays(np.float64, (rows, terms), elements=ANGLES),
    )
    return Workload(
        dataclasses.replace(circuit, operations=("h", "rz")),
        draw(hnp.arrays(np.float64, (rows, width), elements=ANGLES)),
        draw(st.sampled_from(["states", "samples"])) if pairs is None else "overlaps",
        pairs,
        draw(st.none() | form),
        draw(TEXT),
    )


NOISES = st.builds(NoiseSpec, depolarizing_1q=st.floats(0, 1), readout=st.floats(0, 0.5))
EFFECTIVES = st.builds(
    EffectiveProfile,
    mode=st.sampled_from(["ideal", "noisy", "managed", "hardware"]),
    estimator=st.sampled_from(["exact", "binomial", "circuits"]),
    provider=TEXT,
    engine=TEXT,
    shots=st.none() | COUNTS,
    seed=st.none() | COUNTS,
    noise=st.none() | NOISES,
    transpilation=st.none() | st.builds(Transpilation, basis_gates=st.tuples(TEXT, TEXT), seed=COUNTS),
    backend=st.none() | TEXT,
    versions=st.dictionaries(TEXT, TEXT, max_size=3),
)
COMPLEX = hnp.arrays(np.complex128, hnp.array_shapes(max_dims=2, min_side=0, max_side=4))
SHARES = hnp.arrays(np.float64, hnp.array_shapes(max_dims=1, min_side=0, max_side=5))
BYTES = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=3))
ENVELOPES = st.builds(
    ResultEnvelope,
    workload_fingerprint=TEXT,
    profile_fingerprint=TEXT,
    effective=EFFECTIVES,
    data=st.builds(States, COMPLEX)
    | st.builds(Overlaps, SHARES, st.none() | COUNTS)
    | st.builds(Samples, BYTES, COUNTS),
    crosscheck_difference=st.none() | st.floats(),
    crosscheck_zscore=st.none() | st.floats(),
    circuits_run=st.integers(-(2**40), 2**40),
    circuits_needed=COUNTS,
    timings=st.builds(Timings, st.floats(), st.floats(), st.floats()),
    calibration_digest=st.none() | TEXT,
    job=TEXT,
    attempts=st.lists(st.builds(Attempt, COUNTS, *[TEXT] * 7), max_size=2).map(tuple),
    cost=st.floats(),
    currency=TEXT,
    correlation_id=TEXT,
    cache_hit=st.booleans(),
    mocked=st.booleans(),
    metrics=st.dictionaries(TEXT, st.floats(), max_size=3),
)


def same(one: Any, other: Any) -> bool:
    """Equal to the bit, field by field: the canonical form folds -0.0 and all nan, so it is not enough here."""
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return type(one) is type(other) and all(same(getattr(one, n), getattr(other, n)) for n in names)
    if isinstance(one, np.ndarray):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return isinstance(other, float) and (repr(one) == repr(other))
    return type(one) is type(other) and bool(one == other)


def envelope(data: States | Overlaps | Samples | None = None, **changes: Any) -> ResultEnvelope:
    effective = EffectiveProfile(
        mode="ideal", estimator="exact", provider="p", engine="e", shots=None, seed=None, noise=None, transpilation=None
    )
    whole = ResultEnvelope("w", "p", effective, data or Overlaps(np.ones(3), 10), None, 0.5, 3, 3)
    return dataclasses.replace(whole, **changes)


def workload(**changes: Any) -> Workload:
    circuit = CircuitArtifact("c", b"QISKIT", 13, "q", "d", "f" * 64, 2, ("x0", "x1"), 3, 1)
    return dataclasses.replace(Workload(circuit, np.arange(6.0).reshape(3, 2), "states"), **changes)


@given(workloads())
def test_a_workload_comes_back_the_same(asked: Workload) -> None:
    back = unpack_workload(pack_workload(asked))
    assert same(back, asked)
    assert back.fingerprint == asked.fingerprint
    assert pack_workload(back) == pack_workload(asked)


@given(ENVELOPES)
def test_an_envelope_comes_back_the_same(claim: ResultEnvelope) -> None:
    back = unpack_envelope(pack_envelope(claim))
    assert same(back, claim)
    assert pack_envelope(back) == pack_envelope(claim)


@settings(max_examples=20)
@given(st.lists(workloads(), min_size=1, max_size=3), COUNTS, TEXT)
def test_an_order_comes_back_the_same(asked: list[Workload], replicate: int, correlation: str) -> None:
    profile = ExecutionProfile(
        name="noisy",
        description="décrite",
        mode="noisy",
        estimator="circuits",
        shots=100,
        noise=NoiseSpec(readout=0.1),
        providers=("aer", "ibm"),
        batching=Batching(max_workloads=3),
        routing=Routing(fallback="ideal"),
        deadline_seconds=5.0,
    )
    order = Order("ab" * 16, tuple(asked), profile, replicate, correlation)
    back = unpack_order(pack_order(order))
    assert same(back, order)
    assert back.profile.fingerprint == profile.fingerprint


def test_many_workloads_keep_their_order() -> None:
    asked = tuple(workload(label=str(n)) for n in range(12))
    order = Order("ab" * 16, asked, ExecutionProfile(name="p", mode="ideal", providers=("aer",)))
    assert [one.label for one in unpack_order(pack_order(order)).workloads] == [str(n) for n in range(12)]


@pytest.mark.parametrize(("contract", "kind"), [(Workload, "workload"), (ResultEnvelope, "envelope"), (Order, "order")])
def test_no_field_of_a_contract_is_left_out(contract: type, kind: str) -> None:
    """Every field is text in the head or an array: a new field of a contract cannot be lost on the wire."""
    content = {
        "workload": lambda: pack_workload(workload(diagonal=DiagonalForm(1, ((0,),), np.zeros((3, 1))))),
        "envelope": lambda: pack_envelope(envelope()),
        "order": lambda: pack_order(
            Order("ab" * 16, (workload(),), ExecutionProfile(name="p", mode="ideal", providers=("aer",)))
        ),
    }[kind]()
    head, arrays = unseal(kind, content)
    kept = set(json.loads(head)) | set(arrays)
    as_arrays = {"workload": {"pairs"}, "envelope": {"data"}, "order": {"workloads"}}[kind]
    assert set(get_type_hints(contract)) - as_arrays <= kept


def test_the_order_of_names_does_not_change_the_bytes() -> None:
    one, other = envelope(metrics={"a": 1.0, "b": 2.0}), envelope(metrics={"b": 2.0, "a": 1.0})
    assert pack_envelope(one) == pack_envelope(other)
    assert fingerprint(one.metrics) == fingerprint(other.metrics)


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    claim = envelope(circuits_run=np.int64(3), cost=np.float32(0.5), metrics={"depth": np.float64(7)})
    back = unpack_envelope(pack_envelope(claim))
    assert (back.circuits_run, back.cost, back.metrics) == (3, 0.5, {"depth": 7.0})


@pytest.mark.parametrize("outcomes", [np.ones(3, np.complex64), np.ones((2, 2, 2)), np.ones(3, np.int32)])
def test_wrong_outcomes_travel_so_that_trust_can_refuse_them(outcomes: Any) -> None:
    back = unpack_envelope(pack_envelope(envelope(States(outcomes))))
    assert isinstance(back.data, States)
    assert same(back.data.amplitudes, outcomes)


def test_samples_without_their_shots_are_refused() -> None:
    packed = pack_envelope(envelope(Samples(np.zeros((2, 3, 1), np.uint8), 3)))
    head, arrays = unseal("envelope", packed)
    mute = seal("envelope", json.dumps(json.loads(head) | {"shots": None}).encode(), dict(arrays))
    with pytest.raises(PlanError, match="does not say of how many shots"):
        unpack_envelope(mute)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (envelope(Overlaps([0.5], 10)), "outcomes: is list"),  # type: ignore[arg-type]
        (envelope(Overlaps(np.array([None]), 10)), "outcomes: is object"),
        (envelope(job=5), "job: Input should be a valid string"),
        (envelope(metrics={"a": "many"}), r"metrics\.a: "),
        (envelope(correlation_id="\ud800"), "cannot be written"),
        (dataclasses.replace(envelope(), data="nothing"), "data: is str"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_written_is_named(claim: ResultEnvelope, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        pack_envelope(claim)


def reworked(content: bytes, kind: str, arrays: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """The same frame with another head or other arrays, and a right checksum."""
    head, kept = unseal(kind, content)
    changed = {k: v for k, v in (json.loads(head) | changes).items() if v is not ...}
    return seal(kind, json.dumps(changed).encode(), {k: v for k, v in (kept | (arrays or {})).items() if v is not ...})


@pytest.mark.parametrize(
    ("arrays", "changes", "sentence"),
    [
        ({"bindings": np.arange(6.0).reshape(3, 2) + 1}, {}, "says that it is"),
        ({"qpy": np.zeros(3, np.uint8)}, {}, "other QPY bytes"),
        ({"qpy": ...}, {}, "no array qpy"),
        ({"bindings": np.zeros((3, 2), np.int64)}, {}, "no array bindings of the right type"),
        ({}, {"label": ...}, "^$"),
        ({}, {"measure": "probabilities"}, "measure: Input should be 'states', 'overlaps' or 'samples'"),
        ({}, {"measure": "overlaps"}, "pairs missing"),
        ({}, {"surprise": 1}, "surprise: Extra inputs"),
        ({}, {"circuit": {"name": "c"}}, r"circuit\."),
        ({}, {"fingerprint": 5}, "fingerprint: Input should be a valid string"),
    ],
)
def test_a_forged_workload_is_refused(arrays: dict[str, Any], changes: dict[str, Any], sentence: str) -> None:
    forged = reworked(pack_workload(workload()), "workload", arrays, **changes)
    if sentence == "^$":  # a field that an older writer did not know takes its default
        assert unpack_workload(forged).label == ""
        return
    with pytest.raises(PlanError, match=sentence):
        unpack_workload(forged)


def test_one_kind_is_not_read_as_another() -> None:
    with pytest.raises(PlanError, match="holds workload, not envelope"):
        unpack_envelope(pack_workload(workload()))
    with pytest.raises(PlanError, match="packed envelope: has a head that does not fit"):
        unpack_envelope(seal("envelope", b"{}", {}))
    with pytest.raises(PlanError, match="does not fit"):
        unpack_envelope(seal("envelope", b"[" * 100_000, {}))


def test_an_altered_workload_inside_an_order_is_found() -> None:
    order = Order("ab" * 16, (workload(),), ExecutionProfile(name="p", mode="ideal", providers=("aer",)))
    inner = bytearray(pack_workload(workload()))
    inner[-1] ^= 1
    forged = reworked(pack_order(order), "order", {"000000000": np.frombuffer(bytes(inner), np.uint8)})
    with pytest.raises(PlanError, match="packed workload: was altered"):
        unpack_order(forged)
    with pytest.raises(PlanError, match="holds no workload"):
        unpack_order(reworked(pack_order(order), "order", {"000000000": ...}))


def test_limits_reach_the_frame() -> None:
    with pytest.raises(PlanError, match="100 are accepted"):
        unpack_workload(pack_workload(workload()), limit=100)
