"""What the scaffolds of studies of every kind share: paths that work, and refusals without a trace."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets.wording import nearest


class ScaffoldRefused(PlanError, click.ClickException):
    """A scaffold that would not run; `dg`, which calls us, shows it as one line because click knows it."""


@contextmanager
def refusing(folder: Path) -> Iterator[None]:
    """Turn a refusal into one line, and remove the study's folder if nothing is in it: `dg` makes it before it asks us.

    Raises:
        ScaffoldRefused: For a PlanError raised within.
    """
    try:
        yield
    except PlanError as error:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        raise ScaffoldRefused(error.culprit, error.problem, error.mend) from error


def path_from(folder: Path, path: str) -> str:
    """A file's path as the study's YAML may name it: an absolute one stays, another starts from the study's folder.

    Args:
        folder: The study's.
        path: As given on the command line, which starts from the current folder, or from the study's.

    Raises:
        PlanError: If there is no such file in either.
    """
    if (folder / path).is_file():
        return path
    here = Path(path)
    if here.is_file():
        return Path(os.path.relpath(here.resolve(), folder.resolve())).as_posix()
    around = here.resolve().parent
    near = nearest(here.name, [file.name for file in around.iterdir()]) if around.is_dir() else None
    raise PlanError(
        f"--path {path}",
        f"there is no such file in {around}",
        f"Write {near}, if that is meant" if near else "Correct the path; it starts from the current folder",
    )


def quoted(text: str) -> str:
    """A YAML double-quoted scalar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
