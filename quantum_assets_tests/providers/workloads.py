"""Small workloads and profiles that the room's tests share."""

import numpy as np

from quantum_assets.circuits.archive import archive
from quantum_assets.circuits.build import build, diagonal_form
from quantum_assets.circuits.qaoa import ansatz
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec
from quantum_assets.contracts.qaoa import AnsatzSpec
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import CircuitArtifact, Workload

ZZ = FeatureMapSpec(kind="zz", reps=2, entanglement="linear")
YY = FeatureMapSpec(kind="pauli", reps=1, entanglement="linear", paulis=("Z", "YY"))
NOISE = NoiseSpec(depolarizing_1q=0.01, depolarizing_2q=0.03, amplitude_damping=0.02, readout=0.04)

IDEAL = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector", "aer"))
SAMPLED = ExecutionProfile(
    name="sampled", mode="ideal", estimator="binomial", shots=512, seed=5, providers=("statevector", "aer")
)
CIRCUITS = ExecutionProfile(
    name="circuits", mode="ideal", estimator="circuits", shots=512, seed=5, providers=("aer", "statevector")
)
NOISY = ExecutionProfile(
    name="noisy", mode="noisy", estimator="circuits", shots=512, seed=5, noise=NOISE, providers=("aer", "statevector")
)
DEVICE_NOISE = ExecutionProfile(
    name="device-noise",
    mode="noisy",
    estimator="circuits",
    shots=512,
    seed=5,
    noise=NoiseSpec(backend="fake_manila"),
    providers=("aer",),
)
MANAGED = ExecutionProfile(
    name="managed",
    mode="managed",
    estimator="circuits",
    shots=512,
    seed=5,
    backend="fake_manila",
    providers=("ibm",),
)
HARDWARE = ExecutionProfile(
    name="hardware",
    mode="hardware",
    estimator="circuits",
    shots=256,
    reproducible=False,
    backend="ibm_perth",
    providers=("ibm",),
)
SLOW = ExecutionProfile(
    name="slow",
    mode="managed",
    estimator="circuits",
    shots=256,
    seed=7,
    backend="rehearsal",
    providers=("remote",),
    asynchronous=True,
)


def angles(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.5, 3.0, (rows, width))


def states_workload(spec: FeatureMapSpec, rows: int, width: int) -> Workload:
    x = angles(rows, width)
    return Workload(build(spec, width), x, "states", diagonal=diagonal_form(spec, x))


def overlaps_workload(circuit: FeatureMapSpec | CircuitArtifact, rows: int, width: int, pairs=None) -> Workload:
    if pairs is None:
        pairs = [(i, j) for i in range(rows) for j in range(rows)]
    artifact = build(circuit, width) if isinstance(circuit, FeatureMapSpec) else circuit
    return Workload(artifact, angles(rows, width), "overlaps", pairs=np.array(pairs, dtype=np.int64))


def samples_workload(circuit: FeatureMapSpec | CircuitArtifact, rows: int, width: int) -> Workload:
    artifact = build(circuit, width) if isinstance(circuit, FeatureMapSpec) else circuit
    return Workload(artifact, angles(rows, len(artifact.parameters)), "samples")


def qaoa_circuit(width: int = 4, mixer: str = "x", layers: int = 1) -> CircuitArtifact:
    """An ansatz whose qubits all differ, so that an exchanged pair shows; with two ones for the xy mixers."""
    terms = tuple((i,) for i in range(width)) + tuple((i, i + 1) for i in range(width - 1)) + ((0, 1, width - 1),)
    ising = Ising(width, terms, np.linspace(-0.9, 1.1, len(terms)))
    start = {"initial": "dicke", "cardinality": 2} if mixer != "x" else {}
    return ansatz(ising, AnsatzSpec(layers=layers, mixer=mixer, **start))


def swapping_circuit() -> CircuitArtifact:
    """A circuit on three qubits whose swaps a compiler likes to replace by renaming qubits."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    x = ParameterVector("x", 3)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.ry(x[0], 1)
    circuit.swap(0, 1)
    circuit.cx(1, 2)
    circuit.rz(x[1], 2)
    circuit.swap(1, 2)
    circuit.rx(x[2], 0)
    return archive(circuit, "swapping")


def nested_circuit() -> CircuitArtifact:
    """A circuit made of a composite gate that no simulator knows by name."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    x = ParameterVector("x", 3)
    inner = QuantumCircuit(3, name="block")
    for qubit in range(3):
        inner.ry(x[qubit], qubit)
    inner.ccx(0, 1, 2)
    circuit = QuantumCircuit(3)
    circuit.append(inner.to_gate(), [2, 0, 1])
    circuit.h(1)
    return archive(circuit, "nested")
