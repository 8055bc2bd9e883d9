"""What MLflow keeps of one materialisation: a plain value that can wait on disk for as long as the server is down."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatasetInput:
    """A named version that went in or came out: asset key, digest and where it is stored."""

    name: str
    digest: str
    source: str
    context: str = "input"


@dataclass(frozen=True)
class ModelRecord:
    """A model to register: plain JSON-able arrays, its signature and the alias that points to it.

    Attributes:
        name: Registered model name.
        alias: For example ``champion``.
        arrays: File name to bytes (`.npz` without pickle, or JSON).
        input_schema: Column names of the model's input.
        output_schema: Column names of the model's output.
    """

    name: str
    alias: str
    arrays: Mapping[str, bytes]
    input_schema: tuple[str, ...]
    output_schema: tuple[str, ...]


@dataclass(frozen=True)
class RunRecord:
    """One materialisation as tracking sees it.

    Attributes:
        key: Idempotency key: the same key is delivered once, however often it is tried.
        experiment: Experiment name, one a study.
        run_name: Shown in the UI.
        params: Short strings and numbers; longer things are artifacts.
        metrics: Finite numbers; a non-finite one becomes a tag.
        tags: Identity and links: asset, partition, data version, Dagster run.
        artifacts: Path inside the run to bytes.
        inputs: Versions that went in and came out.
        model: A model to register, if this materialisation made one.
        started_at: Unix milliseconds.
        ended_at: Unix milliseconds.
        status: FINISHED or FAILED.
    """

    key: str
    experiment: str
    run_name: str
    params: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    inputs: tuple[DatasetInput, ...] = ()
    model: ModelRecord | None = None
    started_at: int = 0
    ended_at: int = 0
    status: str = "FINISHED"
