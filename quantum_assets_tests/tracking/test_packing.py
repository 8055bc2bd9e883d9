import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.packing import (
    ALTERED,
    BATCH_PAIRS,
    BATCH_TOTAL,
    KEY_HASH_TAG,
    KEY_TAG,
    PARAM_LIMIT,
    TAG_LIMIT,
    batches,
    fit_label,
    fit_name,
    pack,
)
from quantum_assets.tracking.parcel import key_hash
from quantum_assets_tests.tracking.fakes import make_record

TEXT = st.text(max_size=40)


def test_what_fits_goes_through_as_it_is() -> None:
    record = make_record(1, metrics={"a/b": 1.0})
    packed = pack(record)
    assert dict(packed.metrics) == {"a/b": 1.0}
    assert dict(packed.params) == {"shots": "1024", "seed": "1", "profile": "ideal", "exact": "True"}
    assert packed.tags == {**record.tags, KEY_TAG: record.key, KEY_HASH_TAG: key_hash(record.key)}
    assert packed.artifacts == record.artifacts


def test_a_metric_that_is_not_finite_becomes_a_tag() -> None:
    packed = pack(make_record(metrics={"a": float("nan"), "b": float("-inf"), "c": 2.0}))
    assert dict(packed.metrics) == {"c": 2.0}
    assert (packed.tags["metric.a"], packed.tags["metric.b"]) == ("nan", "-inf")


def test_a_long_value_is_hashed_and_kept_whole() -> None:
    circuit, note = "q" * (PARAM_LIMIT + 1), "n" * (TAG_LIMIT + 1)
    packed = pack(make_record(params={"qasm": circuit, "edge": "e" * PARAM_LIMIT}, tags={"note": note}))
    assert re.fullmatch(r"sha256:[0-9a-f]{64} \(6001 characters, whole in qa/altered.json\)", packed.params["qasm"])
    assert packed.params["edge"] == "e" * PARAM_LIMIT
    altered = json.loads(packed.artifacts[ALTERED])
    assert altered["params/qasm"] == {"name": "qasm", "value": circuit}
    assert altered["tags/note"] == {"name": "note", "value": note}


def test_names_that_mlflow_refuses_are_rewritten_apart_from_each_other() -> None:
    bad = ["", "a<b", "a>b", "../a", "/a", "a//b", "a/", ".", "x" * 251, "a\n", "tab\t", "q(1)"]
    new = [fit_name(name) for name in bad]
    assert len(set(new)) == len(bad)
    assert all(re.fullmatch(r"[\w.\- ]{1,250}", name) for name in new)
    packed = pack(make_record(params={"a<b": 1}, metrics={"m<": 2.0}))
    altered = json.loads(packed.artifacts[ALTERED])
    assert altered[f"params/{fit_name('a<b')}"] == {"name": "a<b", "value": "1"}
    assert altered[f"metrics/{fit_name('m<')}"] == {"name": "m<"}


def test_labels_for_models_are_plain_and_never_reserved() -> None:
    assert fit_label("wine-kernel_model") == "wine-kernel_model"
    changed = ["wine/model", "wine:model", "v1", "V23", "latest", "", "a.b", "x" * 300, "ü"]
    assert len({fit_label(name) for name in changed}) == len(changed)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,200}", fit_label(name)) for name in changed)
    assert not any(re.fullmatch(r"[vV]\d+|latest", fit_label(name)) for name in changed)


def test_artifact_paths_stay_inside_and_never_collide() -> None:
    hostile = ["../up", "/root", "a/../../b", "", ".", "a\0b", "a\\b", "c:d", "%2e%2e/x", "long" * 200, ALTERED, "a//b"]
    record = make_record(artifacts={**dict.fromkeys(hostile, b"x"), "f": b"1", "f/g": b"2", "plain/ä b(1).txt": b"3"})
    packed = pack(record)
    renamed = [name for name in packed.artifacts if name.startswith("qa/renamed/")]
    assert len(renamed) == len(hostile) + 1
    assert {"f", "plain/ä b(1).txt", ALTERED} == set(packed.artifacts) - set(renamed)
    names = {entry["name"] for entry in json.loads(packed.artifacts[ALTERED]).values() if "value" not in entry}
    assert names == {*hostile, "f/g"}


@settings(max_examples=100, deadline=None)
@given(
    key=TEXT,
    params=st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.floats(), st.booleans()), max_size=5),
    metrics=st.dictionaries(TEXT, st.floats(), max_size=5),
    artifacts=st.dictionaries(TEXT, st.binary(max_size=5), max_size=5),
)
def test_nothing_is_lost_and_everything_fits(
    key: str, params: dict[str, str], metrics: dict[str, float], artifacts: dict[str, bytes]
) -> None:
    packed = pack(RunRecord(key, "e", "n", params=params, metrics=metrics, artifacts=artifacts))
    assert len(packed.params) == len(params)
    assert len(packed.metrics) + sum(name.startswith("metric.") for name in packed.tags) == len(metrics)
    assert len(set(packed.artifacts) - {ALTERED}) == len(artifacts)
    assert all(re.fullmatch(r"[/\w.\- :]{1,250}", name) for name in [*packed.params, *packed.metrics, *packed.tags])
    assert all("\0" not in value and value.encode() is not None for value in packed.tags.values())


def test_packing_is_deterministic() -> None:
    one = pack(make_record(1, params={"b": 1, "a": 2}, artifacts={"x": b"", "../y": b""}))
    other = pack(make_record(1, params={"a": 2, "b": 1}, artifacts={"../y": b"", "x": b""}))
    assert one == other
    assert list(batches(one)) == list(batches(other))


def test_batches_keep_every_limit_and_lose_nothing() -> None:
    params = {f"p{index:03d}": "ü" * 5000 for index in range(150)}
    metrics = {f"m{index:04d}": float(index) for index in range(2300)}
    tags = {f"t{index:03d}": "x" * 100 for index in range(250)}
    packed = pack(make_record(params=params, metrics=metrics, tags=tags))
    parts = list(batches(packed))
    for part in parts:
        assert len(part.params) <= BATCH_PAIRS
        assert len(part.tags) <= BATCH_PAIRS
        assert len(part.params) + len(part.tags) + len(part.metrics) <= BATCH_TOTAL
        assert len(json.dumps([part.params, part.tags, part.metrics])) < 1_000_000
    for kind in ("params", "metrics", "tags"):
        rejoined = {name: value for part in parts for name, value in getattr(part, kind).items()}
        assert rejoined == getattr(packed, kind)


def test_an_ordinary_record_is_one_batch() -> None:
    packed = pack(make_record(metrics={f"m{index}": 1.0 for index in range(50)}))
    assert len(list(batches(packed))) == 1
