"""Numbers that judge a Gram matrix before anything is trained on it; pure functions of arrays."""

from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.workload import FloatArray, IntArray


@dataclass(frozen=True)
class Concentration:
    """How far the entries off the diagonal differ from each other.

    Attributes:
        mean: Mean of the entries off the diagonal.
        variance: Their variance.
        shot_noise: Root mean square of sqrt(K(1-K)/S) over these entries; None without a number of shots.
        shots_to_resolve: Shots an entry at which shot noise equals the spread; infinite where the spread is 0. Of a
            sampled matrix the spread is taken after its own shot noise was subtracted.
    """

    mean: float
    variance: float
    shot_noise: float | None
    shots_to_resolve: float


def concentration(values: FloatArray, shots: int | None = None) -> Concentration:
    """Measure the spread of the entries off the diagonal against the noise of a number of shots.

    Thanasilp et al. 2022, arXiv 2208.11060: where the spread falls below shot noise, training sees noise only. From
    sampled entries p the mean of K(1-K) is estimated without bias as the mean of p(1-p) S/(S-1).

    Args:
        values: Square, at least 2 by 2.
        shots: Shots that each entry was estimated from; None for exact entries.
    """
    entries = values[~np.eye(len(values), dtype=bool)]
    mean, variance = float(entries.mean()), float(entries.var())
    bernoulli = float(np.clip(entries * (1 - entries), 0, None).mean())
    if shots is not None:
        bernoulli *= shots / max(shots - 1, 1)
    signal = variance if shots is None else variance - bernoulli / shots
    noise = None if shots is None else float(np.sqrt(bernoulli / shots))
    return Concentration(mean, variance, noise, bernoulli / signal if signal > 1e-30 else np.inf)


def haar_moments(n_qubits: int) -> tuple[float, float]:
    """Mean and variance of the fidelity of two Haar-random states: 1/D and (D-1)/(D²(D+1)) with D = 2^n."""
    dimension = 2.0**n_qubits
    return 1 / dimension, (dimension - 1) / (dimension**2 * (dimension + 1))


def spectrum(values: FloatArray) -> FloatArray:
    """Eigenvalues of the symmetrised matrix, ascending; shape `(n,)`."""
    return np.asarray(np.linalg.eigvalsh((values + values.T) / 2), dtype=np.float64)


def entropy_rank(eigenvalues: FloatArray) -> float:
    """Effective rank exp(-Σ p log p) of the normalised spectrum (Roy and Vetterli 2007); n for the identity."""
    shares = _shares(eigenvalues)
    return float(np.exp(-np.sum(shares * np.log(shares))))


def participation_rank(eigenvalues: FloatArray) -> float:
    """Effective rank (Σ λ)² / Σ λ² of the spectrum; n for the identity, 1 for a matrix of ones."""
    return float(1 / np.sum(_shares(eigenvalues) ** 2))


def centred(values: FloatArray) -> FloatArray:
    """The matrix in the feature space centred on its mean: H K H with H = I - 11ᵀ/n."""
    rows = values.mean(axis=0, keepdims=True)
    columns = values.mean(axis=1, keepdims=True)
    return np.asarray(values - rows - columns + values.mean())


def centred_alignment(left: FloatArray, right: FloatArray) -> float:
    """Cosine of two centred matrices under the Frobenius product, in [-1, 1]; 0 where one of them is constant.

    Cortes, Mohri and Rostamizadeh 2012, "Algorithms for learning kernels based on centered alignment", JMLR 13.
    """
    first, second = centred(left), centred(right)
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.sum(first * second)) / norm if norm > 1e-12 * max(left.size, 1) else 0.0


def target_alignment(values: FloatArray, labels: IntArray) -> float:
    """Centred alignment with the ideal kernel, 1 for equal labels and 0 otherwise; any number of classes."""
    return centred_alignment(values, (labels[:, None] == labels[None, :]).astype(np.float64))


def geometric_difference(classical: FloatArray, quantum: FloatArray, regularisation: float) -> float:
    """The asymmetric distance g(K_C || K_Q) between what two kernels can learn.

    g² is the *spectral* norm of √K_Q √K_C (K_C + λI)⁻² √K_C √K_Q, with both matrices scaled to trace n (Huang et al.
    2021, "Power of data in quantum machine learning", Nature Communications 12, 2631, equation 5 and its regularised
    form in the supplement). For λ → 0 it is 1 when the kernels are equal.

    Args:
        classical: K_C, symmetric, shape `(n, n)`; negative eigenvalues count as 0.
        quantum: K_Q, the same shape.
        regularisation: λ, at least 0; with 0 the pseudo-inverse is taken.
    """
    quantum_values, quantum_vectors = _scaled_eigh(quantum)
    classical_values, classical_vectors = _scaled_eigh(classical)
    kept = classical_values > len(classical) * np.finfo(np.float64).eps * classical_values.max()
    weights = np.zeros_like(classical_values)
    weights[kept] = np.sqrt(classical_values[kept]) / (classical_values[kept] + regularisation)
    between = (classical_vectors * weights).T @ (quantum_vectors * np.sqrt(quantum_values))
    return float(np.linalg.norm(between, 2))


def unlearned(classical: FloatArray, quantum: FloatArray, regularisation: float) -> float:
    """What the classical kernel leaves unlearned at this λ, without which a small g says nothing.

    The root-mean-square training residual λ (K_C + λI)⁻¹ y of kernel ridge regression, for the worst labels y = √K_Q z
    with |z|² = n (a model of the quantum kernel of complexity n): λ times the root of the spectral norm of
    √K_Q (K_C + λI)⁻² √K_Q, with both matrices scaled to trace n. Huang et al. 2021, supplement, training part of the
    regularised bound.

    Args:
        classical: K_C, symmetric, shape `(n, n)`; negative eigenvalues count as 0.
        quantum: K_Q, the same shape.
        regularisation: λ, positive.
    """
    quantum_values, quantum_vectors = _scaled_eigh(quantum)
    classical_values, classical_vectors = _scaled_eigh(classical)
    left = classical_vectors * (regularisation / (classical_values + regularisation))
    return float(np.linalg.norm(left.T @ (quantum_vectors * np.sqrt(quantum_values)), 2))


def model_complexity(values: FloatArray, labels: IntArray, regularisation: float) -> float:
    """How large a model the kernel needs for these labels: s = yᵀ K (K + λI)⁻² y, meaned over classes against the rest.

    y is ±1 and K has trace n; the expected error of the kernel machine is of the order of sqrt(s/n) (Huang et al. 2021,
    equation 4).
    """
    eigenvalues, vectors = _scaled_eigh(values)
    targets = np.where(labels[:, None] == np.unique(labels)[None, :], 1.0, -1.0)
    loads = (vectors.T @ targets) ** 2
    sizes = (eigenvalues / (eigenvalues + regularisation) ** 2) @ loads
    return float(sizes.mean())


def _shares(eigenvalues: FloatArray) -> FloatArray:
    positive = eigenvalues[eigenvalues > 0]
    return np.asarray(positive / positive.sum()) if positive.size else np.ones(1)


def _scaled_eigh(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Non-negative eigenvalues and vectors of the symmetric part, scaled to trace n (a zero matrix stays zero)."""
    eigenvalues, vectors = np.linalg.eigh((values + values.T) / 2)
    eigenvalues = np.clip(eigenvalues, 0.0, None)
    total = float(eigenvalues.sum())
    return eigenvalues * (len(values) / total if total else 1.0), vectors
