"""A user's own QUBO or Ising polynomial: a file of coordinates (CSV, Parquet, dimod's COO), or dimod's binary format.

One row of coordinates is one term: ``i``, ``j`` and ``value``.

- ``i`` and ``j`` different: ``value`` times both variables. Each pair once, in either direction: a second row of the
  same pair is refused, or added where `duplicates` is ``sum`` (a full symmetric matrix is meant that way).
- ``i`` equal to ``j``: ``value`` times that variable alone, in a QUBO as in an Ising file (there it is the field).
- ``i`` and ``j`` both blank: ``value`` is added to the constant.

Variables are numbered from 0. Spins of an Ising file are `z = 1 - 2 x`: bit 0 is spin +1. What dimod's binary files
(``.bqm``) hold is told in `bqm`.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Sense
from quantum_assets.problems.bqm import read_bqm
from quantum_assets.problems.coordinates import READERS, Form, rows, stated_form
from quantum_assets.problems.polynomial import Term, from_bits, from_spins
from quantum_assets.problems.polynomial_problem import PolynomialProblem

Duplicates = Literal["refuse", "sum"]
MAX_VARIABLES = 10_000
_BINARY = ".bqm"


def read(
    path: Path,
    form: Form | None = None,
    sense: Sense = "minimise",
    *,
    n_variables: int | None = None,
    duplicates: Duplicates = "refuse",
    unit: str = "objective",
    max_variables: int = MAX_VARIABLES,
) -> PolynomialProblem:
    """Make the problem that a file states.

    Args:
        path: A ``.csv``, ``.parquet``, ``.pq``, ``.coo`` or ``.bqm`` file.
        form: Whether values weigh bits (``qubo``) or spins (``ising``). None: as the file says; bits, where its format
            cannot say it.
        sense: Which way the objective goes.
        n_variables: How many there are; by default one more than the largest index, and then every index must appear.
            A ``.bqm`` file knows it, and must agree.
        duplicates: What a second row of one pair means.
        unit: Of the objective, for people.
        max_variables: More are refused.

    Raises:
        PlanError: Naming file, line (CSV) or row (Parquet, counted from 1), and value.
    """
    for what, given, known in (("form", form, Form), ("duplicates", duplicates, Duplicates)):
        if given is not None and given not in get_args(known):
            raise PlanError(f"{path.name}: {what}", f"is {given!r}", f"Write one of {', '.join(get_args(known))}")
    if n_variables is not None and not 1 <= n_variables <= max_variables:
        raise PlanError(f"{path.name}: n_variables", f"is {n_variables}", f"Choose 1 … {max_variables:,}")
    suffix, data = path.suffix.lower(), _content(path)
    if suffix == _BINARY:
        found = read_bqm(path.name, data, path.stem, sense, unit=unit, max_variables=max_variables)
        _check_form(path.name, found.form, form)
        _check_number(path.name, len(found.problem.variables), n_variables)
        return found.problem
    form = _form_of(path.name, suffix, data, form)
    terms: list[Term] = []
    seen: dict[tuple[int, ...], str] = {}
    for place, cells in rows(path.name, suffix, data):
        term = _term(f"{path.name}: {place}", cells, n_variables, max_variables)
        pair = tuple(sorted(set(term[0])))
        if pair in seen and duplicates == "refuse":
            raise PlanError(
                f"{path.name}: {place}",
                f"gives {_pair_in_words(pair)} again, after {seen[pair]}",
                "Keep one row of each, or set duplicates: sum, as a full symmetric matrix needs it",
            )
        seen.setdefault(pair, place)
        terms.append((pair, term[1]))
    if not terms:
        raise PlanError(path.name, "has no rows", "Write one row a term: i, j, value")
    n = n_variables or _count(path.name, seen)
    return PolynomialProblem(path.stem, from_bits(n, terms) if form == "qubo" else from_spins(n, terms), sense, unit)


def _content(path: Path) -> bytes:
    known = (*READERS, _BINARY)
    if path.suffix.lower() not in known:
        raise PlanError(path.name, "is of no format that is known", f"Save it as one of {', '.join(known)}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise PlanError(
            path.name, f"cannot be read ({error.strerror})", "Correct the path or its permissions"
        ) from error


def _form_of(whose: str, suffix: str, data: bytes, form: Form | None) -> Form:
    """What the values weigh: as asked, as the file says, which must agree; bits where nobody says it."""
    stated = stated_form(whose, data) if suffix == ".coo" else None
    if stated is not None:
        _check_form(whose, stated, form)
    return stated or form or "qubo"


def _check_form(whose: str, stated: Form, form: Form | None) -> None:
    if form is not None and form != stated:
        raise PlanError(
            f"{whose}: form", f"is {form}, and the file says {stated}", "Leave form out; such a file says it itself"
        )


def _check_number(whose: str, stated: int, n_variables: int | None) -> None:
    if n_variables is not None and n_variables != stated:
        raise PlanError(
            f"{whose}: n_variables",
            f"is {n_variables}, and the file says {stated}",
            "Leave n_variables out; such a file says it itself",
        )


def _count(whose: str, seen: Mapping[tuple[int, ...], str]) -> int:
    """One more than the largest index; every index up to it must have appeared."""
    used = {v for pair in seen for v in pair}
    missing = next((v for v in range(max(used, default=-1)) if v not in used), None)
    if missing is not None:
        hint = "Number variables from 0" if missing == 0 else "Number variables without gaps"
        raise PlanError(
            whose,
            f"names variable {max(used)} and never variable {missing}",
            f"{hint}, or set n_variables if a variable without weight is meant",
        )
    return len(used) or 1


def _term(whose: str, cells: Mapping[str, Any], n_variables: int | None, max_variables: int) -> Term:
    """The variables and the weight of one row; blank indices are the constant."""
    weight = _weight(whose, cells["value"])
    blank = [name for name in ("i", "j") if _is_blank(cells[name])]
    if len(blank) == 2:
        return (), weight
    if blank:
        raise PlanError(
            f"{whose}, column {blank[0]!r}",
            "is blank",
            "Write both indices; neither for a constant; i = j for one alone",
        )
    return tuple(_index(f"{whose}, column {n!r}", cells[n], n_variables, max_variables) for n in ("i", "j")), weight


def _index(whose: str, cell: Any, n_variables: int | None, max_variables: int) -> int:
    number = _number(cell)
    if number is None or not number.is_integer():
        raise PlanError(whose, f"{cell!r} is not a whole number", "Number variables 0, 1, 2 …")
    if number < 0 or (n_variables is not None and number >= n_variables):
        known = "0 or more" if n_variables is None else f"in 0 … {n_variables - 1}"
        raise PlanError(whose, f"the index {int(number)} is not {known}", "Correct it, or set n_variables")
    if number >= max_variables:
        raise PlanError(
            whose,
            f"the index {int(number)} makes more than {max_variables:,} variables",
            "Number variables without gaps, or give a smaller problem",
        )
    return int(number)


def _weight(whose: str, cell: Any) -> float:
    number = _number(cell)
    if number is None:
        raise PlanError(f"{whose}, column 'value'", f"{cell!r} is not a number", "Write a number, 0.5 for example")
    if not math.isfinite(number):
        raise PlanError(f"{whose}, column 'value'", f"is {number}", "Give finite weights")
    return number


def _number(cell: Any) -> float | None:
    """A cell as a number; None for what is not one. Underscores, which Python would read, are no part of a number."""
    if isinstance(cell, bool) or cell is None or (isinstance(cell, str) and "_" in cell):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _is_blank(cell: Any) -> bool:
    """Whether nothing stands there: an empty cell, a null, or the NaN that pandas writes for one in a number column."""
    return (
        cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and math.isnan(cell))
    )


def _pair_in_words(pair: tuple[int, ...]) -> str:
    if not pair:
        return "the constant"
    return f"variable {pair[0]}" if len(pair) == 1 else f"the pair {pair[0]}, {pair[1]}"
