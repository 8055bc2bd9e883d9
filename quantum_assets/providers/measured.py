"""The two measures that circuits are run for, side by side: `overlaps` and `samples`.

Both are measured circuits; they differ in which circuit is compiled, in what is kept of the outcomes (the share of
all-zero ones, or every shot), and in what a tile of it is held against. A provider runs circuits and asks here for the
rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.envelope import Overlaps, PackedBits, Samples
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import ExecutionProfile, Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.base import memory_fault
from quantum_assets.providers.compiled import compiled_overlap, compiled_sample, ideal_outcomes, ideal_overlaps
from quantum_assets.providers.compiled_circuit import CompiledCircuit, basis_circuit
from quantum_assets.providers.overlap import overlap_circuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.samples import samples_zscore, zero_shares
from quantum_assets.providers.tile import spread

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

#: What is kept of a batch of packed outcomes, one row a circuit.
Keep = Callable[[PackedBits], npt.NDArray[Any]]


def circuits_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    """Why a question is not one for measured circuits, whoever runs them; None when it is."""
    if profile.estimator != "circuits":
        return f"it runs circuits, and the profile's estimator is {profile.estimator}"
    if not workload.sampled:
        return f"it samples circuits for overlaps and samples, and the workload measures {workload.measure}"
    if not workload.n_circuits:
        return "the workload names no pairs"
    return None if workload.circuit.parameters else "the circuit has no parameters to bind"


def samples_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    """Why the shots of a workload, and the tile that they are checked on, do not fit in memory; None when they do."""
    if workload.measure != "samples":
        return None
    width = workload.circuit.n_qubits
    kept = 2 * workload.n_bindings * (profile.shots or 0) * -(-width // 8)
    # per row of the tile: two states, and what their probabilities and parities are made from
    tile = 64 * min(workload.n_bindings, profile.guardrails.crosscheck_rows) * 2**width
    return memory_fault(kept + tile, profile.guardrails.max_memory_bytes)


def compiled_for(
    workload: Workload, transpilation: Transpilation, backend: "BackendV2 | None" = None
) -> CompiledCircuit:
    """Compile what is to be measured: to the basis gates, or for a backend.

    Raises:
        ProviderError: When the circuit cannot be read, or the compiler left what cannot run there.
    """
    circuit, overlaps = circuit_of(workload.circuit), workload.measure == "overlaps"
    if backend is None:
        return (overlap_circuit if overlaps else basis_circuit)(circuit, transpilation)
    return (compiled_overlap if overlaps else compiled_sample)(circuit, backend, transpilation)


@dataclass(frozen=True, eq=False)
class Tile:
    """A few circuits of a workload and what they ideally give.

    Attributes:
        rows: Which circuits, ascending.
        ideal: Of overlaps P(0…0), shape `(n,)`; of samples outcome probabilities, shape `(n, 2**n_qubits)`.
        difference: How far the compiled circuit is from that: largest difference, or total variation distance.
    """

    rows: IntArray
    ideal: FloatArray
    difference: float


def checked_tile(workload: Workload, compiled: CompiledCircuit, profile: ExecutionProfile) -> Tile:
    """Hold the compiled circuit against the workload's own on a tile, by exact states.

    Raises:
        ProviderError: When they differ by more than 1e-8.
    """
    rows = spread(workload.n_circuits, profile.guardrails.crosscheck_rows)
    if workload.pairs is not None:
        return Tile(rows, *ideal_overlaps(workload, workload.pairs[rows], compiled, compiled.compact))
    return Tile(rows, *ideal_outcomes(workload, rows, compiled, compiled.compact))


def kept_of(workload: Workload) -> Keep:
    """What is kept of outcomes: the share of all-zero ones for overlaps, everything for samples."""
    return zero_shares if workload.measure == "overlaps" else np.asarray


def data_of(workload: Workload, kept: npt.NDArray[Any], shots: int) -> Overlaps | Samples:
    """What was kept, as the data of an envelope."""
    return Overlaps(kept, shots) if workload.measure == "overlaps" else Samples(kept, shots)


def expected(workload: Workload, probabilities: FloatArray) -> FloatArray:
    """What outcome probabilities, shape `(n, 2**n_qubits)`, say about what was kept, in the form of `Tile.ideal`."""
    return probabilities[:, 0] if workload.measure == "overlaps" else probabilities


def deviation(data: Overlaps | Samples, rows: IntArray, truth: FloatArray) -> float:
    """Largest deviation of a tile from exact values, in standard errors.

    Args:
        data: All outcomes.
        rows: The tile.
        truth: In the form of `Tile.ideal`.

    Raises:
        ProviderError: For probabilities that nobody sampled.
    """
    if isinstance(data, Samples):
        return samples_zscore(data.packed[rows], truth)
    if data.shots is None:
        raise ProviderError("overlaps", "have no shots to be judged by", "Report this")
    return zscore(data.p_zero[rows], truth, data.shots)


def zscore(estimate: FloatArray, truth: FloatArray, shots: int) -> float:
    """Largest deviation in binomial standard errors; the variance is floored at 1/shots, for values near 0 or 1."""
    variance = np.maximum(truth * (1 - truth), 1 / shots) / shots
    return float(np.abs((estimate - truth) / np.sqrt(variance)).max())
