"""Options that several commands share."""

from pathlib import Path
from typing import Any

import click

from quantum_assets.contracts.errors import PlanError
from quantum_assets.store.home import locate_home


def home_option(command: Any) -> Any:
    """Add `--home`, which reaches the command as an absolute path."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        callback=lambda _context, _option, value: locate_home(value),
        help="Folder of store, MLflow and Dagster; by default $QUANTUM_ASSETS_HOME, then the nearest .quantum_assets.",
    )(command)


def tracking_option(command: Any) -> Any:
    """Add `--tracking-uri`; empty means the MLflow database of the home."""
    return click.option(
        "--tracking-uri",
        envvar="QUANTUM_ASSETS_TRACKING_URI",
        default="",
        help="MLflow's database or server; by default $QUANTUM_ASSETS_TRACKING_URI, then SQLite in the home. "
        "Give one with a password in the variable: others can read command lines.",
    )(command)


def partition_option(command: Any) -> Any:
    """Add `--partition NAME=VALUE` and its short form `--profile`, which reach the command as one mapping."""
    command = click.option(
        "--partition",
        multiple=True,
        metavar="NAME=VALUE",
        callback=lambda _context, _option, value: dict(_name_and_value(text) for text in value),
        help="Value of one partition dimension; repeat for several.",
    )(command)
    return click.option("--profile", help="Short for --partition profile=VALUE.")(command)


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise PlanError(f"--partition {text}", "is not NAME=VALUE", "Write for example --partition profile=ideal")
    return name, value
