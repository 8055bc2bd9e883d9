"""Columns of a file to the parts of a `RawTable`: which are features, what is a number, what is missing.

Every refusal names the file, the column, the lines and the value. A column is taken for a feature by default when its
values are numbers; one that is mostly numbers is a mistake to be mended and not a column to be left out silently.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.raw import RawTable
from quantum_assets.datasets.validation import check_label_kind
from quantum_assets.datasets.wording import choices, plural, shown

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "-NaN", "NULL", "null", "<NA>")
_NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"
_ENOUGH_TO_TELL = 10  # rows; fewer agree by chance
_WHOLE = r"^([+-]?\d+)\.0*$"


@dataclass(frozen=True, eq=False)
class Content:
    """The columns read from a file, and how its rows are named to people."""

    table: pa.Table
    place: Callable[[Sequence[int]], str]


def check_names(names: Sequence[str], source: DataSource, whose: str) -> list[str]:
    """Check a file's column names and say which columns to read.

    Raises:
        PlanError: For names that repeat or are blank, and for columns that the source names and the file lacks.
    """
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        numbers = [str(i + 1) for i, name in enumerate(names) if name == repeated[0]]
        raise PlanError(
            f"{whose}: column {shown(repeated[0])}",
            f"is named {len(numbers)} times in the header (columns {', '.join(numbers)})",
            "Rename or remove all but one",
        )
    if "" in names:
        raise PlanError(
            f"{whose}: column {names.index('') + 1}",
            "has no name in the header, as when a table is saved with its index",
            "Save the table without its index, or name the column and say sample_id: <that name>",
        )
    roles = {"label": source.label, "group": source.group, "sample_id": source.sample_id}
    given = [(role, name) for role, name in roles.items() if name is not None]
    listed = [("features", name) for name in source.features or ()]
    for role, name in given + listed:
        if name not in names:
            raise PlanError(
                f"{whose}: column {shown(name)}",
                f"is not in the file, and source.{role} names it",
                f"Write {choices(name, names)}",
            )
    return list(names) if source.features is None else [name for _, name in given + listed]


def assemble(content: Content, source: DataSource, origin: str, whose: str) -> RawTable:
    """Make a `RawTable` of the columns.

    Rows keep the file's order; row numbers are their ids unless the source names an id column.

    Raises:
        PlanError: For missing labels, groups or ids, a continuous label, and values that are not numbers.
    """
    table, place = content.table, content.place
    label = str(source.label)
    labels = _names(content, label, f"{whose}: label column {shown(label)}")
    check_label_kind(labels, f"{whose}: label column {shown(label)}")
    groups = source.group and _names(content, source.group, f"{whose}: group column {shown(source.group)}")
    ids = source.sample_id and _names(content, source.sample_id, f"{whose}: id column {shown(source.sample_id)}")
    names, features = _features(content, source, labels, whose)
    return RawTable(
        origin=origin,
        features=features,
        feature_names=names,
        labels=labels,
        sample_ids=ids or tuple(str(row) for row in range(table.num_rows)),
        groups=groups or None,
        place=place,
    )


def _names(content: Content, column: str, culprit: str) -> tuple[str, ...]:
    """A column as names: text without outer blanks, whole numbers without decimals."""
    texts = _texts(content.table[column], culprit)
    missing = np.flatnonzero(_missing(texts))
    if len(missing):
        raise PlanError(
            culprit,
            f"{plural(len(missing), 'value')} missing ({content.place(missing.tolist())})",
            "Fill them in or remove those rows",
        )
    return tuple(pc.replace_substring_regex(texts, _WHOLE, r"\1").to_pylist())


def _texts(values: Any, culprit: str) -> Any:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_boolean(values.type):
        return pc.if_else(values, pa.scalar("True", pa.large_string()), pa.scalar("False", pa.large_string()))
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        raise PlanError(culprit, f"has type {values.type}", "Use a column of text or numbers")
    return pc.utf8_trim_whitespace(values.cast(pa.large_string()))


def _missing(texts: Any) -> Any:
    found = pc.is_in(texts, value_set=pa.array(MISSING, pa.large_string()))
    return pc.or_(found, pc.is_null(texts)).to_numpy()


def _features(
    content: Content, source: DataSource, labels: Sequence[str], whose: str
) -> tuple[tuple[str, ...], FloatArray]:
    taken = (source.label, source.group, source.sample_id)
    candidates = source.features or [name for name in content.table.column_names if name not in taken]
    kept: dict[str, FloatArray] = {}
    for name in candidates:
        values = _numbers(content, name, whose, listed=source.features is not None)
        if values is None:
            continue
        if source.features is None:
            _check_accident(values, labels, f"{whose}: column {shown(name)}")
        kept[name] = values
    if not kept:
        raise PlanError(
            whose,
            f"has no numeric column beside {', '.join(shown(name) for name in taken if name)}",
            "Add numeric feature columns; text must be encoded as numbers first",
        )
    return tuple(kept), np.ascontiguousarray(np.column_stack(list(kept.values())))


def _numbers(content: Content, name: str, whose: str, listed: bool) -> FloatArray | None:
    """A column as doubles, missing values as NaN; None for a column of text or dates that nobody listed."""
    values, culprit = content.table[name], f"{whose}: column {shown(name)}"
    kind = values.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return _doubles(values)
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        if listed:
            raise PlanError(
                culprit, f"has type {kind}, which is not a number", "Convert it, or leave it out of features"
            )
        return None
    return _parsed(content, _texts(values, culprit), culprit, listed)


def _parsed(content: Content, texts: Any, culprit: str, listed: bool) -> FloatArray | None:
    missing = _missing(texts)
    if pc.all(pc.is_in(pc.utf8_lower(texts), value_set=pa.array(["true", "false"], pa.large_string()))).as_py():
        return _doubles(pc.equal(pc.utf8_lower(texts), "true"))
    bad = ~missing & ~pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False).to_numpy()
    rows = np.flatnonzero(bad)
    if len(rows) == 0:
        return _doubles(pc.if_else(pa.array(missing), None, texts))
    if not listed and 2 * len(rows) > np.count_nonzero(~missing):
        return None
    raise PlanError(
        culprit,
        f"{content.place(rows[:1].tolist())} holds {shown(texts[int(rows[0])].as_py())}, which is not a number"
        + (f" ({plural(len(rows), 'such value')} in all)" if len(rows) > 1 else ""),
        "Write numbers with a decimal point, or name the columns to use in source.features",
    )


def _doubles(values: Any) -> FloatArray:
    doubles = pc.fill_null(pc.cast(values, pa.float64(), safe=False), float("nan"))
    return np.asarray(doubles.to_numpy(), dtype=np.float64)


def _check_accident(values: FloatArray, labels: Sequence[str], culprit: str) -> None:
    """Refuse two columns that nobody wants as features by default: a row counter, and the label written twice."""
    if len(values) < _ENOUGH_TO_TELL:
        return
    if bool((np.diff(values) == 1).all()):
        raise PlanError(
            culprit,
            "counts the rows and would become a feature",
            "Say sample_id: <that column>, or name the columns to use in source.features",
        )
    classes, first, index = np.unique(np.array(labels), return_index=True, return_inverse=True)
    if len(classes) > 1 and len(set(values[first])) == len(classes) and np.array_equal(values, values[first][index]):
        raise PlanError(
            culprit,
            "is the label under another name and would become a feature",
            "Remove it, or name the columns to use in source.features",
        )
