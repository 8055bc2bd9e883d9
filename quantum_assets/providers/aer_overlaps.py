"""P(0…0) of overlap circuits through Aer's sampler, and their exact values on a tile.

Every batch of pairs has a seed of its own, derived from the profile's seed, the workload and the batch's number; inside
a batch Aer gives each pair a further one. A pair asked for twice is therefore drawn twice, and the same workload gives
the same draws again. Draws are not stable when a pair moves to another workload: one run a pair would cost several
times as much, because Aer converts the noise model anew in every run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.envelope import Timings
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import Calibration
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec, Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.aer_states import binds
from quantum_assets.providers.compiled import compiled_overlap, compiled_size, ideal_overlaps
from quantum_assets.providers.device_noise import DeviceNoise
from quantum_assets.providers.fakes import calibration_of, fake_backend
from quantum_assets.providers.noise import noise_in_force, noise_model, zero_with_readout
from quantum_assets.providers.overlap import OverlapCircuit, overlap_circuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import spread

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit_aer import AerSimulator

_BATCH_PAIRS = 256
_BATCH_SHOTS = 500_000  # Aer keeps some 60 bytes a shot until the batch is packed


@dataclass(frozen=True, eq=False)
class OverlapRun:
    """What one run of overlap circuits gave, read back from it.

    Attributes:
        p_zero: Share of all-zero outcomes a pair.
        shots: Shots behind each, from the samples.
        noise: What the simulator was seen to apply; None for none.
        engine: Aer's method.
        simulator: Aer's own name of the simulator.
        transpilation: How the circuit was compiled.
        zscore: Largest deviation from the exact values on the tile, in standard errors.
        timings: Compilation and sampling.
        metrics: Tile size, compiled size, and the compiled circuit's distance from the workload's.
        calibration: What the backend was like that the noise was taken from; None where there is none.
    """

    p_zero: FloatArray
    shots: int
    noise: NoiseSpec | None
    engine: str
    simulator: str
    transpilation: Transpilation
    zscore: float
    timings: Timings
    metrics: dict[str, float]
    calibration: Calibration | None


@dataclass(frozen=True, eq=False)
class Setup:
    """A compiled overlap circuit and the simulator that it runs on.

    Attributes:
        overlap: The circuit.
        compact: The same circuit on as few qubits as it needs.
        simulator: What the sampler runs on.
        transpilation: How it was compiled.
        noise: Which noise the simulator was seen to apply.
        exact: Exact noisy P(0…0) for rows of parameter values, by a simulator made anew; None without noise.
        calibration: Of the backend that it was compiled for; None where there is none.
    """

    overlap: OverlapCircuit
    compact: "QuantumCircuit"
    simulator: "AerSimulator"
    transpilation: Transpilation
    noise: NoiseSpec | None
    exact: Callable[[FloatArray], FloatArray] | None
    calibration: Calibration | None = None


def run_overlaps(
    workload: Workload, pairs: IntArray, shots: int, profile: ExecutionProfile, replicate: int = 0
) -> OverlapRun:
    """Compile, check the compiled circuit, sample every pair, and judge a tile by exact values.

    Raises:
        ProviderError: When the compiled circuit is not the workload's, or the simulator's noise is neither the
            profile's nor absent.
    """
    started = perf_counter()
    setup = prepared(workload, profile)
    compiled = perf_counter()
    overlap = setup.overlap
    tile = spread(len(pairs), profile.guardrails.crosscheck_rows)
    ideal, difference = ideal_overlaps(workload, pairs[tile], overlap, setup.compact)
    values = overlap.values(workload.bindings, pairs)
    sampling = perf_counter()
    question = sampled_question(workload, replicate)
    p_zero, returned = sampled_zeros(setup.simulator, overlap.measured(), values, shots, profile.seed, question)
    sampled = perf_counter()
    truth = ideal if setup.exact is None else setup.exact(values[tile])
    return OverlapRun(
        p_zero,
        returned,
        setup.noise,
        str(setup.simulator.options.method),
        str(setup.simulator.name),
        setup.transpilation,
        zscore(p_zero[tile], truth, returned),
        Timings(transpile=compiled - started, run=sampled - sampling),
        {
            "crosscheck_rows": float(len(tile)),
            "compiled_difference": difference,
            **compiled_size(overlap.circuit),
        },
        setup.calibration,
    )


def sampled_question(workload: Workload, replicate: int) -> str:
    """What seeds are derived from, besides the profile's seed: another workload or replicate draws other samples."""
    return workload.fingerprint if replicate == 0 else f"{workload.fingerprint}/{replicate}"


def prepared(workload: Workload, profile: ExecutionProfile) -> Setup:
    """Compile for the simulator's basis gates, or for the backend that the noise is taken from, and probe the noise."""
    circuit = circuit_of(workload.circuit)
    noise = profile.noise
    if noise is not None and noise.backend is not None:
        return _on_backend(circuit, profile, noise, noise.backend)
    overlap = overlap_circuit(circuit, profile.transpilation)
    simulator = simulator_for(profile)
    basis = profile.transpilation.basis_gates
    return Setup(
        overlap,
        overlap.circuit,
        simulator,
        profile.transpilation,
        noise_in_force(simulator, overlap.gates, noise),
        None if noise is None else lambda values: exact_zeros(overlap.circuit, values, noise, basis),
    )


def _on_backend(circuit: "QuantumCircuit", profile: ExecutionProfile, noise: NoiseSpec, name: str) -> Setup:
    device = DeviceNoise(fake_backend(name))
    overlap = compiled_overlap(circuit, device.backend, profile.transpilation)
    simulator = device.simulator()
    device.require_in_force(simulator, overlap)
    return Setup(
        overlap,
        overlap.compact,
        simulator,
        overlap.transpilation,
        noise.model_copy(update={"backend": str(device.backend.name)}),
        lambda values: device.exact_zeros(overlap, values),
        calibration_of(device.backend),
    )


def simulator_for(profile: ExecutionProfile) -> "AerSimulator":
    """A one-thread Aer simulator: state vectors without noise, density matrices with the profile's noise."""
    from qiskit_aer import AerSimulator

    if profile.noise is None:
        return AerSimulator(method="statevector", max_parallel_threads=1)
    model = noise_model(profile.noise, profile.transpilation.basis_gates)
    return AerSimulator(method="density_matrix", noise_model=model, max_parallel_threads=1)


def sampled_zeros(
    simulator: "AerSimulator", measured: "QuantumCircuit", values: FloatArray, shots: int, seed: int, question: str
) -> tuple[FloatArray, int]:
    """Share of all-zero outcomes of every pair, and the shots that the sampler really returned.

    Args:
        simulator: What the sampler runs on.
        measured: The overlap circuit, measured into `meas`.
        values: Parameter values in radians, shape `(n_pairs, n_parameters)`.
        shots: Shots a pair.
        seed: The profile's seed.
        question: Fingerprint of the workload, so that different workloads draw independently.

    Returns:
        Shares in [0, 1], shape `(n_pairs,)`, and the number of shots behind each.
    """
    from qiskit_aer.primitives import SamplerV2

    step = max(1, min(_BATCH_PAIRS, _BATCH_SHOTS // shots))
    shares: list[FloatArray] = []
    returned: set[int] = set()
    for number, start in enumerate(range(0, len(values), step)):
        sampler = SamplerV2.from_backend(simulator, seed=batch_seed(seed, question, number))
        bits = sampler.run([(measured, values[start : start + step])], shots=shots).result()[0].data.meas
        # Packed bytes, shape (pairs, shots, bytes): an outcome is all zeros when no byte is set.
        shares.append(np.asarray(1.0 - bits.array.any(axis=-1).mean(axis=-1), dtype=np.float64))
        returned.add(bits.num_shots)
    if len(returned) != 1:
        raise ProviderError("provider aer", f"batches came back with {sorted(returned)} shots", "Report this")
    return np.concatenate(shares), returned.pop()


def batch_seed(seed: int, question: str, number: int) -> int:
    """The seed of one batch: 62 bits, different for every seed, workload and batch."""
    return int(fingerprint("aer-batch/v1", seed, question, number)[:16], 16) >> 2


def exact_zeros(circuit: "QuantumCircuit", values: FloatArray, noise: NoiseSpec, basis: tuple[str, ...]) -> FloatArray:
    """Exact noisy P(0…0) of a few overlap circuits by Aer's density matrix, readout flips included.

    The noise model is made anew here, so that a sampler which lost its noise is found out.
    """
    from qiskit_aer import AerSimulator

    prepared = circuit.copy()
    prepared.save_probabilities()
    simulator = AerSimulator(
        method="density_matrix", noise_model=noise_model(noise, basis), max_parallel_threads=1, shots=1
    )
    result = simulator.run(prepared, parameter_binds=binds(prepared, values)).result()
    if not result.success:
        raise ProviderError("provider aer", f"the cross-check failed: {result.status}", "Use fewer qubits")
    rows = np.array([result.data(index)["probabilities"] for index in range(len(values))], dtype=np.float64)
    return zero_with_readout(rows, noise.readout)


def zscore(estimate: FloatArray, truth: FloatArray, shots: int) -> float:
    """Largest deviation in binomial standard errors; the variance is floored at 1/shots, for values near 0 or 1."""
    variance = np.maximum(truth * (1 - truth), 1 / shots) / shots
    return float(np.abs((estimate - truth) / np.sqrt(variance)).max())
