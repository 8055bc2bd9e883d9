"""Refuse a workload that breaks its profile's limits, from its sizes alone, before anything is started or spent."""

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload


def check_guardrails(workload: Workload, profile: ExecutionProfile) -> None:
    """Hold width, memory and number of circuits against the guardrails.

    Raises:
        PlanError: With the figure that breaks a limit, the limit and what to do.
    """
    limits = profile.guardrails
    who = f"{workload.label or workload.circuit.name} under profile {profile.name}"
    if workload.circuit.n_qubits > limits.max_qubits:
        raise PlanError(
            who,
            f"the circuit has {workload.circuit.n_qubits} qubits, the profile allows {limits.max_qubits}",
            "Reduce the number of qubits, or raise guardrails.max_qubits",
        )
    pairs = 0 if workload.pairs is None else len(workload.pairs)
    if pairs > limits.max_circuits:
        raise PlanError(
            who,
            f"{pairs} circuits are needed, the profile allows {limits.max_circuits}",
            "Use fewer rows, or raise guardrails.max_circuits",
        )
    memory = estimate_memory(workload, profile)
    if memory > limits.max_memory_bytes:
        raise PlanError(
            who,
            f"about {memory / 1e9:.3g} GB of memory is needed, the profile allows {limits.max_memory_bytes / 1e9:.3g}",
            "Use fewer rows or qubits, or raise guardrails.max_memory_bytes",
        )


def estimate_memory(workload: Workload, profile: ExecutionProfile) -> int:
    """Estimate the peak bytes of one run on a simulator.

    States are kept for every binding beside one working copy; overlaps are simulated one after the other, on a state
    vector or, under noise, on a density matrix, and leave three numbers a pair.
    """
    width = workload.circuit.n_qubits
    if workload.pairs is None:
        return 2 * 16 * workload.n_bindings * (1 << width)
    return 2 * 16 * (1 << (2 * width if profile.noise is not None else width)) + 3 * 8 * len(workload.pairs)
