"""The envelope of a states answer, whichever engine made it: a tile recomputed from the circuit, and what was done."""

from typing import TYPE_CHECKING

from quantum_assets.contracts.envelope import ComplexArray, ResultEnvelope, States, Timings
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import all_pairs, installed
from quantum_assets.providers.tile import qiskit_states, spread, states_difference

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def states_envelope(
    workload: Workload,
    profile: ExecutionProfile,
    amplitudes: ComplexArray,
    circuit: "QuantumCircuit",
    *,
    provider: str,
    engine: str,
    circuits_run: int,
    seconds: float,
    packages: tuple[str, ...],
) -> ResultEnvelope:
    """Recompute a tile of the states by Qiskit's Statevector and say what was done.

    Under estimator `binomial` shots and seed are those of the draw that follows where kernels are sampled.

    Args:
        workload: What was asked.
        profile: How.
        amplitudes: The engine's answer, shape `(n_bindings, 2**n_qubits)`.
        circuit: The workload's circuit, restored.
        provider: Whose answer it is.
        engine: The method inside the provider.
        circuits_run: Circuits that the engine really simulated.
        seconds: Wall seconds of the engine.
        packages: Distributions whose versions belong to the answer.
    """
    rows = spread(workload.n_bindings, profile.guardrails.crosscheck_rows)
    reference = qiskit_states(circuit, workload.bindings[rows])
    sampled = profile.estimator == "binomial"
    return ResultEnvelope(
        workload_fingerprint=workload.fingerprint,
        profile_fingerprint=profile.fingerprint,
        effective=EffectiveProfile(
            mode="ideal",
            estimator="binomial" if sampled else "exact",
            provider=provider,
            engine=engine,
            shots=profile.shots if sampled else None,
            seed=profile.seed if sampled else None,
            noise=None,
            transpilation=None,
            versions=installed(*packages),
        ),
        data=States(amplitudes),
        crosscheck_difference=states_difference(amplitudes[rows], reference),
        crosscheck_zscore=None,
        circuits_run=circuits_run,
        circuits_needed=all_pairs(workload.n_bindings),
        timings=Timings(run=seconds),
        metrics={"crosscheck_rows": float(len(rows))},
    )
