from pathlib import Path

from quantum_assets.store.home import VARIABLE, Home, locate_home


def test_the_argument_wins_then_the_environment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "named")
    assert locate_home(tmp_path / "given") == tmp_path / "given"
    assert locate_home("given") == tmp_path / "given"
    assert locate_home(None) == tmp_path / "named"
    monkeypatch.setenv(VARIABLE, "~/named")
    assert locate_home() == Path.home() / "named"


def test_the_nearest_folder_upwards_is_taken(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert locate_home() == inside / ".quantum_assets"
    (tmp_path / ".quantum_assets").mkdir()
    assert locate_home() == tmp_path / ".quantum_assets"
    (tmp_path / "a" / ".quantum_assets").mkdir()
    assert locate_home() == tmp_path / "a" / ".quantum_assets"


def test_an_empty_variable_names_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.chdir(tmp_path)
    assert locate_home() == tmp_path / ".quantum_assets"


def test_a_home_has_its_folders_and_creates_none(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    assert [p.name for p in (home.store, home.mlflow, home.outbox, home.dagster)] == [
        "store",
        "mlflow",
        "outbox",
        "dagster",
    ]
    assert not home.root.exists()
