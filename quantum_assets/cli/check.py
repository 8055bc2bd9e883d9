"""`quantum-assets check`: is every study well stated, a line a mistake, before anything is computed or spent.

Dagster's own `dg check defs` looks at one file of every kind of component and tells of a nested field only that no
alternative fits; this looks at all of them, field by field, and at the data that they name.
"""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from quantum_assets.contracts.errors import QuantumAssetsError


@click.command(epilog="Example: quantum-assets check churn")
@click.argument("studies", nargs=-1)
def check(studies: tuple[str, ...]) -> None:
    """Look for mistakes in the YAML of studies and in the data that they name; a line each.

    STUDIES are names below the defs folder; all of them by default. Where nothing is wrong with them, all definitions
    are loaded as Dagster loads them. Exit status 2 says that there are mistakes.
    """
    from quantum_assets.definitions import DEFS

    looked_at, mistakes = look(DEFS, studies)
    for mistake in mistakes:
        click.echo(f"error: {' '.join(str(mistake).split())}", err=True)
    if mistakes:
        sys.exit(2)
    _load()
    click.echo(f"ok: {looked_at} {'study' if looked_at == 1 else 'studies'}")


def look(defs: "Path", studies: tuple[str, ...]) -> "tuple[int, tuple[QuantumAssetsError, ...]]":
    """How many studies of a defs folder were looked at, and what is wrong with them.

    Raises:
        PlanError: For a study that is not there.
    """
    from quantum_assets.cli.run import quiet_previews
    from quantum_assets.components.study_check import check_studies

    quiet_previews()
    found = check_studies(defs, studies)
    return len(found.studies), found.mistakes


def _load() -> None:
    """What only all definitions together can show: names that clash, owners and tags that Dagster refuses."""
    import dagster as dg

    from quantum_assets.definitions import build_defs

    dg.Definitions.validate_loadable(build_defs())
