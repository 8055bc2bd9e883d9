"""Phrases that the error messages of this room share: near matches, shortened values, lists of rows."""

import difflib
from collections.abc import Iterable, Sequence

_NAMES_SHOWN = 12
_ROWS_SHOWN = 5


def choices(name: str, known: Iterable[str]) -> str:
    """Say which names there are and which one was probably meant.

    Returns:
        A phrase that continues "Write …": the near match first, if there is one, then the list.
    """
    names = list(known)
    listed = ", ".join(shown(n) for n in names[:_NAMES_SHOWN])
    if len(names) > _NAMES_SHOWN:
        listed += f" and {len(names) - _NAMES_SHOWN} more"
    near = nearest(name, names)
    if near is not None:
        return f"{shown(near)}, or another of {listed}"
    return f"one of {listed}" if names else "a name that exists (there is none)"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, ignoring case and outer blanks; None when nothing is near."""
    folded = {n.strip().casefold(): n for n in known}
    found = difflib.get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def shown(value: object, limit: int = 40) -> str:
    """A value in quotes, with control characters escaped and the middle of long ones left out."""
    text = repr(str(value))
    return text if len(text) <= limit else f"{text[: limit - 10]}…{text[-9:]}"


def counted(places: Sequence[int], total: int, word: str) -> str:
    """Name some places and say how many more there are: ``lines 4, 7, 19 and 12 more``."""
    listed = ", ".join(str(p) for p in places)
    more = f" and {total - len(places)} more" if total > len(places) else ""
    return f"{word}{'s' if total > 1 else ''} {listed}{more}"


def row_places(rows: Sequence[int]) -> str:
    """Row numbers in words, counted from 0; at most five of them are named."""
    return counted([int(r) for r in rows[:_ROWS_SHOWN]], len(rows), "row") + " (counted from 0)"


def size_of(n_bytes: int) -> str:
    """A number of bytes for people, in powers of 1000: ``8.0 MB``."""
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def shortened(path: str, limit: int = 120) -> str:
    """A path with its beginning left out when it is long: the end says which file it is."""
    return path if len(path) <= limit else f"…{path[1 - limit :]}"


def plural(count: int, word: str) -> str:
    """A count with its noun: ``1 row``, ``3 rows``; ``class`` becomes ``classes``."""
    ending = "" if count == 1 else "es" if word.endswith("s") else "s"
    return f"{count:,} {word}{ending}"
