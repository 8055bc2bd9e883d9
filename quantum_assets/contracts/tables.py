"""The shape of every stored table: columns, types, ranges, units, and which columns are part of the answer.

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


DATASET = TableContract(
    "dataset/v1",
    (
        Column("sample_id", "string", "Identifies the row across every table of the study.", unique=True),
        Column("label", "string", "Class name."),
        Column("label_index", "int64", "Class index, 0-based.", ge=0),
        Column("group", "int64", "Rows of one group stay in one fold; -1 without groups.", ge=-1),
    ),
    open_columns=Column("x_", "float64", "A raw feature column, in the source's units."),
)
FEATURES = TableContract(
    "features/v1",
    (
        Column("split", "string", "Split id: full, r0f0, r0f0/i1."),
        Column("sample_id", "string", "Row of the dataset."),
        Column("row", "int64", "Row number in the dataset.", ge=0),
        Column("train", "bool", "Whether the preparation of this split was fitted on this row."),
    ),
    open_columns=Column("q_", "float64", "Prepared value for one qubit; angle in radians = bandwidth * value."),
)
GRAM = TableContract(
    "gram/v1",
    (
        Column("row", "int32", "Row number of the matrix.", ge=0),
        Column("sample_id", "string", "Sample of the row; columns are in the same order."),
        Column("k", "vector", "Kernel values against every sample, in row order."),
    ),
)
KERNELS = TableContract(
    "kernels/v1",
    (
        Column("kernel", "string", "Which kernel: rbf, polynomial, linear.", isin=("rbf", "polynomial", "linear")),
        *GRAM.columns,
    ),
)
DIAGNOSTICS = TableContract(
    "diagnostics/v1",
    (
        Column("kernel", "string", "Which matrix."),
        Column("metric", "string", "Name of the diagnostic."),
        Column("value", "float64", "Its value."),
        Column("meaning", "string", "What a reader should conclude."),
    ),
)
EVALUATION = TableContract(
    "evaluation/v1",
    (
        Column("model", "string", "Model name."),
        Column("family", "string", "Its side.", isin=("quantum", "ablation", "classical", "floor")),
        Column("repeat", "int64", "Repetition of the outer cross-validation.", ge=0),
        Column("fold", "int64", "Outer fold.", ge=0),
        Column("score", "float64", "Outer test score.", ge=0, le=1),
        Column("inner_score", "float64", "Mean inner score of the chosen configuration.", ge=0, le=1),
        Column("chosen", "string", "Chosen configuration, canonical JSON."),
        Column("tried", "int64", "Configurations tried.", ge=1),
        Column("n_train", "int64", "Training rows.", ge=1),
        Column("n_test", "int64", "Test rows.", ge=1),
        Column("circuits_needed", "int64", "Circuits a device would have run for this fold.", ge=0),
        Column("cpu_seconds", "float64", "CPU seconds of tuning, fitting and scoring on this machine.", ge=0),
    ),
    volatile=("cpu_seconds",),
)
VERDICT = TableContract(
    "verdict/v1",
    (
        Column("rival", "string", "Compared with the tuned quantum kernel.", unique=True),
        Column("family", "string", "The rival's side.", isin=("ablation", "classical", "floor")),
        Column("quantum_score", "float64", "Mean outer score of the quantum kernel.", ge=0, le=1),
        Column("rival_score", "float64", "Mean outer score of the rival.", ge=0, le=1),
        Column("difference", "float64", "Quantum minus rival.", ge=-1, le=1),
        Column("low", "float64", "Lower end of the corrected interval.", ge=-2, le=2),
        Column("high", "float64", "Upper end of the corrected interval.", ge=-2, le=2),
        Column("p_value", "float64", "Nadeau-Bengio corrected t test, two-sided.", ge=0, le=1),
        Column("p_holm", "float64", "After Holm's correction over all rivals.", ge=0, le=1),
        Column("equivalent", "bool", "Whether the interval lies inside the equivalence band."),
        Column(
            "verdict",
            "string",
            "The verdict of the study, the same on every row.",
            isin=("no evidence of benefit", "benefit within noise", "benefit"),
        ),
        Column("reasons", "string", "Why, one sentence a line; the same on every row."),
    ),
)
MODEL = TableContract(
    "kernel_model/v1",
    (
        Column("sample_id", "string", "Support vector."),
        Column("row", "int64", "Its row in the dataset and in the Gram matrix.", ge=0),
        Column("class_pair", "string", "Which two classes the coefficient parts, for example 0:1."),
        Column("dual_coef", "float64", "Signed dual coefficient."),
        Column("intercept", "float64", "Intercept of the class pair."),
    ),
)
CONTRACTS = {c.name: c for c in (DATASET, FEATURES, GRAM, KERNELS, DIAGNOSTICS, EVALUATION, VERDICT, MODEL)}
