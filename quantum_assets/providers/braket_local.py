"""Braket's local simulators, seeded: one generator a workload, and proof that the samples came from it.

The SDK takes no seed. Every simulation makes a generator of its own from the operating system's entropy, and asks it
for one uniform number a shot. Here a subclass hands it ours instead, and afterwards our generator must stand exactly as
many draws further as there were shots: only then is the seed called honoured.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.envelope import PackedBits
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.providers.measured import Keep
from quantum_assets.providers.samples import packed_bits

if TYPE_CHECKING:
    from braket.circuits import Circuit
    from braket.simulator import BraketSimulator

#: Name of each local simulator and its widest circuit, in qubits.
WIDEST = {"braket_sv": 26, "braket_dm": 13}
_NEEDLESS_DENSITY_MATRIX = "You are running a noise-free circuit on the density matrix simulator"


@dataclass(frozen=True, eq=False)
class LocalRun:
    """What a local simulator gave, read back from its results.

    Attributes:
        kept: What was kept of the outcomes, one row a circuit.
        shots: Outcomes behind each.
        backend: The simulator's own name.
        engine: Its class.
        seeded: Whether every sample was drawn from the seeded generator, and none from elsewhere.
    """

    kept: npt.NDArray[Any]
    shots: int
    backend: str
    engine: str
    seeded: bool


def sampling_seed(seed: int, question: str, replicate: int) -> int:
    """The seed of one workload's generator: 128 bits, different for every seed, workload and replicate."""
    return int(fingerprint("braket-local/v1", seed, question, replicate)[:32], 16)


def sampled(
    backend: str, circuits: "Iterable[Circuit]", shots: int, seed: int, qubits: Sequence[int], keep: Keep
) -> LocalRun:
    """Run measured circuits one after the other on a local simulator.

    Args:
        backend: Key of `WIDEST`.
        circuits: Measured; they may be made while they are run.
        shots: Shots a circuit.
        seed: Of the one generator for all of them.
        qubits: Braket's numbers of the measured qubits, that of bit 0 first.
        keep: What is kept of packed outcomes.

    Raises:
        ProviderError: When circuits came back with different numbers of shots, or from more than one simulator.
    """
    from braket.devices import LocalSimulator

    generator = np.random.Generator(np.random.PCG64(seed))
    device = LocalSimulator(_seeded(backend, generator))
    kept, returned, names = [], [], set()
    for circuit in circuits:
        with warnings.catch_warnings():
            # it is asked for by name, to run the same circuits on both simulators
            warnings.filterwarnings("ignore", message=_NEEDLESS_DENSITY_MATRIX)
            result = device.run(circuit, shots=shots).result()
        kept.append(keep(packed_outcomes(result.measurements, result.measured_qubits, qubits)[None]))
        returned.append(len(result.measurements))
        names.add(result.task_metadata.deviceId)
    if len(set(returned)) != 1 or len(names) != 1:
        raise ProviderError(
            "provider braket", f"{sorted(names)} came back with {sorted(set(returned))} shots", "Report this"
        )
    drawn = np.random.PCG64(seed).advance(sum(returned)).state == generator.bit_generator.state
    return LocalRun(np.concatenate(kept), returned[0], names.pop(), device.name, drawn)


def packed_outcomes(measurements: Any, measured: Sequence[int], qubits: Sequence[int]) -> PackedBits:
    """Outcomes of one circuit in the order of the contract: shape `(shots, n_bytes)`.

    Args:
        measurements: One row a shot and one column a qubit, as Braket gives them.
        measured: Which qubit each column is of.
        qubits: Which of them is wanted as bit 0, 1, …

    Raises:
        ProviderError: When a qubit that is wanted was not measured.
    """
    rows = np.asarray(measurements)
    if rows.ndim != 2 or rows.shape[1] != len(measured) or not set(qubits) <= set(measured):
        raise ProviderError(
            "provider braket", f"measured qubits {list(measured)}, wanted were {list(qubits)}", "Run it again", True
        )
    return packed_bits(rows[:, [list(measured).index(qubit) for qubit in qubits]])


def _seeded(backend: str, generator: np.random.Generator) -> "BraketSimulator":
    """The named simulator, whose simulations draw from `generator`; the SDK's own sampling code is left as it is."""
    from braket.default_simulator.density_matrix_simulator import DensityMatrixSimulator
    from braket.default_simulator.state_vector_simulator import StateVectorSimulator

    base: Any = {"braket_sv": StateVectorSimulator, "braket_dm": DensityMatrixSimulator}[backend]

    def initialize_simulation(self: Any, **kwargs: Any) -> Any:
        simulation = base.initialize_simulation(self, **kwargs)
        simulation._rng_generator = generator
        return simulation

    simulator: BraketSimulator = type(base.__name__, (base,), {"initialize_simulation": initialize_simulation})()
    return simulator
