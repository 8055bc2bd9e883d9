"""A scaffold writes paths that work from the study's folder; a refused one is one line and leaves nothing behind."""

from pathlib import Path

import click
import pytest
import yaml

from quantum_assets.components.scaffolding import ScaffoldRefused, path_from, quoted, refusing
from quantum_assets.contracts.errors import PlanError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a file in it."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "my rows.csv").write_text("a,b\n")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_a_file_of_the_current_folder_is_found_from_the_study_s(here: Path) -> None:
    study = here.parent / "project" / "defs" / "mine"
    study.mkdir(parents=True)
    found = path_from(study, "my rows.csv")
    assert not Path(found).is_absolute()
    assert (study / found).resolve() == here / "my rows.csv"


def test_an_absolute_path_and_one_from_the_study_s_folder_stay(here: Path) -> None:
    study = here / "mine"
    (study / "data").mkdir(parents=True)
    (study / "data" / "x.csv").write_text("a\n")
    assert path_from(study, "data/x.csv") == "data/x.csv"
    assert path_from(study, str(here / "my rows.csv")) == str(here / "my rows.csv")


def test_a_file_that_is_nowhere_is_refused_with_the_nearest(here: Path) -> None:
    with pytest.raises(
        PlanError, match=r"--path my_rows.csv: there is no such file in .*here. Write my rows.csv, if that is meant"
    ):
        path_from(here / "mine", "my_rows.csv")
    with pytest.raises(PlanError, match="starts from the current folder"):
        path_from(here / "mine", "nowhere/other.csv")


def test_a_refusal_is_one_line_of_click_s_and_leaves_no_empty_folder(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    for folder in (empty, full):
        folder.mkdir()
    (full / "notes.txt").write_text("mine")
    for folder in (empty, full):
        with pytest.raises(ScaffoldRefused) as caught, refusing(folder):
            raise PlanError("--path a.csv", "is missing", "Give it")
        assert isinstance(caught.value, click.ClickException)
        assert caught.value.format_message() == str(caught.value) == "--path a.csv: is missing. Give it."
    assert not empty.exists()
    assert (full / "notes.txt").is_file()


@pytest.mark.parametrize("text", ["plain", 'a "b" #c: d', "back\\slash"])
def test_quoted_text_is_read_back_as_it_was(text: str) -> None:
    assert yaml.safe_load(quoted(text)) == text
