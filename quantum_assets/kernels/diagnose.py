"""Judge a kernel matrix before training, each number with a sentence that says what to conclude from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.kernels import measures
from quantum_assets.kernels.psd import rounding

REGULARISATIONS = (1e-4, 1e-2, 1.0)
LEADING = 10


@dataclass(frozen=True)
class Diagnostic:
    """One row of the diagnostics table: which matrix, which number, and what a reader should conclude."""

    kernel: str
    metric: str
    value: float
    meaning: str


def diagnose(
    matrix: KernelMatrix,
    labels: IntArray,
    rivals: Mapping[str, KernelMatrix] | None = None,
    *,
    n_qubits: int | None = None,
    normalised: bool = True,
) -> tuple[Diagnostic, ...]:
    """Compute every diagnostic of one Gram matrix.

    Args:
        matrix: Square, at least 2 by 2.
        labels: Class index a row.
        rivals: Classical Gram matrices of the same samples, by name, for the geometric difference.
        n_qubits: Width of the circuit, for comparison with random states; None for classical kernels.
        normalised: Whether a unit diagonal is expected; False for polynomial and linear kernels.

    Returns:
        Finite numbers in a fixed order; one that is infinite (shots to resolve no spread at all) is left out.

    Raises:
        PlanError: If matrix, labels and rivals are not of the same samples.
    """
    rivals = rivals or {}
    n = len(matrix.row_ids)
    strangers = [name for name, rival in rivals.items() if rival.row_ids != matrix.row_ids or not rival.square]
    if not matrix.square or n < 2 or len(labels) != n or strangers:
        raise PlanError(
            f"diagnostics of {matrix.kernel}",
            f"matrix {matrix.values.shape}, {len(labels)} labels, rivals of other samples: {strangers or 'none'}",
            "Give one Gram matrix, its labels and rivals of the same samples in the same order",
        )
    with threadpool_limits(1):  # the same bits on any number of threads
        rows = list(_rows(matrix, labels, rivals, n_qubits, normalised))
    return tuple(Diagnostic(matrix.kernel, *row) for row in rows if np.isfinite(row[1]))


Row = tuple[str, float, str]


def _rows(
    matrix: KernelMatrix,
    labels: IntArray,
    rivals: Mapping[str, KernelMatrix],
    n_qubits: int | None,
    normalised: bool,
) -> Iterator[Row]:
    eigenvalues = measures.spectrum(matrix.values)
    yield from _positivity(matrix, eigenvalues)
    yield from _symmetry(matrix)
    if normalised:
        yield from _unit_diagonal(matrix)
        yield from _concentration(matrix, n_qubits)
    yield from _ranks(eigenvalues)
    yield from _targets(matrix, labels)
    for name, rival in rivals.items():
        yield from _difference(matrix, name, rival)
    yield from _spectrum(eigenvalues)


def _positivity(matrix: KernelMatrix, eigenvalues: FloatArray) -> Iterator[Row]:
    smallest = float(eigenvalues[0])
    mass = float(np.abs(eigenvalues[eigenvalues < 0]).sum() / max(np.abs(eigenvalues).sum(), 1e-300))
    if smallest >= -rounding(eigenvalues):
        meaning = "Positive semi-definite up to rounding: a valid kernel as it stands."
    elif matrix.shots is not None:
        meaning = "Negative eigenvalues, as shot noise makes them: repair the matrix and its test rows alike."
    else:
        meaning = "Negative eigenvalues without shot noise: this is not a valid kernel, look for the defect."
    yield "min_eigenvalue", smallest, meaning
    yield "negative_mass", mass, f"{mass:.2%} of the spectrum is negative and would be lost by clipping."


def _symmetry(matrix: KernelMatrix) -> Iterator[Row]:
    defect = float(np.abs(matrix.values - matrix.values.T).max())
    if matrix.symmetric:
        meaning = "Symmetric." if defect <= 1e-12 else "Declared symmetric and is not: look for the defect."
    else:
        meaning = "The triangles are separate estimates; average them before use, or keep both knowingly."
    yield "symmetry_defect", defect, meaning


def _unit_diagonal(matrix: KernelMatrix) -> Iterator[Row]:
    defect = float(np.abs(np.diag(matrix.values) - 1).max())
    meaning = (
        "Every sample is identical with itself, as it is without noise."
        if defect <= 1e-9
        else f"A sample's overlap with itself falls short of 1 by up to {defect:.3g}: noise, or states not normalised."
    )
    yield "unit_diagonal_defect", defect, meaning


def _concentration(matrix: KernelMatrix, n_qubits: int | None) -> Iterator[Row]:
    found = measures.concentration(matrix.values, matrix.shots)
    if n_qubits is None:
        yield "off_diagonal_mean", found.mean, "Mean similarity of two different samples."
        yield "off_diagonal_variance", found.variance, "How much similarities differ; 0 leaves nothing to learn from."
    else:
        mean, variance = measures.haar_moments(n_qubits)
        near = "near" if found.mean < 1.5 * mean else "above"
        yield (
            "off_diagonal_mean",
            found.mean,
            f"{near.capitalize()} the {mean:.3g} of random states: "
            + (
                "the encoding scrambles the data, lower the bandwidth." if near == "near" else "samples are told apart."
            ),
        )
        yield "off_diagonal_variance", found.variance, f"Random states would give {variance:.3g}; 0 teaches nothing."
    if found.shot_noise is not None:
        ratio = float(np.sqrt(found.variance)) / found.shot_noise if found.shot_noise else np.inf
        clear = "the signal is above the noise." if ratio > 2 else "entries differ hardly more than by chance."
        yield "spread_over_shot_noise", ratio, f"Spread against shot noise at {matrix.shots} shots: {clear}"
    yield (
        "shots_to_resolve",
        found.shots_to_resolve,
        "Shots an entry at which shot noise equals the spread; far fewer than that measure noise.",
    )


def _ranks(eigenvalues: FloatArray) -> Iterator[Row]:
    n = len(eigenvalues)
    entropy, participation = measures.entropy_rank(eigenvalues), measures.participation_rank(eigenvalues)
    if entropy > 0.9 * n:
        meaning = f"Of {n}: nearly every sample is alone in its own direction; expect memorising, not learning."
    elif entropy < 1.5:
        meaning = f"Of {n}: nearly all samples look alike; the kernel sees no structure."
    else:
        meaning = f"Of {n}: directions in which the samples really differ."
    yield "effective_rank_entropy", entropy, meaning
    yield "effective_rank_participation", participation, f"Of {n}: the same, weighing the leading directions more."


def _targets(matrix: KernelMatrix, labels: IntArray) -> Iterator[Row]:
    alignment = measures.target_alignment(matrix.values, labels)
    strength = "hardly at all" if alignment < 0.05 else "weakly" if alignment < 0.2 else "clearly"
    yield "target_alignment", alignment, f"Same-class samples are more similar {strength} (1 would be perfect)."
    for regularisation in REGULARISATIONS:
        size = measures.model_complexity(matrix.values, labels, regularisation)
        yield (
            f"model_complexity_{regularisation:g}",
            size,
            "Norm of the model that fits these labels; smaller is simpler.",
        )


def _difference(matrix: KernelMatrix, name: str, rival: KernelMatrix) -> Iterator[Row]:
    limit = float(np.sqrt(len(matrix.row_ids)))
    for strength in REGULARISATIONS:
        value = measures.geometric_difference(rival.values, matrix.values, strength)
        unlearned = measures.unlearned(rival.values, matrix.values, strength)
        if value >= limit / 2:
            meaning = f"Of the order of sqrt(n) = {limit:.3g} at lambda {strength:g}: room above {name}, no promise."
        elif unlearned >= 0.1:
            meaning = f"Small at lambda {strength:g} only because {name} then fits badly: look at a smaller lambda."
        elif value < 2:
            meaning = f"Near 1 at lambda {strength:g}: {name} can learn whatever this kernel can, stop here."
        else:
            meaning = f"Well below sqrt(n) = {limit:.3g} at lambda {strength:g}: little room above {name}."
        yield f"geometric_difference_{name}_{strength:g}", value, meaning
        yield (
            f"unlearned_{name}_{strength:g}",
            unlearned,
            f"Residual of {name} at lambda {strength:g} on the hardest labels of this kernel; near 0 it fits them all.",
        )


def _spectrum(eigenvalues: FloatArray) -> Iterator[Row]:
    total = float(np.abs(eigenvalues).sum()) or 1.0
    for place, value in enumerate(eigenvalues[::-1][:LEADING], start=1):
        yield f"spectrum_{place:02d}", float(value / total), f"Share of eigenvalue {place} in the whole spectrum."
