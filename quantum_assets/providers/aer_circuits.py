"""Measured circuits through Aer's sampler, and exact values on a tile.

Every batch of circuits has a seed of its own, derived from the profile's seed, the workload and the batch's number;
inside a batch Aer gives each circuit a further one. What is asked for twice is therefore drawn twice, and the same
workload gives the same draws again. Draws are not stable when a pair or binding moves to another workload: one run a
circuit would cost several times as much, because Aer converts the noise model anew in every run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.envelope import Overlaps, Samples, Timings
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import Calibration
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec
from quantum_assets.contracts.workload import FloatArray, Workload
from quantum_assets.providers.aer_states import saved_probabilities
from quantum_assets.providers.compiled import compiled_size
from quantum_assets.providers.compiled_circuit import CompiledCircuit
from quantum_assets.providers.device_noise import DeviceNoise
from quantum_assets.providers.fakes import calibration_of, fake_backend
from quantum_assets.providers.measured import (
    Keep,
    checked_tile,
    compiled_for,
    data_of,
    deviation,
    expected,
    kept_of,
)
from quantum_assets.providers.noise import flips, noise_in_force, noise_model
from quantum_assets.providers.samples import little_endian, with_readout

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit_aer import AerSimulator

_BATCH_CIRCUITS = 256
_BATCH_SHOTS = 500_000  # Aer keeps some 60 bytes a shot until the batch is packed


@dataclass(frozen=True, eq=False)
class CircuitsRun:
    """What one run of measured circuits gave, read back from it.

    Attributes:
        data: The outcomes, with the shots behind each, from the samples.
        shots: Those shots.
        setup: What ran.
        zscore: Largest deviation from the exact values on the tile, in standard errors.
        timings: Compilation and sampling.
        metrics: Tile size, compiled size, and the compiled circuit's distance from the workload's.
    """

    data: Overlaps | Samples
    shots: int
    setup: "Setup"
    zscore: float
    timings: Timings
    metrics: dict[str, float]


@dataclass(frozen=True, eq=False)
class Setup:
    """A compiled circuit and the simulator that it runs on.

    Attributes:
        compiled: The circuit.
        simulator: What the sampler runs on.
        noise: Which noise the simulator was seen to apply.
        exact: Exact noisy outcome probabilities for rows of parameter values, by a simulator made anew; None without
            noise.
        calibration: Of the backend that it was compiled for; None where there is none.
    """

    compiled: CompiledCircuit
    simulator: "AerSimulator"
    noise: NoiseSpec | None
    exact: Callable[[FloatArray], FloatArray] | None
    calibration: Calibration | None = None


def run_circuits(workload: Workload, shots: int, profile: ExecutionProfile, replicate: int = 0) -> CircuitsRun:
    """Compile, check the compiled circuit, sample every pair or binding, and judge a tile by exact values.

    Raises:
        ProviderError: When the compiled circuit is not the workload's, or the simulator's noise is neither the
            profile's nor absent.
    """
    started = perf_counter()
    setup = prepared(workload, profile)
    ready = perf_counter()
    compiled = setup.compiled
    tile = checked_tile(workload, compiled, profile)
    values = compiled.values(workload.bindings, workload.pairs)
    sampling = perf_counter()
    question = sampled_question(workload, replicate)
    kept, returned = sampled(
        setup.simulator, compiled.measured(), values, shots, profile.seed, question, kept_of(workload)
    )
    done = perf_counter()
    data = data_of(workload, kept, returned)
    truth = tile.ideal if setup.exact is None else expected(workload, setup.exact(values[tile.rows]))
    return CircuitsRun(
        data,
        returned,
        setup,
        deviation(data, tile.rows, truth),
        Timings(transpile=ready - started, run=done - sampling),
        {
            "crosscheck_rows": float(len(tile.rows)),
            "compiled_difference": tile.difference,
            **compiled_size(compiled.circuit),
        },
    )


def sampled_question(workload: Workload, replicate: int) -> str:
    """What seeds are derived from, besides the profile's seed: another workload or replicate draws other samples."""
    return workload.fingerprint if replicate == 0 else f"{workload.fingerprint}/{replicate}"


def prepared(workload: Workload, profile: ExecutionProfile) -> Setup:
    """Compile for the simulator's basis gates, or for the backend that the noise is taken from, and probe the noise."""
    noise = profile.noise
    if noise is not None and noise.backend is not None:
        return _on_backend(workload, profile, noise, noise.backend)
    compiled = compiled_for(workload, profile.transpilation)
    simulator = simulator_for(profile)
    return Setup(
        compiled,
        simulator,
        noise_in_force(simulator, compiled.gates, noise),
        None if noise is None else lambda values: exact_outcomes(compiled, values, noise),
    )


def _on_backend(workload: Workload, profile: ExecutionProfile, noise: NoiseSpec, name: str) -> Setup:
    device = DeviceNoise(fake_backend(name))
    compiled = compiled_for(workload, profile.transpilation, device.backend)
    simulator = device.simulator()
    device.require_in_force(simulator, compiled)
    return Setup(
        compiled,
        simulator,
        noise.model_copy(update={"backend": str(device.backend.name)}),
        lambda values: device.exact_outcomes(compiled, values),
        calibration_of(device.backend),
    )


def simulator_for(profile: ExecutionProfile) -> "AerSimulator":
    """A one-thread Aer simulator: state vectors without noise, density matrices with the profile's noise."""
    from qiskit_aer import AerSimulator

    if profile.noise is None:
        return AerSimulator(method="statevector", max_parallel_threads=1)
    model = noise_model(profile.noise, profile.transpilation.basis_gates)
    return AerSimulator(method="density_matrix", noise_model=model, max_parallel_threads=1)


def sampled(
    simulator: "AerSimulator",
    measured: "QuantumCircuit",
    values: FloatArray,
    shots: int,
    seed: int,
    question: str,
    keep: Keep,
) -> tuple[npt.NDArray[Any], int]:
    """What is kept of the outcomes of every circuit, and the shots that the sampler really returned.

    Args:
        simulator: What the sampler runs on.
        measured: The compiled circuit, measured into `meas`.
        values: Parameter values in radians, shape `(n_circuits, n_parameters)`.
        shots: Shots a circuit.
        seed: The profile's seed.
        question: Fingerprint of the workload, so that different workloads draw independently.
        keep: What is kept of packed outcomes.

    Returns:
        One row a circuit, and the number of shots behind each.
    """
    from qiskit_aer.primitives import SamplerV2

    step = max(1, min(_BATCH_CIRCUITS, _BATCH_SHOTS // shots))
    kept: list[npt.NDArray[Any]] = []
    returned: set[int] = set()
    for number, start in enumerate(range(0, len(values), step)):
        sampler = SamplerV2.from_backend(simulator, seed=batch_seed(seed, question, number))
        bits = sampler.run([(measured, values[start : start + step])], shots=shots).result()[0].data.meas
        kept.append(keep(little_endian(bits.array)))
        returned.add(bits.num_shots)
    if len(returned) != 1:
        raise ProviderError("provider aer", f"batches came back with {sorted(returned)} shots", "Report this")
    return np.concatenate(kept), returned.pop()


def batch_seed(seed: int, question: str, number: int) -> int:
    """The seed of one batch: 62 bits, different for every seed, workload and batch."""
    return int(fingerprint("aer-batch/v1", seed, question, number)[:16], 16) >> 2


def exact_outcomes(compiled: CompiledCircuit, values: FloatArray, noise: NoiseSpec) -> FloatArray:
    """Exact noisy outcome probabilities of a few circuits by Aer's density matrix, readout flips included.

    The noise model is made anew here, so that a sampler which lost its noise is found out.

    Args:
        compiled: Compiled to basis gates.
        values: Parameter values in radians, shape `(n, n_parameters)`.
        noise: By probabilities.

    Returns:
        Shape `(n, 2**n_qubits)`, little-endian.
    """
    from qiskit_aer import AerSimulator

    prepared = compiled.circuit.copy()
    prepared.save_probabilities(list(compiled.landed))
    model = noise_model(noise, compiled.transpilation.basis_gates)
    simulator = AerSimulator(method="density_matrix", noise_model=model, max_parallel_threads=1, shots=1)
    return with_readout(saved_probabilities(simulator, prepared, values), [flips(noise.readout)] * len(compiled.landed))
