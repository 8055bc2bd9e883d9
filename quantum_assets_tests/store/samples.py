"""Small tables, matrices and clocks for the tests of this room."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.store.gram import gram_table

ASSET = ("wine", "quantum_kernel")
IDEAL = {"profile": "ideal"}
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

SCORES = TableContract(
    "scores/v1",
    (
        Column("model", "string", "Model name."),
        Column("fold", "int64", "Outer fold."),
        Column("score", "float64", "Outer score.", nullable=True),
        Column("won", "bool", "Whether it won."),
        Column("cpu_seconds", "float64", "CPU seconds."),
    ),
    volatile=("cpu_seconds",),
)


def matrix(n: int = 40, seed: int = 0, shots: int | None = None) -> KernelMatrix:
    """A symmetric matrix of unit diagonal; multiples of 1/shots with standard errors when shots are given."""
    values = np.random.default_rng(seed).random((n, n))
    values = (values + values.T) / 2
    np.fill_diagonal(values, 1.0)
    if shots is not None:
        values = np.round(values * shots) / shots
    ids = tuple(f"s{i:04d}" for i in range(n))
    stderr = None if shots is None else np.sqrt(values * (1 - values) / shots)
    return KernelMatrix(values, ids, ids, "zz", stderr=stderr, shots=shots)


def gram(n: int = 40, seed: int = 0) -> pa.Table:
    return gram_table(matrix(n, seed))


def scores(cpu: float = 1.0, first: float = 0.9) -> pa.Table:
    return pa.table(
        {
            "model": pa.array(["quantum", "rbf", "größer"]),
            "fold": pa.array([0, 1, 2], pa.int64()),
            "score": pa.array([first, None, 0.0]),
            "won": pa.array([True, False, True]),
            "cpu_seconds": pa.array([cpu, cpu, cpu]),
        }
    )


@dataclass
class Clock:
    """A clock that says what it is told, then moves by `step` (which may be negative)."""

    now: datetime = START
    step: timedelta = field(default_factory=lambda: timedelta(minutes=1))

    def __call__(self) -> datetime:
        said = self.now
        self.now += self.step
        return said
