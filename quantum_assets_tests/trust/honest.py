"""Honest envelopes for small questions, for tests to forge one thing at a time; contracts only."""

import numpy as np

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, Samples, States
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile, NoiseSpec
from quantum_assets.contracts.workload import CircuitArtifact, Workload

EXACT = ExecutionProfile(name="ideal", mode="ideal", providers=("fake",))
BINOMIAL = ExecutionProfile(name="sampled", mode="ideal", estimator="binomial", shots=1024, seed=5, providers=("fake",))
CIRCUITS = ExecutionProfile(name="circuits", mode="ideal", estimator="circuits", shots=100, seed=5, providers=("fake",))
NOISY = ExecutionProfile(
    name="noisy",
    mode="noisy",
    estimator="circuits",
    shots=100,
    seed=5,
    providers=("fake",),
    noise=NoiseSpec(depolarizing_2q=0.05, readout=0.02),
)

DEVICE = ExecutionProfile(
    name="device", mode="hardware", estimator="circuits", shots=100, reproducible=False, providers=("fake",)
)


def circuit(n_qubits: int = 2) -> CircuitArtifact:
    """Evidence of a circuit that nobody reads here."""
    return CircuitArtifact(
        name="fake-map",
        qpy=b"",
        qpy_version=13,
        qasm3="",
        drawing="",
        fingerprint=f"fake-{n_qubits}",
        n_qubits=n_qubits,
        parameters=tuple(f"x{i}" for i in range(n_qubits)),
        depth=3,
        two_qubit_gates=2,
    )


def states_workload(rows: int = 4, n_qubits: int = 2) -> Workload:
    """All states of a few rows."""
    angles = np.linspace(0.1, 1.0, rows * n_qubits).reshape(rows, n_qubits)
    return Workload(circuit(n_qubits), angles, "states", label="a question")


def overlaps_workload(rows: int = 3, n_qubits: int = 2) -> Workload:
    """All ordered pairs of a few rows."""
    angles = np.linspace(0.1, 1.0, rows * n_qubits).reshape(rows, n_qubits)
    pairs = np.argwhere(np.ones((rows, rows), dtype=bool))
    return Workload(circuit(n_qubits), angles, "overlaps", pairs=pairs, label="a question")


def samples_workload(rows: int = 3, n_qubits: int = 2) -> Workload:
    """Outcomes of a few rows."""
    angles = np.linspace(0.1, 1.0, rows * n_qubits).reshape(rows, n_qubits)
    return Workload(circuit(n_qubits), angles, "samples", label="a question")


def effective(profile: ExecutionProfile) -> EffectiveProfile:
    """What a provider that honours the profile reads back."""
    return EffectiveProfile(
        mode=profile.mode,
        estimator=profile.estimator,
        provider=profile.providers[0],
        engine="fake-engine",
        shots=profile.shots,
        seed=profile.seed,
        noise=profile.noise,
        transpilation=None,
    )


def random_states(rows: int, n_qubits: int, seed: int = 0) -> States:
    """Normalised random states."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(rows, 2**n_qubits)) + 1j * rng.normal(size=(rows, 2**n_qubits))
    return States(raw / np.linalg.norm(raw, axis=1, keepdims=True))


def honest_overlaps(workload: Workload, profile: ExecutionProfile) -> Overlaps:
    """Whole counts; 1 on the pairs (i, i) unless the profile is noisy."""
    assert workload.pairs is not None
    assert profile.shots is not None
    own = workload.pairs[:, 0] == workload.pairs[:, 1]
    counts = np.where(own, 80.0 if profile.noise else 100.0, 37.0)
    return Overlaps(counts / 100, profile.shots)


def honest_samples(workload: Workload, profile: ExecutionProfile) -> Samples:
    """Even coins, the same for the same workload, packed."""
    assert profile.shots is not None
    rng = np.random.default_rng(workload.n_bindings)
    bits = rng.integers(0, 2, (workload.n_bindings, profile.shots, workload.circuit.n_qubits))
    return Samples(np.packbits(bits, axis=-1, bitorder="little"), profile.shots)


def honest_data(workload: Workload, profile: ExecutionProfile) -> States | Overlaps | Samples:
    """What the workload asks for."""
    if workload.measure == "samples":
        return honest_samples(workload, profile)
    if workload.measure == "overlaps":
        return honest_overlaps(workload, profile)
    return random_states(workload.n_bindings, workload.circuit.n_qubits)


def envelope_for(
    workload: Workload, profile: ExecutionProfile, data: States | Overlaps | Samples | None = None
) -> ResultEnvelope:
    """An envelope in which everything is as asked."""
    sampled = workload.sampled
    data = honest_data(workload, profile) if data is None else data
    return ResultEnvelope(
        workload_fingerprint=workload.fingerprint,
        profile_fingerprint=profile.fingerprint,
        effective=effective(profile),
        data=data,
        crosscheck_difference=None if sampled else 1e-15,
        crosscheck_zscore=1.2 if sampled else None,
        circuits_run=workload.n_circuits if sampled else 0,
        circuits_needed=6,
        metrics={"compiled_difference": 1e-12} if profile.mode == "hardware" else {},
    )
