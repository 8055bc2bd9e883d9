"""Rows for people and for programs: a table where somebody watches, aligned text in a pipe, JSON when asked for.

What providers said stands in these rows. Nothing in it reaches a terminal but printable characters.
"""

import dataclasses
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Listing:
    """A table before it is printed.

    Attributes:
        columns: Headings.
        rows: Cells, as many a row as there are headings.
        numbers: Headings of the columns that are aligned to the right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()


def show(listing: Listing, console: "Console | None" = None) -> None:
    """Print a table: ruled and folded to the width of a terminal, else a line a row with nothing cut off.

    Args:
        listing: What.
        console: Where; None: standard output.
    """
    if console is None and not sys.stdout.isatty():
        for line in lines(listing):
            click.echo(line)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in listing.columns:
        table.add_column(name, justify="right" if name in listing.numbers else "left", overflow="fold")
    for row in listing.rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    (console or Console()).print(table)


def lines(listing: Listing) -> tuple[str, ...]:
    """The table as text: columns two blanks apart, the last as long as it is."""
    rows = [listing.columns, *(tuple(map(printable, row)) for row in listing.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(listing.columns))]
    right = [name in listing.numbers for name in listing.columns]
    return tuple(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )


def json_option(command: Any) -> Any:
    """Add `--json`, which reaches the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def show_json(value: Any) -> None:
    """Print a value as JSON: dataclasses as objects, moments in ISO 8601."""
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def moment(when: datetime | None, never: str = "") -> str:
    """A moment for people, in UTC."""
    return never if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(when: datetime | None, never: str = "") -> str:
    """A moment in a column whose heading says UTC."""
    return moment(when, never).removesuffix(" UTC")


def printable(text: str) -> str:
    """One line without control characters: text from elsewhere must not drive the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
