"""Read an admitted result as a kernel matrix.

States become a product (`fidelity`), with binomial sampling on top where the profile asks for it; overlaps are laid in
place pair by pair. Nothing is symmetrised, clipped to a unit diagonal or repaired here: those are declared steps.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from quantum_assets.contracts.envelope import AdmittedResult, Overlaps, Samples, States
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.kernels.fidelity import fidelities, fidelities_between
from quantum_assets.kernels.sampling import binomial, sample_keys, standard_error


def gram(
    admitted: AdmittedResult,
    workload: Workload,
    profile: ExecutionProfile,
    ids: Sequence[str],
    parameters: Mapping[str, float] | None = None,
) -> KernelMatrix:
    """Build the square matrix of all rows of the workload.

    Args:
        admitted: The answer, past the trust boundary.
        workload: The question it answers.
        profile: How it was run; `binomial` draws shots on top of exact states.
        ids: Sample id of every binding, in order.
        parameters: What the kernel's owner wants recorded with it, for example the bandwidth.

    Returns:
        From states a symmetric matrix: its diagonal is computed as |⟨ψ_i|ψ_i⟩|² (and counted as S of S by binomial
        sampling). From overlaps a matrix with `symmetric=False`, both triangles and the diagonal as they were measured.

    Raises:
        PlanError: If answer, question and ids do not belong together, or a pair is missing.
    """
    _belong_together(admitted, workload, ids)
    data = _kernel_data(admitted, workload)
    if isinstance(data, Overlaps):
        every = np.arange(workload.n_bindings)
        return _from_pairs(admitted, workload, ids, rows=every, columns=every, parameters=parameters)
    exact = KernelMatrix(
        values=fidelities(data.amplitudes),
        row_ids=tuple(ids),
        column_ids=tuple(ids),
        kernel=workload.circuit.name,
        parameters=dict(parameters or {}),
        circuits_run=admitted.envelope.circuits_run,
        circuits_needed=len(ids) * (len(ids) - 1) // 2,
    )
    if profile.estimator != "binomial" or profile.shots is None:
        return exact
    keys = sample_keys(workload.circuit.fingerprint, ids, workload.bindings)
    return binomial(exact, keys, shots=profile.shots, seed=profile.seed)


def cross(
    admitted: AdmittedResult,
    workload: Workload,
    profile: ExecutionProfile,
    ids: Sequence[str],
    *,
    rows: IntArray,
    columns: IntArray,
    parameters: Mapping[str, float] | None = None,
) -> KernelMatrix:
    """Build the rectangle of some rows of the workload against others; the same entries as in `gram`.

    Args:
        admitted: The answer, past the trust boundary.
        workload: The question it answers; for overlaps it must hold every pair of the rectangle.
        profile: How it was run.
        ids: Sample id of every binding of the workload, in order.
        rows: Bindings that become matrix rows.
        columns: Bindings that become matrix columns.
        parameters: Recorded with the matrix.

    Raises:
        PlanError: If answer, question and ids do not belong together, or a pair is missing.
    """
    _belong_together(admitted, workload, ids)
    data = _kernel_data(admitted, workload)
    if isinstance(data, Overlaps):
        return _from_pairs(admitted, workload, ids, rows=rows, columns=columns, parameters=parameters)
    exact = KernelMatrix(
        values=fidelities_between(data.amplitudes[rows], data.amplitudes[columns]),
        row_ids=tuple(ids[i] for i in rows),
        column_ids=tuple(ids[j] for j in columns),
        kernel=workload.circuit.name,
        parameters=dict(parameters or {}),
        circuits_run=admitted.envelope.circuits_run,
        circuits_needed=len(rows) * len(columns),
    )
    if profile.estimator != "binomial" or profile.shots is None:
        return exact
    keys = sample_keys(workload.circuit.fingerprint, ids, workload.bindings)
    return binomial(exact, keys[rows], keys[columns], shots=profile.shots, seed=profile.seed)


def symmetrise(matrix: KernelMatrix) -> KernelMatrix:
    """Average the entries (i, j) and (j, i), which are two independent estimates; the declared way to symmetry.

    Off the diagonal the standard error becomes sqrt(se_ij² + se_ji²)/2; on it nothing changes.

    Raises:
        PlanError: If rows and columns are not the same samples.
    """
    if not matrix.square:
        raise PlanError(f"kernel matrix {matrix.kernel}", "rows and columns differ", "Symmetrise Gram matrices only")
    if matrix.symmetric:
        return matrix
    stderr = matrix.stderr
    if stderr is not None:
        own = np.diag(stderr).copy()
        stderr = np.sqrt(stderr**2 + stderr.T**2) / 2
        np.fill_diagonal(stderr, own)
    return dataclasses.replace(matrix, values=(matrix.values + matrix.values.T) / 2, stderr=stderr, symmetric=True)


def mean(matrices: Sequence[KernelMatrix]) -> KernelMatrix:
    """Average matrices of the same samples, entry by entry: the ensemble of several ways to estimate one kernel.

    A mean of kernels is a kernel. Standard errors add in quadrature, an exact member's being zero; symmetric only where
    every member is.

    Raises:
        PlanError: For no matrix, or matrices of different samples.
    """
    if not matrices or any(
        (m.row_ids, m.column_ids) != (matrices[0].row_ids, matrices[0].column_ids) for m in matrices
    ):
        raise PlanError(
            "ensemble of kernel matrices", "has no or different samples", "Average matrices of one data set"
        )
    errors = [m.stderr for m in matrices if m.stderr is not None]
    stderr = np.sqrt(np.sum(np.square(errors), axis=0)) / len(matrices) if errors else None
    return dataclasses.replace(
        matrices[0],
        values=np.mean([m.values for m in matrices], axis=0),
        stderr=stderr,
        symmetric=all(m.symmetric for m in matrices),
        circuits_run=sum(m.circuits_run for m in matrices),
    )


def _belong_together(admitted: AdmittedResult, workload: Workload, ids: Sequence[str]) -> None:
    who = workload.label or workload.circuit.name
    if not isinstance(admitted, AdmittedResult):
        raise PlanError(who, f"a {type(admitted).__name__} was given", "Let trust.require admit the envelope first")
    if admitted.envelope.workload_fingerprint != workload.fingerprint:
        raise PlanError(who, "the admitted result answers another workload", "Pass the workload that was executed")
    if len(ids) != workload.n_bindings or len(set(ids)) != len(ids):
        raise PlanError(
            who, f"{len(set(ids))} distinct ids for {workload.n_bindings} bindings", "Give every binding its own id"
        )


def _kernel_data(admitted: AdmittedResult, workload: Workload) -> States | Overlaps:
    data = admitted.envelope.data
    if isinstance(data, Samples):
        raise PlanError(
            workload.label or workload.circuit.name,
            "was answered with samples, and a kernel is made of states or overlaps",
            "Plan the workload with kernels.plan",
        )
    return data


def _from_pairs(
    admitted: AdmittedResult,
    workload: Workload,
    ids: Sequence[str],
    *,
    rows: IntArray,
    columns: IntArray,
    parameters: Mapping[str, float] | None,
) -> KernelMatrix:
    envelope = admitted.envelope
    assert isinstance(envelope.data, Overlaps)
    assert workload.pairs is not None
    everything = np.full((workload.n_bindings, workload.n_bindings), np.nan)
    everything[workload.pairs[:, 0], workload.pairs[:, 1]] = envelope.data.p_zero
    values = _clipped(everything[np.ix_(rows, columns)])
    missing = int(np.count_nonzero(np.isnan(values)))
    if missing:
        raise PlanError(
            workload.label or workload.circuit.name,
            f"{missing} of {values.size} pairs were not in the workload",
            "Plan all rows and columns that the matrix needs",
        )
    shots = envelope.data.shots
    return KernelMatrix(
        values=values,
        row_ids=tuple(ids[i] for i in rows),
        column_ids=tuple(ids[j] for j in columns),
        kernel=workload.circuit.name,
        parameters=dict(parameters or {}),
        stderr=None if shots is None else standard_error(values, shots),
        symmetric=False,
        shots=shots,
        circuits_run=envelope.circuits_run,
        circuits_needed=envelope.circuits_needed,
    )


def _clipped(values: FloatArray) -> FloatArray:
    """Probabilities within 1e-12 outside [0, 1] are rounding; others stay for the checks to see."""
    noise = ((values < 0) & (values >= -1e-12)) | ((values > 1) & (values <= 1 + 1e-12))
    return np.where(noise, np.clip(values, 0, 1), values)
