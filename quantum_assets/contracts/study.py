"""The parts of a kernel study as its YAML states them: source, preparation, feature maps, protocol.

Plain values with field-level limits; what needs the data or a registry to judge (an unknown dataset name, more
features than qubits) is judged by the room that owns it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import Frozen

Scaling = Literal["none", "standard", "minmax"]
Reduction = Literal["none", "pca", "select"]
MapKind = Literal["z", "zz", "pauli", "iqp"]
Entanglement = Literal["linear", "circular", "full", "none"]
DataClass = Literal["public", "internal", "confidential", "restricted"]


def _tuple(value: Sequence[Any] | None) -> tuple[Any, ...] | None:
    """Lists are written as `Sequence`, for Dagster's YAML resolution knows no variadic tuples, and kept as tuples."""
    return None if value is None else tuple(value)


def _check_grid(name: str, values: Sequence[float], most: float) -> None:
    outside = [value for value in values if not 0 < value <= most]
    if outside:
        raise ValueError(f"{name} holds {outside[0]:g}; values are above 0 and at most {most:g}")
    if len(set(values)) != len(values):
        raise ValueError(f"{name} repeats a value")


class DataSource(Frozen):
    """Where the rows come from: a bundled dataset by name, or a CSV or Parquet file by path or fsspec URL."""

    dataset: str | None = Field(None, description="Bundled: breast_cancer, wine, digits, iris, ad_hoc.")
    path: str | None = Field(None, description="CSV or Parquet; relative to the defs.yaml, absolute, or an fsspec URL.")
    label: str | None = Field(None, description="Label column of the file.")
    features: Sequence[str] | None = Field(None, description="Feature columns of the file; null: all numeric others.")
    group: str | None = Field(None, description="Column whose rows stay together in one fold (patient, customer).")
    sample_id: str | None = Field(None, description="Column that identifies a row; null: row numbers.")
    positive: str | None = Field(None, description="One class against the rest; null: the classes as they are.")
    max_samples: Annotated[int, Field(ge=10)] | None = Field(
        None, description="Stratified, seeded sub-sample; null: every row."
    )
    shuffle_labels: bool = Field(False, description="Permute the labels: a negative control where nothing may win.")
    options: dict[str, float] = Field(default_factory=dict, description="Options of a generator (ad_hoc: gap, qubits).")
    seed: int = Field(0, ge=0, lt=2**32, description="Of sub-sampling, generation and shuffling.")
    data_class: DataClass = "public"

    _immutable = field_validator("features")(_tuple)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dataset is None) == (self.path is None):
            raise ValueError("give exactly one of dataset (a bundled name) and path (a CSV or Parquet file)")
        if self.path is not None and self.label is None:
            raise ValueError("a path needs label: the name of the label column")
        return self


class Preparation(Frozen):
    """How columns become angles; every step is fitted on training rows only."""

    scaling: Scaling = "standard"
    reduction: Reduction = Field("pca", description="pca or select (ANOVA F) to `qubits` columns; none: as they are.")
    qubits: Annotated[int, Field(ge=1, le=16)] | None = Field(
        None, description="Columns after reduction; null with reduction none."
    )

    @model_validator(mode="after")
    def _needs_qubits(self) -> Self:
        if (self.reduction == "none") != (self.qubits is None):
            raise ValueError("reduction pca or select needs qubits; reduction none takes no qubits")
        return self


class FeatureMapSpec(Frozen):
    """One circuit family and the bandwidths to try: angles are `bandwidth * prepared feature`."""

    kind: MapKind = "zz"
    reps: int = Field(2, ge=1, le=8)
    entanglement: Entanglement = "linear"
    paulis: Sequence[str] | None = Field(
        None, description="For kind pauli, for example [Z, YY]; letters X, Y, Z, at most three."
    )
    bandwidths: Sequence[float] = Field((0.05, 0.1, 0.2, 0.5, 1.0), min_length=1, max_length=64)

    _immutable = field_validator("paulis", "bandwidths")(_tuple)

    @model_validator(mode="after")
    def _paulis_for_pauli(self) -> Self:
        if (self.kind == "pauli") != (self.paulis is not None):
            raise ValueError("paulis belong to kind pauli, and kind pauli needs them, for example paulis: [Z, YY]")
        for name in self.paulis or ():
            if not 1 <= len(name) <= 3 or set(name) - set("XYZ"):
                raise ValueError(f"paulis holds {name!r}; write one to three of the letters X, Y and Z")
        _check_grid("bandwidths", self.bandwidths, most=100.0)
        return self

    @property
    def name(self) -> str:
        """Short name, for example ``zz-linear-r2`` or ``pauli-Z.YY-full-r1``."""
        paulis = "-" + ".".join(self.paulis) if self.paulis else ""
        entangled = "" if self.kind == "z" else f"-{self.entanglement}"
        return f"{self.kind}{paulis}{entangled}-r{self.reps}"

    def without_entanglers(self) -> Self:
        """The ablation: the same map with every multi-qubit term removed."""
        if self.kind == "pauli" and self.paulis:
            single = tuple(p for p in self.paulis if len(p) == 1) or ("Z",)
            return self.model_copy(update={"paulis": single, "entanglement": "none"})
        return self.model_copy(update={"entanglement": "none"})


class Protocol(Frozen):
    """Repeated nested cross-validation, the same folds and the same number of configurations for every model."""

    outer_folds: int = Field(5, ge=2, le=20)
    repeats: int = Field(3, ge=1, le=50)
    inner_folds: int = Field(4, ge=2, le=20)
    budget: int = Field(12, ge=1, le=500, description="Configurations tried by every tuned model in every fold.")
    c_grid: Sequence[float] = Field((0.1, 1.0, 10.0, 100.0), min_length=1, max_length=64)
    metric: Literal["balanced_accuracy", "accuracy"] = "balanced_accuracy"
    equivalence_band: float = Field(0.01, ge=0, lt=0.5, description="Score differences within it count as equal.")
    alpha: float = Field(0.05, gt=0, lt=0.5)
    seed: int = Field(0, ge=0, lt=2**32)

    _immutable = field_validator("c_grid")(_tuple)

    @model_validator(mode="after")
    def _positive_grid(self) -> Self:
        _check_grid("c_grid", self.c_grid, most=1e12)
        return self

    @property
    def fingerprint(self) -> str:
        """Hash of the protocol, for records."""
        return fingerprint("protocol/v1", self)
