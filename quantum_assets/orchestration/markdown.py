"""Words and tables for the pages of the UI: lines no wider than a page, and no more of them than are read."""

import textwrap
from collections.abc import Sequence

MOST_LINES = 20
"""Lines of a table on an asset's page; whoever wants all of them opens the stored table."""
WIDTH = 72
"""Letters of a line: the UI stretches a page to its longest path, and the ends of longer lines are out of sight."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], most: int = MOST_LINES, rest: str = "") -> str:
    """A Markdown table of the first lines; below it, if there are more, how many there are.

    Args:
        header: Words over the columns.
        rows: The cells of every line, as many as `header` has; bars and line breaks in them are made harmless.
        most: How many lines are shown at most.
        rest: How those shown were chosen and where the others are: whole sentences.
    """
    lines = [_line(header), _line(["---"] * len(header)), *(_line(row) for row in rows[:most])]
    if len(rows) > most:
        lines += ["", f"{most} of {len(rows)} lines. {rest}".rstrip()]
    return "\n".join(lines)


def broken(text: str, width: int = WIDTH) -> str:
    """Markdown with a hard line break wherever a sentence or a list's item is wider than `width`; tables stay whole."""
    return "\n".join(line if line.startswith("|") else _broken_line(line, width) for line in text.split("\n"))


def _broken_line(line: str, width: int) -> str:
    indent = "  " if line.startswith("- ") else ""
    pieces = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "  \n".join(pieces)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
