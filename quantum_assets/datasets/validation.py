"""What a study can be run on: each check refuses one kind of bad input and names culprit and mend.

Called on `RawTable` before anything is computed from it, and on `Dataset` before folds are cut.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Preparation, Protocol
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.raw import RawTable
from quantum_assets.datasets.wording import plural, shown, size_of

MOST_QUBITS = 16
MOST_NUMERIC_CLASSES = 20


def check_raw(raw: RawTable, whose: str) -> None:
    """Refuse a table that no classifier can be fitted on.

    Args:
        raw: As read.
        whose: Begins every culprit: study and origin.

    Raises:
        PlanError: For no rows, missing or infinite values, one class only, constant features or repeated ids.
    """
    if len(raw.labels) == 0:
        raise PlanError(whose, "has a header and no rows", "Add rows")
    _refuse_values(raw, np.isnan(raw.features), "missing (empty or NaN)", "Fill them in or remove those rows", whose)
    _refuse_values(raw, np.isinf(raw.features), "infinite", "Replace them by finite numbers", whose)
    classes = set(raw.labels)
    if len(classes) == 1:
        raise PlanError(
            f"{whose}: labels",
            f"every row is of class {shown(raw.labels[0])}",
            "Give rows of two classes or more, or another label column",
        )
    _refuse_constant(raw, whose)
    _refuse_repeated_ids(raw, whose)


def check_label_kind(labels: Sequence[str], culprit: str) -> None:
    """Refuse a label that is a quantity: fractions with more than 20 distinct values.

    Raises:
        PlanError: Saying that this is classification.
    """
    distinct = sorted(set(labels))
    if len(distinct) <= MOST_NUMERIC_CLASSES:
        return
    numbers = [_number(label) for label in distinct]
    if all(n is not None for n in numbers) and any(n != int(n) for n in numbers if n is not None and math.isfinite(n)):
        raise PlanError(
            culprit,
            f"is continuous: {len(distinct)} distinct numbers such as {distinct[0]} and {distinct[-1]}; a kernel study "
            "parts classes",
            "Name a column of classes, or cut this one into classes first",
        )


def check_rows(whose: str, rows: int, max_rows: int | None, describe: Callable[[int], str] | None = None) -> None:
    """Refuse more rows than a kernel can hold, before they are read.

    Args:
        whose: The culprit.
        rows: How many there are.
        max_rows: The limit; None for none.
        describe: Says what so many rows cost; by default the memory of their Gram matrix.

    Raises:
        PlanError: With the count, the limit and the estimate.
    """
    if max_rows is None or rows <= max_rows:
        return
    estimate = describe(rows) if describe else f"their Gram matrix alone would take {size_of(rows * rows * 8)}"
    raise PlanError(
        whose,
        f"has {rows:,} rows, and a kernel here takes at most {max_rows:,}; {estimate}",
        f"Set source.max_samples to {max_rows} or fewer for a stratified sub-sample",
    )


def check_folds(dataset: Dataset, protocol: Protocol) -> None:
    """Refuse classes (or groups) too small to be in every outer and inner fold.

    Raises:
        PlanError: Naming the class, its rows, and the number of folds that would do.
    """
    unit = "row" if dataset.groups is None else "group"
    for index, name in enumerate(dataset.class_names):
        members = dataset.labels == index
        count = int(members.sum()) if dataset.groups is None else len(np.unique(dataset.groups[members]))
        left = count - math.ceil(count / protocol.outer_folds)
        if count >= protocol.outer_folds and left >= protocol.inner_folds:
            continue
        needs = f"outer_folds {protocol.outer_folds}"
        if count >= protocol.outer_folds:
            needs = f"inner_folds {protocol.inner_folds} of the {left} that outer training leaves"
        raise PlanError(
            f"{dataset.name}: class {shown(name)}",
            f"has {plural(count, unit)}, too few for {needs}",
            f"Lower the folds, add {unit}s of this class, or leave it out",
        )


def check_qubits(n_features: int, preparation: Preparation, whose: str = "preparation") -> None:
    """Refuse a preparation that cannot give the number of qubits.

    Args:
        n_features: Columns of the dataset.
        preparation: The recipe.
        whose: Begins the culprit.

    Raises:
        PlanError: For more features than 16 qubits without reduction, or more qubits than features.
    """
    if preparation.qubits is None and n_features > MOST_QUBITS:
        raise PlanError(
            f"{whose}: preparation.reduction none",
            f"{n_features} features would take {n_features} qubits, and {MOST_QUBITS} is the most",
            "Set reduction: pca (or select) with qubits: 8, or list fewer features",
        )
    if preparation.qubits is not None and preparation.qubits > n_features:
        raise PlanError(
            f"{whose}: preparation.qubits",
            f"{preparation.reduction} cannot make {preparation.qubits} columns from {plural(n_features, 'feature')}",
            f"Set qubits to {n_features} or fewer",
        )


def _refuse_values(raw: RawTable, wrong: np.ndarray, what: str, mend: str, whose: str) -> None:
    counts = wrong.sum(axis=0)
    columns = np.flatnonzero(counts)
    if len(columns) == 0:
        return
    first = int(columns[0])
    others = [f"{shown(raw.feature_names[c])} ({counts[c]})" for c in columns[1:6]]
    also = f"; also in {', '.join(others)}" + (" and more" if len(columns) > 6 else "") if others else ""
    rows = np.flatnonzero(wrong[:, first]).tolist()
    raise PlanError(
        f"{whose}: column {shown(raw.feature_names[first])}",
        f"{plural(int(counts[first]), 'value')} {what} ({raw.place(rows)}){also}",
        mend,
    )


def _refuse_constant(raw: RawTable, whose: str) -> None:
    constant = np.flatnonzero(np.ptp(raw.features, axis=0) == 0)
    if len(constant) == 0:
        return
    names = ", ".join(shown(raw.feature_names[c]) for c in constant[:6]) + (" and more" if len(constant) > 6 else "")
    first: FloatArray = raw.features[0, constant[:1]]
    raise PlanError(
        f"{whose}: {plural(len(constant), 'constant column')} {names}",
        f"the same value on every row ({first[0]:g} in {shown(raw.feature_names[constant[0]])}) parts nothing",
        "Drop constant columns by naming the others in source.features",
    )


def _refuse_repeated_ids(raw: RawTable, whose: str) -> None:
    repeated = [name for name, times in Counter(raw.sample_ids).items() if times > 1]
    if repeated:
        rows = [row for row, name in enumerate(raw.sample_ids) if name == repeated[0]]
        raise PlanError(
            f"{whose}: sample id {shown(repeated[0])}",
            f"is on {raw.place(rows)}; {plural(len(repeated), 'id')} in all repeat{'s' if len(repeated) == 1 else ''}",
            "Name a sample_id column that is unique, or none to use row numbers (rows of one subject: source.group)",
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
