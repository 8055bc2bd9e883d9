"""Faults of a circuit that would spoil a kernel, found before anything runs."""

from quantum_assets.circuits.archive import restore
from quantum_assets.contracts.profile import Guardrails
from quantum_assets.contracts.workload import CircuitArtifact

_BYTES_AN_AMPLITUDE = 16


def lint(artifact: CircuitArtifact, guardrails: Guardrails) -> tuple[str, ...]:
    """Every reason not to run a circuit as a feature map; empty when there is none.

    Args:
        artifact: The archived circuit.
        guardrails: The limits of the profile that it would run under.

    Returns:
        One sentence a fault: too wide, a state larger than the memory limit, no parameter to carry data, a parameter
        that the stored circuit lacks, a measurement or reset (which has no inverse), no gate at all.

    Raises:
        PlanError: When the artifact's QPY cannot be read or is another circuit.
    """
    found: list[str] = []
    if artifact.n_qubits > guardrails.max_qubits:
        found.append(f"{artifact.n_qubits} qubits exceed max_qubits {guardrails.max_qubits}")
    state = _BYTES_AN_AMPLITUDE << artifact.n_qubits
    if state > guardrails.max_memory_bytes:
        found.append(f"one state takes {state} bytes, over max_memory_bytes {guardrails.max_memory_bytes}")
    if not artifact.parameters:
        found.append("the circuit has no parameters, so every sample has the same state")
    circuit = restore(artifact)
    if tuple(parameter.name for parameter in circuit.parameters) != artifact.parameters:
        found.append("the stored circuit's parameters are not the ones listed")
    operations = circuit.count_ops()
    irreversible = [name for name in ("measure", "reset") if name in operations]
    if irreversible:
        found.append(f"{' and '.join(irreversible)} cannot be inverted; leave measuring to the provider")
    if not operations:
        found.append("the circuit has no gates")
    return tuple(found)
