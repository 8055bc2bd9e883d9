"""IBM's primitives in their offline local testing mode: a fake backend, run in this process by the SDK itself.

Facts about that mode that this file answers to:

- every PUB of a job is sampled under the job's one seed, so that equal PUBs give equal samples: each batch of pairs is
  a job of its own, with a seed of its own;
- angles are rounded to five decimals of a right angle unless it is told otherwise: it is told otherwise;
- it drops options that only the service knows: none is sent, and a warning that one had no effect is an error;
- a job's `status` can say ERROR for ever about a job that is just starting: it is never asked, the result is.
"""

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope, Timings
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import Calibration, Limits
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import FloatArray, Workload
from quantum_assets.providers.aer_overlaps import sampled_question, zscore
from quantum_assets.providers.base import installed, memory_fault, require_support
from quantum_assets.providers.compiled import CompiledOverlap, compiled_overlap, compiled_size, ideal_overlaps
from quantum_assets.providers.device_noise import DeviceNoise
from quantum_assets.providers.fakes import PREFIX, calibration_of, fake_backend, fake_fault
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import spread

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

PACKAGES = ("numpy", "qiskit", "qiskit-aer", "qiskit-ibm-runtime")
_MAX_QUBITS = 10  # the SDK simulates noise on density matrices of 4**n entries
_BATCH_SHOTS = 1_000_000  # the SDK keeps some 60 bytes a shot until a job is packed
_ANGLE_DECIMALS = 15
_NO_EFFECT = "no effect in local testing mode"


@dataclass(frozen=True)
class IbmLocal(InProcessProvider):
    """Overlap circuits under mode `managed` on a fake backend, in this process and without a network."""

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
            overlaps_fault(workload, profile)
            or fake_fault(backend, width)
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
        if workload.pairs is None or profile.shots is None:
            raise ProviderError(f"provider {self.name}", "needs pairs and shots", "Give both")
        started = perf_counter()
        backend = fake_backend(profile.backend or "")
        overlap = compiled_overlap(circuit_of(workload.circuit), backend, profile.transpilation)
        compiled = perf_counter()
        tile = spread(len(workload.pairs), profile.guardrails.crosscheck_rows)
        _, difference = ideal_overlaps(workload, workload.pairs[tile], overlap, overlap.compact)
        values = overlap.values(workload.bindings, workload.pairs)
        sampling = perf_counter()
        samples = sampled(backend, overlap, values, profile.shots, profile.seed, sampled_question(workload, replicate))
        seconds = perf_counter() - sampling
        truth = DeviceNoise(backend).exact_zeros(overlap, values[tile])
        calibration = calibration_of(backend)
        return ResultEnvelope(
            workload_fingerprint=workload.fingerprint,
            profile_fingerprint=profile.fingerprint,
            effective=EffectiveProfile(
                mode="managed",
                estimator="circuits",
                provider=self.name,
                engine="local-testing-mode",
                shots=samples.shots,
                seed=profile.seed,
                noise=None,
                transpilation=overlap.transpilation,
                backend=samples.backend,
                versions=self.versions(profile),
            ),
            data=Overlaps(samples.p_zero, samples.shots),
            crosscheck_difference=None,
            crosscheck_zscore=zscore(samples.p_zero[tile], truth, samples.shots),
            circuits_run=len(workload.pairs),
            circuits_needed=len(workload.pairs),
            timings=Timings(transpile=compiled - started, run=seconds),
            calibration_digest=None if calibration is None else calibration.digest,
            metrics={
                "crosscheck_rows": float(len(tile)),
                "compiled_difference": difference,
                **compiled_size(overlap.circuit),
            },
        )


@dataclass(frozen=True, eq=False)
class Samples:
    """What came back from the SDK.

    Attributes:
        p_zero: Share of all-zero outcomes a pair.
        shots: Shots behind each, counted.
        backend: Where the jobs say that they ran.
    """

    p_zero: FloatArray
    shots: int
    backend: str


def overlaps_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    """Why a question is not one for IBM's sampler, whatever the backend; None when it is."""
    if profile.estimator != "circuits":
        return f"it runs circuits, and the profile's estimator is {profile.estimator}"
    if workload.measure != "overlaps":
        return f"it samples overlaps, and the workload measures {workload.measure}"
    if workload.pairs is None or not len(workload.pairs):
        return "the workload names no pairs"
    return None if workload.circuit.parameters else "the circuit has no parameters to bind"


def sampled(
    backend: "BackendV2",
    overlap: CompiledOverlap,
    values: FloatArray,
    shots: int,
    seed: int,
    question: str,
    batch_shots: int = _BATCH_SHOTS,
) -> Samples:
    """Share of all-zero outcomes of every pair, through the SDK's sampler, batch by batch.

    Args:
        backend: A fake backend.
        overlap: Compiled for it.
        values: Parameter values in radians, shape `(n_pairs, n_parameters)`.
        shots: Shots a pair.
        seed: The profile's seed.
        question: Fingerprint of the workload and its replicate, so that others draw independently.
        batch_shots: Shots of all circuits of one batch, at most; bounds memory, and is part of which samples are drawn.

    Raises:
        ProviderError: When an option had no effect, or batches differ in shots or backend.
    """
    measured = overlap.measured()
    step = max(1, batch_shots // shots)
    shares: list[FloatArray] = []
    seen: set[tuple[int, str]] = set()
    for number, start in enumerate(range(0, len(values), step)):
        batch = values[start : start + step]
        bits, ran_on = _job(backend, measured, batch, shots, batch_seed(seed, question, number))
        shares.append(zero_shares(bits))
        seen.add((int(bits.num_shots), ran_on))
    if len(seen) != 1:
        raise ProviderError("provider ibm", f"batches came back from {sorted(seen)} (shots, backend)", "Report this")
    counted, name = seen.pop()
    return Samples(np.concatenate(shares), counted, name)


def zero_shares(bits: Any) -> FloatArray:
    """Share of all-zero outcomes from a `BitArray`'s packed bytes, shape `(pairs, shots, bytes)`."""
    return np.asarray(1.0 - bits.array.any(axis=-1).mean(axis=-1), dtype=np.float64)


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
