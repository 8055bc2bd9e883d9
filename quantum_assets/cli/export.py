"""`quantum-assets export`: a decided partition of an optimisation study as files of a QOBLIB submission."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantum_assets.cli.listing import Listing, show
from quantum_assets.cli.options import home_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantum_assets.models.submission import Entry

_SHOWN = ("Best Objective Value", "Optimality Bound", "Total Runtime", "Paradigm")


@click.command(epilog="Example: quantum-assets export karate_max_cut --profile ideal --submitter Doe --affiliation Uni")
@click.argument("study")
@click.option("--profile", required=True, help="Profile of the decision.")
@click.option("--period", default="", metavar="MONTH", help="Its month, where the study has months.")
@click.option(
    "--out",
    default="qoblib",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write below; files of an earlier export are written over.",
)
@click.option("--instance", default="", help="The library's name of the instance; by default the study's.")
@click.option("--submitter", "submitters", multiple=True, help="Author; repeat for several.")
@click.option("--affiliation", "affiliations", multiple=True, help="One for each author, in their order.")
@click.option("--reference", default="N/A", help="Paper or repository with the rest of the details.")
@click.option("--hardware", default="N/A", help="Machines that took part; simulators and devices are added.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Of the submission; by default today, UTC.")
@click.option(
    "--columns",
    type=click.Choice(["27", "30"]),
    default="27",
    show_default=True,
    help="The published template's, or with Affiliation, Paradigm and Time to Solution, as the newer checker asks.",
)
@home_option
def export(
    study: str,
    profile: str,
    period: str,
    out: Path,
    instance: str,
    submitters: tuple[str, ...],
    affiliations: tuple[str, ...],
    reference: str,
    hardware: str,
    day: datetime | None,
    columns: str,
    home: Path,
) -> None:
    """Write a decided partition of a study as a QOBLIB submission.

    STUDY is an optimisation study that was run. Each workflow, the quantum path and every rival, has a folder with a
    summary CSV, its best row, and its incumbents over time where their seconds are known (arXiv:2504.03832).
    """
    from quantum_assets.models.decided import read_decided
    from quantum_assets.models.qoblib import COLUMNS_27, COLUMNS_30, NOT_GIVEN, Particulars
    from quantum_assets.models.submission import entries, write_submission
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    people = Particulars(
        submitters=submitters or (NOT_GIVEN,),
        affiliations=affiliations or (NOT_GIVEN,) * max(1, len(submitters)),
        day=(day or datetime.now(UTC)).date(),
        reference=reference,
        workflow=NOT_GIVEN,
        hardware=hardware,
        paradigm="Classical",
    )
    decided = read_decided(Store(Home(home).store), study, profile, period)
    found = entries(decided, people, instance)
    written = write_submission(found, out, COLUMNS_27 if columns == "27" else COLUMNS_30)
    show(listing(found))
    if decided.silence:
        click.echo(f"No quantum row: {decided.silence}")
    click.echo(f"{len(written)} files below {out}; summaries have {columns} columns.")


def listing(found: "Sequence[Entry]") -> Listing:
    """One line a workflow."""
    rows = tuple((one.workflow, one.instance, *(one.row[name] for name in _SHOWN)) for one in found)
    names = ("workflow", "instance", "objective", "bound", "seconds", "paradigm")
    return Listing(names, rows, frozenset({"objective", "bound", "seconds"}))
