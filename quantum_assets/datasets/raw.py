"""What a source hands over before anybody believes it (`RawTable`), and what describes a bundled source (`Bundled`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.wording import choices, row_places, shown


@dataclass(frozen=True, eq=False)
class RawTable:
    """Rows as they were read: numbers may still be NaN, ids may repeat, there may be one class.

    Attributes:
        origin: The file or bundled dataset, as messages and records name it; without credentials.
        features: Shape `(n_rows, n_features)`.
        feature_names: One a column.
        labels: Class name of each row.
        sample_ids: One a row.
        groups: Group name of each row, or None.
        place: Says in words where rows (by number) are to be found: ``lines 4, 7``.
    """

    origin: str
    features: FloatArray
    feature_names: tuple[str, ...]
    labels: tuple[str, ...]
    sample_ids: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    place: Callable[[Sequence[int]], str] = row_places


@dataclass(frozen=True)
class Option:
    """One number that a generated dataset takes, with its default and limits (both included).

    `multiple` is 0 for any number, 1 for whole numbers, 2 for even ones.
    """

    default: float
    least: float
    most: float
    meaning: str
    multiple: int = 0


@dataclass(frozen=True)
class Bundled:
    """A dataset that needs no file: what it is, how it is read, and the options it takes."""

    description: str
    read: Callable[[DataSource], RawTable]
    options: Mapping[str, Option] = field(default_factory=dict)

    def __call__(self, source: DataSource) -> RawTable:
        """Read it."""
        return self.read(source)


def settle(known: Mapping[str, Option], given: Mapping[str, float], whose: str) -> dict[str, float]:
    """Fill in defaults and check what was given.

    Args:
        known: The options there are.
        given: What the study's YAML says.
        whose: Begins the culprit of a message, for example ``wine: source``.

    Returns:
        A value for every known option.

    Raises:
        PlanError: For an unknown option, or a value outside its limits.
    """
    for name, value in given.items():
        culprit = f"{whose}.options.{name}"
        if not known:
            raise PlanError(culprit, "this source takes no options", "Remove it")
        if name not in known:
            raise PlanError(culprit, "there is no such option", f"Write {choices(name, known)}")
        option = known[name]
        if not option.least <= value <= option.most or (option.multiple and value % option.multiple):
            kind = ("a number", "a whole number", "an even number")[option.multiple]
            raise PlanError(
                culprit, f"is {value:g} ({option.meaning})", f"Use {kind} from {option.least:g} to {option.most:g}"
            )
    return {name: given.get(name, option.default) for name, option in known.items()}


def from_arrays(
    origin: str,
    features: npt.ArrayLike,
    feature_names: Sequence[str],
    labels: Sequence[str],
    rows: Sequence[int] | None = None,
) -> RawTable:
    """Wrap arrays that are known to be sound; `rows` are the row numbers in the source and become sample ids."""
    values = np.array(features, dtype=np.float64, order="C")
    numbers = range(len(values)) if rows is None else rows
    return RawTable(
        origin=origin,
        features=values,
        feature_names=tuple(str(name) for name in feature_names),
        labels=tuple(str(label) for label in labels),
        sample_ids=tuple(str(int(row)) for row in numbers),
    )


def select_features(raw: RawTable, features: Sequence[str] | None, whose: str) -> RawTable:
    """Keep the named feature columns, in the order given; None keeps all.

    Raises:
        PlanError: For a name that is not among the columns, with the near matches.
    """
    if features is None:
        return raw
    for name in features:
        if name not in raw.feature_names:
            raise PlanError(
                f"{whose}.features: {shown(name)}",
                f"{raw.origin} has no such feature",
                f"Write {choices(name, raw.feature_names)}",
            )
    columns = [raw.feature_names.index(name) for name in features]
    return RawTable(
        raw.origin,
        np.ascontiguousarray(raw.features[:, columns]),
        tuple(features),
        raw.labels,
        raw.sample_ids,
        raw.groups,
        raw.place,
    )
