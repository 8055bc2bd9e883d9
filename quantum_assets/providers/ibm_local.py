"""IBM's primitives in their offline local testing mode: a fake backend, run in this process by the SDK itself.

Facts about that mode that this file answers to:

- every PUB of a job is sampled under the job's one seed, so that equal PUBs give equal samples: each batch of circuits
  is a job of its own, with a seed of its own;
- angles are rounded to five decimals of a right angle unless it is told otherwise: it is told otherwise;
- it drops options that only the service knows: none is sent, and a warning that one had no effect is an error;
- a job's `status` can say ERROR for ever about a job that is just starting: it is never asked, the result is.
"""

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.envelope import ResultEnvelope, Timings
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import BackendFact, Calibration, Limits
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import FloatArray, Workload
from quantum_assets.providers.aer_circuits import sampled_question
from quantum_assets.providers.base import installed, memory_fault, named_backends, require_support
from quantum_assets.providers.compiled import compiled_size
from quantum_assets.providers.compiled_circuit import CompiledCircuit
from quantum_assets.providers.device_noise import DeviceNoise
from quantum_assets.providers.fakes import PREFIX, calibration_of, fake_backend, fake_fault, two_qubit_error
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.providers.measured import (
    Keep,
    checked_tile,
    circuits_fault,
    compiled_for,
    data_of,
    deviation,
    expected,
    kept_of,
    samples_fault,
)
from quantum_assets.providers.samples import little_endian

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

PACKAGES = ("numpy", "qiskit", "qiskit-aer", "qiskit-ibm-runtime")
_MAX_QUBITS = 10  # the SDK simulates noise on density matrices of 4**n entries
_BATCH_SHOTS = 1_000_000  # the SDK keeps some 60 bytes a shot until a job is packed
_ANGLE_DECIMALS = 15
_NO_EFFECT = "no effect in local testing mode"


@dataclass(frozen=True)
class IbmLocal(InProcessProvider):
    """Measured circuits under mode `managed` on a fake backend, in this process and without a network."""

    name: str = "ibm"

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when a fake backend can run it as asked; else the reason. The SDK is not imported."""
        backend, width = profile.backend or "", workload.circuit.n_qubits
        if profile.mode != "managed":
            return (
                f"{backend} is an offline copy of a device, for mode managed, and the profile's mode is {profile.mode}"
            )
        if not backend.startswith(PREFIX):
            return f"mode managed runs on offline copies of devices, named {PREFIX}…, and the profile names {backend}"
        if width > _MAX_QUBITS:
            return f"its noise is simulated on at most {_MAX_QUBITS} qubits, and the circuit has {width}"
        return (
            circuits_fault(workload, profile)
            or fake_fault(backend, width)
            or samples_fault(workload, profile)
            or memory_fault(64 * 4**width, profile.guardrails.max_memory_bytes)
        )

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:  # noqa: ARG002 - a part of the protocol
        """Versions of the SDK and of the simulator behind its local mode."""
        return installed(*PACKAGES)

    def limits(self, profile: ExecutionProfile) -> Limits:  # noqa: ARG002 - a part of the protocol
        """One process's job; workloads are run one after the other, in batches."""
        return Limits(max_workloads=64, same_key_same_job=True)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """What the fake backend is like; its files may be refreshed at any time."""
        return calibration_of(fake_backend(profile.backend or ""))

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        """Width and error of the fakes that are named, as their files have them; nobody queues before them."""
        fakes = [fake_backend(name) for name in named_backends(profile) if fake_fault(name, 0) is None]
        return tuple(BackendFact(str(fake.name), fake.num_qubits or 0, 0, two_qubit_error(fake)) for fake in fakes)

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        """Compile for the fake, check the compiled circuit, sample through the SDK, and judge a tile by exact values.

        Raises:
            ProviderError: When `supports` refuses the workload, the SDK fails, or an option had no effect.
        """
        from qiskit.exceptions import QiskitError

        require_support(self, workload, profile)
        try:
            return self._run(workload, profile, replicate)
        except QiskitError as error:
            raise ProviderError(
                f"provider {self.name}", f"failed: {error}", "Look at the circuit, its width and the backend"
            ) from error

    def _run(self, workload: Workload, profile: ExecutionProfile, replicate: int) -> ResultEnvelope:
        if profile.shots is None:
            raise ProviderError(f"provider {self.name}", "needs shots", "Give them in the profile")
        started = perf_counter()
        backend = fake_backend(profile.backend or "")
        compiled = compiled_for(workload, profile.transpilation, backend)
        ready = perf_counter()
        tile = checked_tile(workload, compiled, profile)
        values = compiled.values(workload.bindings, workload.pairs)
        sampling = perf_counter()
        question = sampled_question(workload, replicate)
        drawn = sampled(backend, compiled, values, profile.shots, profile.seed, question, kept_of(workload))
        seconds = perf_counter() - sampling
        data = data_of(workload, drawn.kept, drawn.shots)
        truth = expected(workload, DeviceNoise(backend).exact_outcomes(compiled, values[tile.rows]))
        calibration = calibration_of(backend)
        return ResultEnvelope(
            workload_fingerprint=workload.fingerprint,
            profile_fingerprint=profile.fingerprint,
            effective=EffectiveProfile(
                mode="managed",
                estimator="circuits",
                provider=self.name,
                engine="local-testing-mode",
                shots=drawn.shots,
                seed=profile.seed,
                noise=None,
                transpilation=compiled.transpilation,
                backend=drawn.backend,
                versions=self.versions(profile),
            ),
            data=data,
            crosscheck_difference=None,
            crosscheck_zscore=deviation(data, tile.rows, truth),
            circuits_run=workload.n_circuits,
            circuits_needed=workload.n_circuits,
            timings=Timings(transpile=ready - started, run=seconds),
            calibration_digest=None if calibration is None else calibration.digest,
            metrics={
                "crosscheck_rows": float(len(tile.rows)),
                "compiled_difference": tile.difference,
                **compiled_size(compiled.circuit),
            },
        )


@dataclass(frozen=True, eq=False)
class Drawn:
    """What came back from the SDK.

    Attributes:
        kept: What was kept of the outcomes, one row a circuit.
        shots: Shots behind each, counted.
        backend: Where the jobs say that they ran.
    """

    kept: npt.NDArray[Any]
    shots: int
    backend: str


def sampled(
    backend: "BackendV2",
    compiled: CompiledCircuit,
    values: FloatArray,
    shots: int,
    seed: int,
    question: str,
    keep: Keep,
    batch_shots: int = _BATCH_SHOTS,
) -> Drawn:
    """What is kept of the outcomes of every circuit, through the SDK's sampler, batch by batch.

    Args:
        backend: A fake backend.
        compiled: Compiled for it.
        values: Parameter values in radians, shape `(n_circuits, n_parameters)`.
        shots: Shots a circuit.
        seed: The profile's seed.
        question: Fingerprint of the workload and its replicate, so that others draw independently.
        keep: What is kept of packed outcomes.
        batch_shots: Shots of all circuits of one batch, at most; bounds memory, and is part of which samples are drawn.

    Raises:
        ProviderError: When an option had no effect, or batches differ in shots or backend.
    """
    measured = compiled.measured()
    step = max(1, batch_shots // shots)
    kept: list[npt.NDArray[Any]] = []
    seen: set[tuple[int, str]] = set()
    for number, start in enumerate(range(0, len(values), step)):
        batch = values[start : start + step]
        bits, ran_on = _job(backend, measured, batch, shots, batch_seed(seed, question, number))
        kept.append(keep(little_endian(bits.array)))
        seen.add((int(bits.num_shots), ran_on))
    if len(seen) != 1:
        raise ProviderError("provider ibm", f"batches came back from {sorted(seen)} (shots, backend)", "Report this")
    counted, name = seen.pop()
    return Drawn(np.concatenate(kept), counted, name)


def batch_seed(seed: int, question: str, number: int) -> int:
    """The simulator's seed of one batch: 62 bits, different for every seed, workload, replicate and batch."""
    return int(fingerprint("ibm-local-batch/v1", seed, question, number)[:16], 16) >> 2


def _job(backend: "BackendV2", measured: Any, values: FloatArray, shots: int, seed: int) -> tuple[Any, str]:
    from qiskit_ibm_runtime.executor_sampler import Sampler
    from qiskit_ibm_runtime.options_models import SamplerOptions

    options = SamplerOptions(simulator={"seed_simulator": seed, "angle_decimals": _ANGLE_DECIMALS})
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=f".*{_NO_EFFECT}.*")
        try:
            job = Sampler(mode=backend, options=options).run([(measured, values)], shots=shots)
            return job.result()[0].data.meas, str(job.backend().name)
        except UserWarning as ignored:
            if _NO_EFFECT not in str(ignored):
                raise
            raise ProviderError("provider ibm", f"ignores what it was asked for: {ignored}", "Remove it") from ignored
