"""Tables say how many lines they have and never break their own bars; lines are no wider than a page."""

import pytest

from quantum_assets.orchestration.markdown import MOST_LINES, WIDTH, broken, table

ROWS = [(str(i), str(i * i)) for i in range(50)]


def test_a_short_table_is_whole_and_says_nothing_of_a_rest() -> None:
    told = table(("n", "square"), ROWS[:MOST_LINES], rest="Elsewhere.")
    assert told.splitlines() == ["| n | square |", "| --- | --- |", *(f"| {n} | {m} |" for n, m in ROWS[:MOST_LINES])]


def test_a_long_table_is_cut_and_says_how_many_lines_there_are() -> None:
    told = table(("n", "square"), ROWS, rest="The others are in the table.").splitlines()
    assert sum(line.startswith("|") for line in told) == MOST_LINES + 2
    assert told[-3:] == ["| 19 | 361 |", "", "20 of 50 lines. The others are in the table."]
    assert table(("n", "square"), ROWS, most=1).splitlines()[-1] == "1 of 50 lines."


def test_no_cell_breaks_its_line() -> None:
    assert table(("a|b",), [["x|y\nz"]]).splitlines() == ["| a\\|b |", "| --- |", "| x\\|y z |"]


def test_long_sentences_and_items_are_broken_and_tables_are_not() -> None:
    sentence, item, row = "word " * 40, "- " + "item " * 30, "| " + "cell " * 40 + "|"
    lines = broken(f"{sentence}\n\n{item}\n{row}").split("\n")
    assert row in lines
    others = [line for line in lines if line != row]
    assert max(len(line.rstrip()) for line in others) <= WIDTH
    assert " ".join(line.strip() for line in others).split() == (sentence + item).split()
    first = next(i for i, line in enumerate(lines) if line.startswith("- "))
    assert lines[first].endswith("  ")  # two blanks are a hard break in Markdown
    assert lines[first + 1].startswith("  item")  # and what is indented belongs to the item
    assert broken("short\n\n- also") == "short\n\n- also"


@pytest.mark.parametrize("text", ["", "a" * 300, "well-known " * 3])
def test_nothing_is_lost_where_nothing_can_be_broken(text: str) -> None:
    assert broken(text).strip() == text.strip()
