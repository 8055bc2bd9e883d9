"""The Gram matrix as a value: entries, whose they are, and how each was estimated."""

from dataclasses import dataclass, field

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray


@dataclass(frozen=True, eq=False)
class KernelMatrix:
    """Kernel values between two lists of samples.

    Attributes:
        values: Shape `(n_rows, n_columns)`, in [0, 1] for fidelities.
        row_ids: Sample id of each row.
        column_ids: Sample id of each column; equal to `row_ids` for a Gram matrix.
        kernel: Name of the map or classical kernel.
        parameters: What was chosen, for example ``{"bandwidth": 0.2}``.
        stderr: Standard error of each entry, same shape; None for exact entries.
        symmetric: Whether entries (i, j) and (j, i) are one estimate.
        shots: Shots an entry; None for exact.
        circuits_run: Circuits really executed for it.
        circuits_needed: Circuits a device would have had to run.
    """

    values: FloatArray
    row_ids: tuple[str, ...]
    column_ids: tuple[str, ...]
    kernel: str
    parameters: dict[str, float] = field(default_factory=dict)
    stderr: FloatArray | None = None
    symmetric: bool = True
    shots: int | None = None
    circuits_run: int = 0
    circuits_needed: int = 0

    def __post_init__(self) -> None:
        wanted = (len(self.row_ids), len(self.column_ids))
        if self.values.shape != wanted or (self.stderr is not None and self.stderr.shape != wanted):
            raise PlanError(
                f"kernel matrix {self.kernel}",
                f"values have shape {self.values.shape} for {wanted[0]} row ids and {wanted[1]} column ids",
                "Give one id a row and one a column",
            )
        if not np.isfinite(self.values).all():
            raise PlanError(f"kernel matrix {self.kernel}", "entries are NaN or infinite", "Look at the angles")

    @property
    def square(self) -> bool:
        """Whether rows and columns are the same samples in the same order."""
        return self.row_ids == self.column_ids
