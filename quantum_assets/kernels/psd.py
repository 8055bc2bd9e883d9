"""Make a kernel matrix positive semi-definite, and say how far that moved it.

The matrix is symmetrised, decomposed by `eigh` (never `eig`, which loses orthogonality on repeated eigenvalues) and
rebuilt from repaired eigenvalues. The repair is linear in the rows, K' = K P, so the same map applies to the rows of
test samples; otherwise training and test kernels would live in different spaces (Chen et al. 2009, "Similarity-based
classification: concepts and algorithms", JMLR 10, section 4.2).
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.reconstruct import symmetrise

Method = Literal["clip", "flip"]


@dataclass(frozen=True, eq=False)
class Repaired:
    """A repaired matrix with the measure of the repair.

    Attributes:
        matrix: Symmetric and positive semi-definite up to rounding; the argument itself where nothing was wrong.
        moved: Frobenius distance from the matrix that came in.
        negative_mass: Absolute negative eigenvalues over all absolute eigenvalues, before; in [0, 1].
        smallest: Smallest eigenvalue of the symmetrised matrix, before.
        projector: The spectral map P, shape `(n, n)`; None where it is the identity.
    """

    matrix: KernelMatrix
    moved: float
    negative_mass: float
    smallest: float
    projector: FloatArray | None

    def apply(self, rows: FloatArray) -> FloatArray:
        """Map kernel rows of further samples, shape `(m, n)`, as the training rows were mapped."""
        return rows if self.projector is None else np.asarray(rows @ self.projector)


def repair(matrix: KernelMatrix, method: Method = "clip") -> Repaired:
    """Repair a Gram matrix; one that is already positive semi-definite up to rounding is left as it is.

    Args:
        matrix: Square; averaged with its transpose first if the two triangles are separate estimates.
        method: `clip` sets negative eigenvalues to 0 (the nearest such matrix in Frobenius norm), `flip` takes
            absolute values.

    Raises:
        PlanError: For a rectangle.
    """
    if not matrix.square:
        raise PlanError(f"kernel matrix {matrix.kernel}", "is no Gram matrix", "Repair it and use apply for test rows")
    with threadpool_limits(1):  # the same bits on any number of threads
        return _repair(matrix, method)


def _repair(matrix: KernelMatrix, method: Method) -> Repaired:
    symmetric = symmetrise(matrix)
    eigenvalues, vectors = np.linalg.eigh((symmetric.values + symmetric.values.T) / 2)
    smallest = float(eigenvalues[0])
    total = float(np.abs(eigenvalues).sum())
    negative_mass = float(-eigenvalues[eigenvalues < 0].sum()) / total if total else 0.0
    if smallest >= -rounding(eigenvalues):
        moved = float(np.linalg.norm(symmetric.values - matrix.values))
        return Repaired(symmetric, moved, negative_mass, smallest, None)
    signs = np.where(eigenvalues > 0, 1.0, 0.0 if method == "clip" else -1.0)
    values = (vectors * (signs * eigenvalues)) @ vectors.T
    values = (values + values.T) / 2
    repaired = dataclasses.replace(symmetric, values=values)
    moved = float(np.linalg.norm(values - matrix.values))
    return Repaired(repaired, moved, negative_mass, smallest, (vectors * signs) @ vectors.T)


def rounding(eigenvalues: FloatArray) -> float:
    """How far below 0 rounding alone can put an eigenvalue: n · eps · the largest absolute eigenvalue."""
    return float(len(eigenvalues) * np.finfo(np.float64).eps * np.abs(eigenvalues).max(initial=0.0))
