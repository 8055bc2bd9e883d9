"""What to run: a circuit, the parameter bindings and what is measured; no machine in it.

The circuit travels as an archive (QPY bytes and OpenQASM 3 text), so that providers need not know the room that wrote
it and nothing here speaks Qiskit. A `DiagonalForm` may ride along: the same circuit family as phases of a
(diagonal · Hadamard) circuit, which an exact engine can batch; it is a claim, and every use of it is cross-checked
against the circuit.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Measure = Literal["states", "overlaps", "samples"]


@dataclass(frozen=True)
class CircuitArtifact:
    """A parameterised circuit as stored evidence.

    Attributes:
        name: Human name, for example ``zz-linear-r2``.
        qpy: QPY bytes written with an explicit version (`qpy_version`), parameters unbound.
        qpy_version: The QPY format version of `qpy`.
        qasm3: OpenQASM 3 text; for people and diffs (it drops the global phase).
        drawing: Text drawing.
        fingerprint: Canonical hash of the circuit: gates, qubits and parameter expressions; not of names or bytes.
        n_qubits: Width.
        parameters: Parameter names in binding order.
        depth: Depth after decomposition to one- and two-qubit gates.
        two_qubit_gates: Their number after that decomposition.
        operations: Names of the operations after that decomposition, sorted.
    """

    name: str = field(metadata={"identity": False})
    qpy: bytes = field(metadata={"identity": False}, repr=False)
    qpy_version: int = field(metadata={"identity": False})
    qasm3: str = field(metadata={"identity": False}, repr=False)
    drawing: str = field(metadata={"identity": False}, repr=False)
    fingerprint: str
    n_qubits: int
    parameters: tuple[str, ...] = field(metadata={"identity": False})
    depth: int = field(metadata={"identity": False})
    two_qubit_gates: int = field(metadata={"identity": False})
    operations: tuple[str, ...] = field(default=(), metadata={"identity": False})

    @property
    def qpy_digest(self) -> str:
        """sha256 of `qpy`, for whoever sends or receives it."""
        return hashlib.sha256(self.qpy).hexdigest()


@dataclass(frozen=True, eq=False)
class DiagonalForm:
    """A batch of circuits `(D(φ) H^⊗n)^reps |0…0⟩` as their phases.

    `D(φ) = diag(exp(i Σ_t φ_t · parity_t(z)))`, where `parity_t(z)` is 1 when the bits of z on the qubits of term t
    have odd sum (qubit 0 is the least significant bit), which is Qiskit's `P(φ)` conjugated by CX gates.

    Attributes:
        reps: Number of (H, D) layers, at least 1.
        terms: Qubits of each diagonal term, `n_terms` tuples.
        phases: Radians, shape `(n_bindings, n_terms)`; the same in every layer.
    """

    reps: int
    terms: tuple[tuple[int, ...], ...]
    phases: FloatArray

    def __post_init__(self) -> None:
        if self.reps < 1:
            raise PlanError("DiagonalForm.reps", f"is {self.reps}", "Use at least one repetition")
        if self.phases.ndim != 2 or self.phases.shape[1] != len(self.terms):
            raise PlanError(
                "DiagonalForm.phases",
                f"has shape {self.phases.shape} for {len(self.terms)} terms",
                "Give one column a term",
            )


@dataclass(frozen=True, eq=False)
class Workload:
    """One question for a provider.

    Attributes:
        circuit: The parameterised circuit.
        bindings: Parameter values in radians, shape `(n_bindings, n_params)`, finite.
        measure: `states`: the state of every binding; `samples`: outcomes of measuring every qubit, for every binding;
            `overlaps`: P(0…0) of U(b)† U(a)|0…0⟩ for every pair (a, b).
        pairs: For `overlaps`: rows of `bindings`, shape `(n_pairs, 2)`; None for the others.
        diagonal: The same bindings in diagonal form, if the family has one.
        label: Whose question this is, for logs; not part of its identity.
    """

    circuit: CircuitArtifact
    bindings: FloatArray
    measure: Measure
    pairs: IntArray | None = None
    diagonal: DiagonalForm | None = field(default=None, metadata={"identity": False})
    label: str = field(default="", metadata={"identity": False})

    def __post_init__(self) -> None:
        shape, wanted = self.bindings.shape, len(self.circuit.parameters)
        if self.bindings.ndim != 2 or shape[0] < 1 or shape[1] != wanted:
            raise PlanError(
                f"workload {self.label or self.circuit.name}",
                f"bindings have shape {shape} for {wanted} parameters",
                "Give one row a binding and one column a parameter",
            )
        if not np.isfinite(self.bindings).all():
            raise PlanError(
                f"workload {self.label or self.circuit.name}",
                "bindings hold NaN or infinite angles",
                "Clean or impute the data before encoding",
            )
        if (self.measure == "overlaps") != (self.pairs is not None):
            raise PlanError(
                f"workload {self.label or self.circuit.name}",
                f"measure '{self.measure}' with pairs {'given' if self.pairs is not None else 'missing'}",
                "Give pairs for 'overlaps', and for nothing else",
            )
        if self.pairs is not None and (
            self.pairs.ndim != 2 or self.pairs.shape[1] != 2 or (self.pairs >= shape[0]).any() or (self.pairs < 0).any()
        ):
            raise PlanError(
                f"workload {self.label or self.circuit.name}",
                f"pairs of shape {self.pairs.shape} do not index {shape[0]} bindings",
                "Give row numbers of bindings, two a pair",
            )
        if self.diagonal is not None and self.diagonal.phases.shape[0] != shape[0]:
            raise PlanError(
                f"workload {self.label or self.circuit.name}",
                f"the diagonal form has {self.diagonal.phases.shape[0]} rows for {shape[0]} bindings",
                "Encode the same rows twice",
            )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the question: circuit, bindings, pairs and measure."""
        return fingerprint("workload/v1", self)

    @property
    def n_bindings(self) -> int:
        """Number of parameter rows."""
        return int(self.bindings.shape[0])

    @property
    def n_circuits(self) -> int:
        """Circuits that a device would run for it: one a pair, or one a binding."""
        return self.n_bindings if self.pairs is None else len(self.pairs)

    @property
    def sampled(self) -> bool:
        """Whether its circuits end in measurements, so that they cost shots on a device: all but `states`."""
        return self.measure != "states"
