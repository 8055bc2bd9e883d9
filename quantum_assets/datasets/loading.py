"""The door of the room: a study's `DataSource` in, a checked `Dataset` out; and the checks that need no data."""

from collections.abc import Callable
from pathlib import Path

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets import DATASETS, files
from quantum_assets.datasets.raw import RawTable, select_features, settle
from quantum_assets.datasets.sampling import make_dataset
from quantum_assets.datasets.validation import check_raw, check_rows
from quantum_assets.datasets.wording import choices, shown


def load(
    source: DataSource,
    name: str,
    base: Path,
    max_rows: int | None = None,
    describe: Callable[[int], str] | None = None,
) -> Dataset:
    """Read, check and arrange the rows of a study.

    Args:
        source: Where they come from and what to do with them.
        name: Study; begins the culprit of every message.
        base: Folder of the study's YAML, which relative paths start from.
        max_rows: Most rows that may leave here; a larger file is refused before it is parsed, unless
            `source.max_samples` brings it below.
        describe: Says in words what a number of rows would cost; by default the size of a Gram matrix.

    Returns:
        The same rows in the same order for the same source and bytes, in any process.

    Raises:
        PlanError: For anything wrong with source, file or rows, before anything is computed.
    """
    check_source(source, name, base)
    limit = None if source.max_samples is not None and source.max_samples <= (max_rows or 0) else max_rows
    raw = _read_bundled(source, name) if source.dataset else files.read(source, name, base, limit, describe)
    whose = f"{name}: {raw.origin}"
    check_rows(whose, len(raw.labels), limit, describe)
    check_raw(raw, whose)
    return make_dataset(raw, source, name)


def check_source(source: DataSource, name: str, base: Path) -> None:
    """Refuse, when a study is defined, what can be seen without reading data or importing a heavy library.

    Raises:
        PlanError: For an unknown dataset or option, fields that do not belong together, and a missing local file.
    """
    if source.dataset is not None:
        _check_bundled(source, name)
        return
    settle({}, source.options, f"{name}: source")
    _check_roles(source, name)
    files.check_present(files.locate(str(source.path), name, base))


def _check_bundled(source: DataSource, name: str) -> None:
    if source.dataset not in DATASETS:
        raise PlanError(
            f"{name}: source.dataset {shown(source.dataset)}",
            "no such dataset is bundled",
            f"Write {choices(str(source.dataset), DATASETS)}; or give path for a file of your own",
        )
    for field in ("label", "group", "sample_id"):
        if getattr(source, field) is not None:
            raise PlanError(
                f"{name}: source.{field}", f"belongs to a file; {source.dataset} brings its own", "Remove it"
            )
    _check_features(source, name)
    settle(DATASETS[str(source.dataset)].options, source.options, f"{name}: source")


def _check_roles(source: DataSource, name: str) -> None:
    """One column has one role: the label among the features would be a leak."""
    _check_features(source, name)
    seen: dict[str, str] = {}
    roles = [("label", source.label), ("group", source.group), ("sample_id", source.sample_id)]
    for role, column in roles + [("features", column) for column in source.features or ()]:
        if column is not None and column in seen:
            raise PlanError(
                f"{name}: source.{role} {shown(column)}",
                f"is source.{seen[column]} too",
                "Give every column one role",
            )
        if column is not None:
            seen[column] = role


def _check_features(source: DataSource, name: str) -> None:
    features = source.features
    if features is not None and not features:
        raise PlanError(
            f"{name}: source.features", "is an empty list", "Name columns, or leave it out for all numeric ones"
        )
    repeated = [column for column in features or () if (features or ()).count(column) > 1]
    if repeated:
        raise PlanError(f"{name}: source.features {shown(repeated[0])}", "is listed twice", "Remove one of them")


def _read_bundled(source: DataSource, name: str) -> RawTable:
    try:
        raw = DATASETS[str(source.dataset)](source)
    except PlanError as error:
        raise PlanError(f"{name}: {error.culprit}", error.problem, error.mend) from error
    return select_features(raw, source.features, f"{name}: source")
