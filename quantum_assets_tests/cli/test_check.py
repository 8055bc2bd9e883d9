"""`quantum-assets check`, and how a study that cannot work looks to the other commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from quantum_assets.cli.check import look
from quantum_assets.cli.main import main
from quantum_assets.definitions import DEFS
from quantum_assets_tests.components.small import write_study

PACKAGE = DEFS.parent


def test_what_is_looked_at_and_found(tmp_path: Path) -> None:
    write_study(tmp_path, "a", protocol={"outer_fold": 2})
    write_study(tmp_path, "b")
    number, mistakes = look(tmp_path, ())
    assert number == 2
    assert [mistake.culprit for mistake in mistakes] == ["study a: protocol.outer_fold"]
    assert look(tmp_path, ("b",)) == (1, ())


def test_the_shipped_studies_are_well_stated() -> None:
    number, mistakes = look(DEFS, ())
    assert number == len(list(DEFS.glob("*/defs.yaml")))
    assert mistakes == ()


def test_a_study_that_is_not_there_is_one_line() -> None:
    answer = CliRunner().invoke(main, ["check", "winne"])
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: study winne: is not defined. Did you mean wine?")
    assert answer.stderr.count("\n") == 1


class _Project:
    """A copy of the package that may be spoiled: the code location finds its studies beside itself."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.defs = folder / "quantum_assets" / "defs"
        shutil.copytree(PACKAGE, folder / "quantum_assets", ignore=shutil.ignore_patterns("__pycache__"))
        for study in self.defs.iterdir():
            if study.is_dir() and study.name not in ("iris", "karate_max_cut"):
                shutil.rmtree(study)

    def change(self, study: str, section: str, **fields: object) -> None:
        """Overwrite some fields of a study's section."""
        file = self.defs / study / "defs.yaml"
        document = yaml.safe_load(file.read_text())
        document["attributes"].setdefault(section, {}).update(fields)
        file.write_text(yaml.safe_dump(document))

    def says(self, *words: str) -> tuple[int, str, str]:
        """Status, output and errors of a command."""
        done = subprocess.run(
            [sys.executable, "-m", "quantum_assets", *words],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), "QUANTUM_ASSETS_HOME": str(self.root / "home")},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_one_broken_study_is_one_line_to_every_command(tmp_path: Path) -> None:
    project = _Project(tmp_path)
    assert project.says("check") == (0, "ok: 2 studies\n", "")

    project.change("karate_max_cut", "quantum", layer=3)
    told = "error: study karate_max_cut: quantum.layer: is no field. Did you mean layers?"
    for words in (["check"], ["run", "iris", "--home", "home"], ["backfill", "iris", "--home", "home"]):
        status, _, errors = project.says(*words)
        assert status == 2, errors
        assert errors.startswith(told), errors
        assert errors.count("\n") == 1, errors

    shutil.rmtree(project.defs / "karate_max_cut")
    shutil.copytree(project.defs / "iris", project.defs / "flowers")
    file = project.defs / "flowers" / "defs.yaml"
    document = yaml.safe_load(file.read_text())
    document["attributes"]["name"] = "iris"
    file.write_text(yaml.safe_dump(document))
    status, _, errors = project.says("run", "iris", "--home", "home")
    assert status == 2
    assert errors.startswith("error: study iris: is the name of 2 studies, in ")
    assert str(project.defs / "iris") in errors
    assert str(project.defs / "flowers") in errors
