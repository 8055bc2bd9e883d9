"""Exact P(0…0) of overlap circuits from states: the classical answer to a question that circuits would sample.

`P(0…0) = |<0|U(b)† U(a)|0>|² = |<ψ_b|ψ_a>|²`. It is what falls back when circuits cannot be run: the same question, no
shots and no noise, and the envelope says so.
"""

from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray, Overlaps, ResultEnvelope, Timings
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.base import installed
from quantum_assets.providers.tile import qiskit_states, spread

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_CHUNK_BYTES = 32_000_000


def overlaps_of(amplitudes: ComplexArray, pairs: IntArray) -> FloatArray:
    """`|<ψ_b|ψ_a>|²` for every pair (a, b) of rows, shape `(n_pairs,)`; a few tens of megabytes at a time."""
    step = max(1, _CHUNK_BYTES // (32 * amplitudes.shape[1]))
    found = np.empty(len(pairs), dtype=np.float64)
    for start in range(0, len(pairs), step):
        first, second = amplitudes[pairs[start : start + step, 0]], amplitudes[pairs[start : start + step, 1]]
        found[start : start + step] = np.abs(np.einsum("ij,ij->i", second.conj(), first)) ** 2
    return found


def overlaps_envelope(
    workload: Workload,
    profile: ExecutionProfile,
    amplitudes: ComplexArray,
    circuit: "QuantumCircuit",
    *,
    provider: str,
    engine: str,
    seconds: float,
    packages: tuple[str, ...],
) -> ResultEnvelope:
    """Multiply states into overlaps, recompute a tile of pairs by Qiskit's Statevector, and say what was done.

    Args:
        workload: What was asked; it names pairs.
        profile: How.
        amplitudes: State of every binding, shape `(n_bindings, 2**n_qubits)`.
        circuit: The workload's circuit, restored.
        provider: Whose answer it is.
        engine: The method inside the provider.
        seconds: Wall seconds of the engine.
        packages: Distributions whose versions belong to the answer.
    """
    assert workload.pairs is not None
    values = overlaps_of(amplitudes, workload.pairs)
    tile = spread(len(values), profile.guardrails.crosscheck_rows)
    first, second = (qiskit_states(circuit, workload.bindings[workload.pairs[tile, side]]) for side in (0, 1))
    truth = np.abs(np.einsum("ij,ij->i", second.conj(), first)) ** 2
    return ResultEnvelope(
        workload_fingerprint=workload.fingerprint,
        profile_fingerprint=profile.fingerprint,
        effective=EffectiveProfile(
            mode="ideal",
            estimator="exact",
            provider=provider,
            engine=engine,
            shots=None,
            seed=None,
            noise=None,
            transpilation=None,
            versions=installed(*packages),
        ),
        data=Overlaps(values, None),
        crosscheck_difference=float(np.abs(values[tile] - truth).max()),
        crosscheck_zscore=None,
        circuits_run=0,
        circuits_needed=len(values),
        timings=Timings(run=seconds),
        metrics={"crosscheck_rows": float(len(tile))},
    )
