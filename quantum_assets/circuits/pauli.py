"""The Pauli feature map: the strings of the spec, each of one to three letters, along the entanglement.

Strings of Z alone have a diagonal form; a string with X or Y has none, and such a map needs an engine that runs
circuits. With entanglement `none` only the one-letter strings act.
"""

from typing import TYPE_CHECKING

from quantum_assets.circuits.feature_map import FeatureMap, Terms, z_phases
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(spec: FeatureMapSpec, n_qubits: int) -> "QuantumCircuit":
    from qiskit.circuit.library import pauli_feature_map

    # With entanglement "none" only one-letter strings are left, and they act on every qubit whatever the word.
    entanglement = "full" if spec.entanglement == "none" else spec.entanglement
    return pauli_feature_map(n_qubits, reps=spec.reps, paulis=list(_acting(spec, n_qubits)), entanglement=entanglement)


def _diagonal(spec: FeatureMapSpec, angles: FloatArray) -> tuple[Terms, FloatArray] | None:
    acting = _acting(spec, angles.shape[1])
    if any(set(string) != {"Z"} for string in acting):
        return None
    return z_phases([len(string) for string in acting], spec.entanglement, angles)


def _acting(spec: FeatureMapSpec, n_qubits: int) -> tuple[str, ...]:
    """The strings that act: all of them, or the one-letter ones without entanglement; refused when they do not fit."""
    strings = tuple(spec.paulis or ())
    longest = max(map(len, strings), default=0)
    if longest > n_qubits and spec.entanglement != "none":
        raise PlanError(
            f"feature map {spec.name}: paulis",
            f"a string has {longest} letters for {n_qubits} qubit{'s' if n_qubits > 1 else ''}",
            "Use shorter strings, or prepare more qubits",
        )
    acting = tuple(s for s in strings if len(s) == 1) if spec.entanglement == "none" else strings
    if not acting:
        raise PlanError(
            f"feature map {spec.name}: paulis",
            f"entanglement 'none' leaves no string of {list(strings)}",
            "Add a one-letter string such as Z, or choose another entanglement",
        )
    return acting


PAULI = FeatureMap("Pauli expansion with chosen strings (Havlicek et al. 2019).", _circuit, _diagonal)
