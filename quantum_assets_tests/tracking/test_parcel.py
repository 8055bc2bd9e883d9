import io
import json
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.parcel import CorruptParcel, key_hash, read_parcel, write_parcel
from quantum_assets_tests.tracking.fakes import make_model, make_record

TEXT = st.text(max_size=30)


def written(record: RunRecord) -> bytes:
    buffer = io.BytesIO()
    write_parcel(record, buffer)
    return buffer.getvalue()


def read(data: bytes) -> RunRecord:
    return read_parcel(io.BytesIO(data), "somewhere.zip")


def test_a_record_comes_back_as_it_was_with_params_as_text() -> None:
    record = make_record(3, model=make_model())
    assert read(written(record)) == make_record(
        3, model=make_model(), params={"shots": "1024", "seed": "3", "profile": "ideal", "exact": "True"}
    )


@settings(max_examples=50, deadline=None)
@given(
    key=TEXT,
    name=TEXT,
    tags=st.dictionaries(TEXT, TEXT, max_size=4),
    data=st.dictionaries(TEXT, st.binary(max_size=99)),
)
def test_any_text_and_any_bytes_come_back(key: str, name: str, tags: dict[str, str], data: dict[str, bytes]) -> None:
    record = RunRecord(key=key, experiment=name, run_name=name, tags=tags, artifacts=data, metrics={name: 1.5})
    assert read(written(record)) == record


def test_non_finite_metrics_come_back() -> None:
    metrics = read(written(make_record(metrics={"a": float("inf"), "b": float("nan"), "c": -float("inf")}))).metrics
    assert (str(metrics["a"]), str(metrics["b"]), str(metrics["c"])) == ("inf", "nan", "-inf")


def test_every_flipped_bit_of_the_content_is_noticed() -> None:
    whole = written(make_record(1, artifacts={"a": bytes(2000)}))
    draw = random.Random(5)
    silent = []
    for _ in range(300):
        place, bit = draw.randrange(len(whole)), draw.randrange(8)
        torn = bytearray(whole)
        torn[place] ^= 1 << bit
        try:
            if read(bytes(torn)) != read(whole):
                silent.append((place, bit))
        except TrackingError:
            continue
    assert silent == []


@pytest.mark.parametrize("kept", [0, 1, 100, -1, -30])
def test_a_torn_file_is_corrupt(kept: int) -> None:
    with pytest.raises(CorruptParcel, match="somewhere"):
        read(written(make_record())[:kept])


def test_an_archive_without_a_manifest_or_with_another_shape_is_corrupt() -> None:
    for name, content in (("other", b""), ("record.json", b"[]"), ("record.json", b'{"format": 1}')):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, content)
        with pytest.raises(CorruptParcel):
            read(buffer.getvalue())


def test_a_newer_format_is_refused_and_not_called_corrupt() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("record.json", json.dumps({"format": 99}))
    with pytest.raises(TrackingError, match="format 99") as caught:
        read(buffer.getvalue())
    assert not isinstance(caught.value, CorruptParcel)


def test_what_is_not_bytes_or_no_number_is_refused_while_writing() -> None:
    with pytest.raises(TypeError, match="'a' is str"):
        written(make_record(artifacts={"a": "text"}))
    with pytest.raises(ValueError, match="could not convert"):
        written(make_record(metrics={"a": "high"}))


def test_hashes_name_any_key() -> None:
    keys = ["", "a", "a/b", "../a", "\ud800", "x" * 10_000, "a\0b"]
    assert len({key_hash(key) for key in keys}) == len(keys)
    assert all(len(key_hash(key)) == 32 and key_hash(key).isalnum() for key in keys)
