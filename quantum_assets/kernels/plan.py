"""Turn feature map, bandwidth and prepared values into a `Workload`; refuse what is too large before any of it exists.

Exact and binomial profiles ask for the states of all rows, for a Gram matrix is then a product. Profiles that run
overlap circuits, and noisy ones, ask for pairs: every ordered pair and the diagonal, because a noisy kernel is neither
symmetric nor of unit diagonal.
"""

import math

import numpy as np

from quantum_assets.circuits.build import build, diagonal_form
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload


def plan(
    spec: FeatureMapSpec,
    bandwidth: float,
    values: FloatArray,
    profile: ExecutionProfile,
    *,
    rows: IntArray | None = None,
    columns: IntArray | None = None,
    label: str = "",
) -> Workload:
    """Ask for everything that the kernel matrix of these rows needs under this profile.

    Args:
        spec: The feature map; its own list of bandwidths is not looked at.
        bandwidth: Angles in radians are `bandwidth * values`; positive and finite.
        values: Prepared values, shape `(n, n_qubits)`, finite.
        profile: How it will be run; decides between states and pairs, and its guardrails are kept.
        rows: For profiles priced by pair: row numbers of `values` wanted as matrix rows; None: all.
        columns: The same for matrix columns; None: all.
        label: Whose question this is, for messages and logs.

    Raises:
        PlanError: Naming what is wrong, or the estimate that breaks a guardrail; nothing large was allocated.
    """
    who = label or spec.name
    if values.ndim != 2:
        raise PlanError(who, f"values have shape {values.shape}", "Give one row a sample and one column a qubit")
    n_samples, n_qubits = values.shape
    n_rows = n_samples if rows is None else len(rows)
    n_columns = n_samples if columns is None else len(columns)
    check_size(n_samples, n_qubits, profile, n_pairs=n_rows * n_columns, label=who)
    if asks_for_pairs(profile):
        return plan_overlaps(spec, bandwidth, values, rows=rows, columns=columns, label=label)
    return plan_states(spec, bandwidth, values, label=label)


def asks_for_pairs(profile: ExecutionProfile) -> bool:
    """Whether matrices under this profile are estimated pair by pair instead of multiplied from states."""
    return profile.pair_priced or profile.noise is not None


def plan_states(spec: FeatureMapSpec, bandwidth: float, values: FloatArray, *, label: str = "") -> Workload:
    """Ask for the state of every row, with the diagonal form riding along where the map has one."""
    angles = _angles(bandwidth, values, label or spec.name)
    circuit = build(spec, values.shape[1])
    return Workload(circuit, angles, "states", diagonal=diagonal_form(spec, angles), label=label)


def plan_overlaps(
    spec: FeatureMapSpec,
    bandwidth: float,
    values: FloatArray,
    *,
    rows: IntArray | None = None,
    columns: IntArray | None = None,
    label: str = "",
) -> Workload:
    """Ask for P(0…0) of every ordered (row, column), both triangles and the diagonal; row by row."""
    angles = _angles(bandwidth, values, label or spec.name)
    every = np.arange(len(values))
    wanted = np.meshgrid(every if rows is None else rows, every if columns is None else columns, indexing="ij")
    pairs = np.stack([axis.ravel() for axis in wanted], axis=1).astype(np.int64)
    diagonal = diagonal_form(spec, angles)
    return Workload(build(spec, values.shape[1]), angles, "overlaps", pairs=pairs, diagonal=diagonal, label=label)


def estimate_memory(n_rows: int, n_qubits: int) -> int:
    """Estimate the peak bytes of an exact Gram matrix: states, their two working copies, the matrix and its errors.

    States are complex128, `16 * n_rows * 2**n_qubits` bytes, thrice; the matrix is float64, `8 * n_rows**2`, thrice.
    """
    return 3 * 16 * n_rows * (1 << n_qubits) + 3 * 8 * n_rows**2


def most_rows(memory_bytes: int, n_qubits: int) -> int:
    """Largest number of rows whose `estimate_memory` stays within a budget: the positive root of its quadratic."""
    states, entries = 3 * 16 * 2**n_qubits, 3 * 8
    return max(0, int((math.sqrt(states**2 + 4 * entries * memory_bytes) - states) / (2 * entries)))


def check_size(
    n_samples: int,
    n_qubits: int,
    profile: ExecutionProfile,
    *,
    n_pairs: int | None = None,
    label: str = "kernel",
) -> None:
    """Refuse a kernel that breaks a guardrail of the profile, from its sizes alone.

    Args:
        n_samples: Rows of the Gram matrix.
        n_qubits: Width of the circuit.
        profile: Whose guardrails hold.
        n_pairs: Pairs that would be run under a profile priced by pair; None: all `n_samples**2`.
        label: Whose kernel, for the message.

    Raises:
        PlanError: With the estimate, the limit and what to do.
    """
    limits = profile.guardrails
    who = f"{label}: {n_samples} samples on {n_qubits} qubits under profile {profile.name}"
    if n_qubits > limits.max_qubits:
        raise PlanError(who, f"the profile allows {limits.max_qubits} qubits", "Reduce preparation.qubits")
    by_pairs = asks_for_pairs(profile)
    circuits = (n_samples**2 if n_pairs is None else n_pairs) if by_pairs else 0
    if circuits > limits.max_circuits:
        raise PlanError(
            who,
            f"{circuits} overlap circuits are needed, the profile allows {limits.max_circuits}",
            "Lower guardrails.max_samples or source.max_samples, or use an exact or binomial profile",
        )
    memory = 5 * 8 * circuits if by_pairs else estimate_memory(n_samples, n_qubits)
    if memory > limits.max_memory_bytes:
        needed, allowed = memory / 1e9, limits.max_memory_bytes / 1e9
        raise PlanError(
            who,
            f"about {needed:.3g} GB of memory is needed, the profile allows {allowed:.3g} GB",
            "Set source.max_samples to use fewer rows, or raise guardrails.max_memory_bytes",
        )


def _angles(bandwidth: float, values: FloatArray, who: str) -> FloatArray:
    if not (math.isfinite(bandwidth) and bandwidth > 0):
        raise PlanError(who, f"bandwidth is {bandwidth}", "Use a positive, finite bandwidth")
    return np.ascontiguousarray(bandwidth * values, dtype=np.float64)
