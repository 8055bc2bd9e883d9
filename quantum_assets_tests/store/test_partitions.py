from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.store.partitions import (
    KEY_LIMIT,
    asset_path,
    decode,
    encode,
    label,
    parse_path,
    partition_path,
    validate_key,
    validate_name,
)


def accepted(value: str) -> bool:
    try:
        validate_key(value)
    except PlanError:
        return False
    return True


ALPHABET = st.one_of(st.characters(), st.sampled_from("%~_.=/\\ aA\u0130\u00df\x00\u202e"))
ANY = st.text(ALPHABET, max_size=300)
KEYS = ANY.filter(accepted)


@settings(max_examples=500, deadline=None)
@given(KEYS, KEYS)
@example("", "__empty__")
@example("", "\u200b")
@example("A", "a")
@example("%41", "A")
@example("%2f", "%2F")
@example("a~" + "0" * 64, "a")
@example("x" * 300, "x" * 301)
@example("\u00e9", "e\u0301")
def test_different_keys_never_share_a_directory(first: str, second: str) -> None:
    same = encode(first).casefold() == encode(second).casefold()
    assert same == (first == second)


@settings(max_examples=500, deadline=None)
@given(ANY)
@example("..")
@example("../../evil")
@example("\x00")
@example("~" * 1024)
@example("\U0001f600" * 256)
@example("A" * 1025)
def test_every_key_is_refused_or_one_safe_component(value: str) -> None:
    try:
        text = encode(value)
    except PlanError:
        return
    component = str(partition_path({"d" * 64: value}))
    assert len(component.encode()) <= 255
    assert text.isascii()
    assert text.isprintable()
    assert "/" not in text
    assert "\\" not in text
    assert text[0] not in "._" or text == "__empty__"
    assert text[-1] not in ". "
    assert PurePosixPath("root", component).parent == PurePosixPath("root")
    assert decode(text) in {value, None}
    assert decode(text) == value or len(text) > 100


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text("abcXYZ_-%. ", min_size=1, max_size=12).filter(lambda n: n not in {".", ".."}), KEYS, max_size=3
    )
)
def test_paths_parse_back(partition: dict[str, str]) -> None:
    path = asset_path(("wine", "Quantum Kernel", "_log")) / partition_path(partition)
    asset, parsed = parse_path(path)
    assert asset == ("wine", "Quantum Kernel", "_log")
    if parsed is None:
        assert any("~" in part for part in path.parts)
    else:
        assert parsed == partition


def test_hive_names_are_sorted_by_dimension_and_escaped() -> None:
    path = partition_path({"profile": "ideal", "day": "2026-03-01", "At": "x/y"})
    assert str(path) == "%41t=x%2Fy/day=2026-03-01/profile=ideal"
    assert str(partition_path({})) == "."


def test_dimensions_keep_what_slashes_would_mix() -> None:
    assert partition_path({"a": "x/y", "b": "z"}) != partition_path({"a": "x", "b": "y/z"})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("../evil", "segment"),
        ("..", "segment"),
        (".", "segment"),
        ("a/./b", "segment"),
        ("a\\..\\b", "segment"),
        ("a\x00b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\x7fb", "U+007F"),
        ("\ud800", "surrogate"),
        ("\u2028", "line break"),
        ("abc\u202egnp", "text-direction"),
        ("x" * (KEY_LIMIT + 1), "1025 bytes"),
        ("é" * KEY_LIMIT, "2048 bytes"),
        ("__HIVE_DEFAULT_PARTITION__", "missing value"),
        (7, "not text"),
    ],
)
def test_hostile_keys_are_refused_by_name(value: str, said: str) -> None:
    with pytest.raises(PlanError, match=r"partition key of profile") as caught:
        partition_path({"profile": value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "asset", ["wine", (), ("a",) * 9, ("",), ("..",), ("a/b",), ("a\\b",), ("a\x00",), ("A" * 61,)]
)
def test_hostile_assets_are_refused(asset: tuple[str, ...]) -> None:
    with pytest.raises(PlanError, match="asset"):
        asset_path(asset)


def test_names_cannot_pose_as_our_files() -> None:
    assert str(asset_path(("_log", "data.parquet"))) == "%5Flog/data%2Eparquet"
    with pytest.raises(PlanError, match="more than 64 bytes"):
        partition_path({"d" * 65: "x"})
    with pytest.raises(PlanError, match="5 dimensions"):
        partition_path(dict.fromkeys("abcde", "x"))
    with pytest.raises(PlanError, match="slash"):
        validate_name("a/b", "asset name")


@pytest.mark.parametrize("text", ["A", "%61", "%zz", "%ff", "", ".a", "a b", "%2e%2e"])
def test_foreign_directories_are_told_apart(text: str) -> None:
    with pytest.raises(PlanError):
        decode(text)
    with pytest.raises(PlanError):
        parse_path(PurePosixPath("wine", f"profile={text}"))


def test_labels_read_like_names() -> None:
    assert label(("wine", "k"), {}) == "wine/k"
    assert label(("wine", "k"), {"b": "2", "a": "1"}) == "wine/k [a=1, b=2]"
