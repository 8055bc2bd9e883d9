"""The `quantum-assets` command and how its errors look: one line that names the culprit and the mend, no traceback."""

import sys
from pathlib import Path
from typing import Any

import click

from quantum_assets import __version__
from quantum_assets.cli.backfill import backfill
from quantum_assets.cli.check import check
from quantum_assets.cli.execution_commands import cache, cancel, poll, tickets
from quantum_assets.cli.export import export
from quantum_assets.cli.governance_commands import alerts, approvals, approve, breakers, budget
from quantum_assets.cli.options import home_option
from quantum_assets.cli.profiles import profiles
from quantum_assets.cli.rehearse import rehearse
from quantum_assets.cli.rehearse_backfill import rehearse_backfill
from quantum_assets.cli.sandbox import sandbox
from quantum_assets.cli.store_commands import doctor, gc, history, sync, verify
from quantum_assets.cli.ui import ui
from quantum_assets.contracts.errors import QuantumAssetsError


class OneLine(click.ClickException):
    """An error of this package as the user sees it; exit status 2, like a wrong option."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Write ``error: culprit: problem. mend.`` as one line."""
        click.echo(f"error: {' '.join(self.message.split())}", file=file, err=True)


class Commands(click.Group):
    """A group whose commands may raise the errors of this package."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn an error of ours into one line."""
        try:
            return super().invoke(ctx)
        except QuantumAssetsError as error:
            raise OneLine(str(error)) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Begin with `quantum-assets run`, then `quantum-assets ui`; `quantum-assets check` finds mistakes in YAML. "
    "Each command's --help has an example.",
)
@click.version_option(__version__, prog_name="quantum-assets")
def main() -> None:
    """Quantum kernels and quantum optimisation as versioned Dagster assets, each beside its classical rivals."""


@click.command(epilog="Example: quantum-assets run wine iris --profile ideal")
@click.argument("studies", nargs=-1)
@click.option("--profile", "wanted", multiple=True, help="Profile to run under; repeat for several.")
@click.option(
    "--period", "months", multiple=True, help="Month to decide for, where a study has months; default: its last."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Studies at a time.")
@home_option
def run(studies: tuple[str, ...], wanted: tuple[str, ...], months: tuple[str, ...], workers: int, home: Path) -> None:
    """Materialise studies through Dagster and print their verdicts and decisions.

    STUDIES are names below the defs folder; all of them by default, each under its first profile. A kernel study ends
    in a verdict, an optimisation study in a decision for every month asked for, or in one if it has no months.
    """
    from rich.console import Console

    from quantum_assets.cli.run import run_studies

    # Where nobody watches (a pipe, a CI log) a table need not be squeezed into 80 columns.
    console = Console() if sys.stdout.isatty() else Console(width=120)
    sys.exit(run_studies(home, studies, wanted, workers, console, months))


_STORE = (history, verify, doctor, gc, sync)
_EXECUTION = (tickets, cancel, poll, cache, sandbox, rehearse, rehearse_backfill)
_GOVERNANCE = (approve, approvals, budget, breakers, alerts)
for command in (run, check, backfill, ui, profiles, export, *_STORE, *_EXECUTION, *_GOVERNANCE):
    main.add_command(command)
