from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.store.layout import place, places


def test_places_lie_where_the_design_says() -> None:
    where = place(Path("root"), ("wine", "k"), {"profile": "ideal"})
    assert where.object("ab" * 32) == Path("root/_store/wine/k/profile=ideal") / f"{'ab' * 32}.parquet"
    assert where.log == Path("root/_store/wine/k/profile=ideal/_log")
    assert where.current == Path("root/current/wine/k/profile=ideal/data.parquet")
    assert where.culprit("ab" * 32) == "wine/k [profile=ideal] version abababababab"
    assert place(Path("root"), ("wine", "k"), {}).current == Path("root/current/wine/k/data.parquet")


def test_hostile_names_never_make_a_place() -> None:
    for asset, partition in (((".."), {}), (("wine", ".."), {}), (("wine",), {"p": "../x"}), (("wine",), {"..": "x"})):
        with pytest.raises(PlanError):
            place(Path("root"), asset, partition)


def test_places_are_found_by_their_logs(tmp_path: Path) -> None:
    assert list(places(tmp_path)) == []
    for asset, partition in ((("b",), {}), (("a", "x"), {"p": "1"}), (("a",), {})):
        place(tmp_path, asset, partition).log.mkdir(parents=True)
    assert [str(where.path) for where in places(tmp_path)] == ["a", "a/x/p=1", "b"]


def test_stored_versions_and_temps(tmp_path: Path) -> None:
    where = place(tmp_path, ("a",), {})
    assert where.temps() == ()
    where.log.mkdir(parents=True)
    for name in ("ab" * 32 + ".parquet", "note.parquet", ".temp-1.tmp", "_log/.temp-2.tmp", "_log/.lock"):
        (where.objects / name).touch()
    assert where.stored_versions() == {"ab" * 32}
    assert [path.name for path in where.temps()] == [".temp-1.tmp", ".temp-2.tmp"]
