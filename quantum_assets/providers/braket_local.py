"""Braket's local simulators, seeded: one generator a workload, and proof that the samples came from it.

The SDK takes no seed. Every simulation makes a generator of its own from the operating system's entropy, and asks it
for one uniform number a shot. Here a subclass hands it ours instead, and afterwards our generator must stand exactly as
many draws further as there were shots: only then is the seed called honoured.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray

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
        p_zero: Share of all-zero outcomes, one a circuit.
        shots: Outcomes behind each.
        backend: The simulator's own name.
        engine: Its class.
        seeded: Whether every sample was drawn from the seeded generator, and none from elsewhere.
    """

    p_zero: FloatArray
    shots: int
    backend: str
    engine: str
    seeded: bool


def sampling_seed(seed: int, question: str, replicate: int) -> int:
    """The seed of one workload's generator: 128 bits, different for every seed, workload and replicate."""
    return int(fingerprint("braket-local/v1", seed, question, replicate)[:32], 16)


def sampled_zeros(backend: str, circuits: "Iterable[Circuit]", shots: int, seed: int) -> LocalRun:
    """Run measured circuits one after the other on a local simulator.

    Args:
        backend: Key of `WIDEST`.
        circuits: Measured; they may be made while they are run.
        shots: Shots a circuit.
        seed: Of the one generator for all of them.

    Raises:
        ProviderError: When circuits came back with different numbers of shots, or from more than one simulator.
    """
    from braket.devices import LocalSimulator

    generator = np.random.Generator(np.random.PCG64(seed))
    device = LocalSimulator(_seeded(backend, generator))
    shares, returned, names = [], [], set()
    for circuit in circuits:
        with warnings.catch_warnings():
            # it is asked for by name, to run the same circuits on both simulators
            warnings.filterwarnings("ignore", message=_NEEDLESS_DENSITY_MATRIX)
            result = device.run(circuit, shots=shots).result()
        shares.append(zero_share(result.measurements))
        returned.append(len(result.measurements))
        names.add(result.task_metadata.deviceId)
    if len(set(returned)) != 1 or len(names) != 1:
        raise ProviderError(
            "provider braket", f"{sorted(names)} came back with {sorted(set(returned))} shots", "Report this"
        )
    drawn = np.random.PCG64(seed).advance(sum(returned)).state == generator.bit_generator.state
    return LocalRun(np.array(shares), returned[0], names.pop(), device.name, drawn)


def zero_share(measurements: Any) -> float:
    """Share of shots whose outcome is all zeros; `measurements` has one row a shot and one column a qubit."""
    return float(1.0 - np.asarray(measurements, dtype=bool).any(axis=1).mean())


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
