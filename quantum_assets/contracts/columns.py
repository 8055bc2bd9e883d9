"""What a table contract is: its columns with types, ranges and meanings, and the same as a pandera schema.

A contract has a name and a version (``evaluation/v1``). `volatile` columns are measurements of this run (CPU seconds):
they are stored, and left out of the digest, so that computing the same answer again is the same version.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandera.pandas as pa

ColumnType = Literal["int32", "int64", "float64", "bool", "string", "vector"]


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, and the values allowed.

    Attributes:
        name: Column name.
        type: Logical type; `vector` is a fixed-size list of non-null doubles.
        description: Meaning and unit.
        nullable: Whether nulls are allowed.
        ge: Smallest allowed value, for numbers.
        le: Largest allowed value, for numbers.
        isin: Allowed values, for strings.
        unique: Whether values may not repeat.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool = False
    ge: float | None = None
    le: float | None = None
    isin: tuple[str, ...] | None = None
    unique: bool = False


@dataclass(frozen=True)
class TableContract:
    """The columns of one kind of table. `open_columns`: further columns of this type may follow (features f_0, …)."""

    name: str
    columns: tuple[Column, ...]
    volatile: tuple[str, ...] = ()
    open_columns: Column | None = None

    def to_pandera(self) -> "pa.DataFrameSchema":
        """The same contract as a pandera schema, for frames; vectors are checked by the kernels' own checks."""
        import pandera.pandas as pa

        columns: dict[str, Any] = {c.name: _pandera_column(c) for c in self.columns if c.type != "vector"}
        if self.open_columns is not None:
            prefix = self.open_columns.name
            columns[f"^{prefix}.*$"] = _pandera_column(self.open_columns, regex=True)
        return pa.DataFrameSchema(columns, name=self.name, strict=False, ordered=False)


def _pandera_column(column: Column, regex: bool = False) -> "pa.Column":
    import pandera.pandas as pa

    dtypes = {"int32": "int32", "int64": "int64", "float64": "float64", "bool": "bool", "string": None}
    checks = []
    if column.ge is not None:
        checks.append(pa.Check.ge(column.ge))
    if column.le is not None:
        checks.append(pa.Check.le(column.le))
    if column.isin is not None:
        checks.append(pa.Check.isin(list(column.isin)))
    if column.type == "string":
        checks.append(pa.Check(_all_text, name="text"))
    return pa.Column(
        dtypes[column.type],
        checks=checks,
        nullable=column.nullable,
        unique=column.unique,
        regex=regex,
        description=column.description,
    )


def _all_text(values: Any) -> bool:
    return all(isinstance(value, str) for value in values.dropna())
