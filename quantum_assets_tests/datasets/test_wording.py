"""The phrases of the messages."""

from quantum_assets.datasets.wording import choices, counted, nearest, plural, row_places, shortened, shown, size_of


def test_choices_put_the_near_match_first() -> None:
    assert choices("wien", ["iris", "wine"]) == "'wine', or another of 'iris', 'wine'"
    assert choices("zzz", ["iris", "wine"]) == "one of 'iris', 'wine'"
    assert choices("zzz", []) == "a name that exists (there is none)"
    assert choices("q", [f"column{i}" for i in range(20)]).endswith("'column11' and 8 more")


def test_nearest_ignores_case_and_blanks() -> None:
    assert nearest("Label ", ["age", "label"]) == "label"
    assert nearest("income", ["age", "label"]) is None


def test_shown_escapes_and_shortens() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 500)) == 40
    assert shortened("/a/b.csv") == "/a/b.csv"
    assert len(shortened("x" * 5000 + ".csv")) == 120
    assert shortened("x" * 5000 + ".csv").endswith("x.csv")


def test_places_and_counts() -> None:
    assert counted([4], 1, "line") == "line 4"
    assert counted([4, 7], 9, "line") == "lines 4, 7 and 7 more"
    assert row_places(range(7)) == "rows 0, 1, 2, 3, 4 and 2 more (counted from 0)"
    assert plural(1, "row") == "1 row"
    assert plural(2, "class") == "2 classes"
    assert plural(1_000_000, "row") == "1,000,000 rows"


def test_size_of_uses_powers_of_a_thousand() -> None:
    assert [size_of(n) for n in (12, 8_000_000, 8 * 10**12)] == ["12 bytes", "8.0 MB", "8.0 TB"]
