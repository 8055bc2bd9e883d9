"""Qiskit Aer as a provider: states of any circuit, and measured circuits through the sampler, ideal or noisy."""

from dataclasses import dataclass
from time import perf_counter

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Calibration
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.aer_circuits import run_circuits
from quantum_assets.providers.aer_states import aer_states, batch_rows
from quantum_assets.providers.base import installed, memory_fault, require_support
from quantum_assets.providers.checked_states import states_envelope
from quantum_assets.providers.exact_overlaps import overlaps_envelope
from quantum_assets.providers.fakes import PREFIX, calibration_of, fake_backend, fake_fault
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.providers.measured import circuits_fault, samples_fault
from quantum_assets.providers.noise import gate_widths
from quantum_assets.providers.qpy import circuit_of

NOISY_MAX_QUBITS = 10  # a density matrix has 4**n entries: 16 MB a pair, and seconds of work, at 10 qubits
_PACKAGES = ("numpy", "qiskit", "qiskit-aer")


@dataclass(frozen=True)
class AerProvider(InProcessProvider):
    """Aer's simulators on one thread.

    - `states`, estimators `exact` and `binomial`: every circuit is simulated once (`circuits_run` is n) and its state
      saved; for `binomial` the draw happens where kernels are sampled, as with the statevector provider.
    - `overlaps` and `samples`, estimator `circuits`: one compute-uncompute circuit a pair, or the circuit itself once a
      binding, through Aer's sampler, without noise on state vectors, with noise on density matrices. Where the noise is
      a backend's, the circuits are compiled for that backend's gates and couplings.
    - `overlaps`, estimator `exact`: products of those states; nothing is sampled.
    """

    name: str = "aer"

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when Aer can run it as asked; else the reason."""
        if profile.mode not in ("ideal", "noisy"):
            return f"it is a simulator, and the profile's mode is {profile.mode}"
        if profile.backend is not None:
            return f"it has no backend {profile.backend}; the simulator follows from mode and noise"
        if not workload.circuit.parameters:
            return "the circuit has no parameters to bind"
        if _of_states(workload, profile):
            return _states_fault(workload, profile)
        return _circuits_fault(workload, profile)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        """NumPy, Qiskit and Aer; and where a backend's noise is copied, the package that holds its snapshot."""
        snapshot = profile.noise is not None and profile.noise.backend is not None
        return installed(*_PACKAGES, *(("qiskit-ibm-runtime",) if snapshot else ()))

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        """Run it, recompute a tile, and read back what was done.

        States are checked against Qiskit's Statevector. Sampled overlaps, and the parities of samples
        (`providers.samples`), are checked against exact values on a tile: Statevector without noise, Aer's density
        matrix with a noise model made anew with noise; and the compiled circuit is checked to be the workload's circuit
        before anything is sampled.

        Raises:
            ProviderError: When `supports` refuses the workload, or Aer fails.
        """
        from qiskit.exceptions import QiskitError

        require_support(self, workload, profile)
        try:
            if _of_states(workload, profile):
                return self._from_states(workload, profile)
            return self._sampled(workload, profile, replicate)
        except QiskitError as error:
            raise ProviderError(
                f"provider {self.name}", f"failed: {error}", "Look at the circuit, its width and the basis gates"
            ) from error

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """What the backend is like that the profile takes its noise from; None for any other noise and for none."""
        if profile.noise is None or profile.noise.backend is None:
            return None
        return calibration_of(fake_backend(profile.noise.backend))

    def _from_states(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        circuit = circuit_of(workload.circuit)
        started = perf_counter()
        amplitudes = aer_states(circuit, workload.bindings)
        seconds = perf_counter() - started
        if workload.measure == "overlaps":
            return overlaps_envelope(
                workload,
                profile,
                amplitudes,
                circuit,
                provider=self.name,
                engine="statevector",
                seconds=seconds,
                packages=_PACKAGES,
            )
        return states_envelope(
            workload,
            profile,
            amplitudes,
            circuit,
            provider=self.name,
            engine="statevector",
            circuits_run=workload.n_bindings,
            seconds=seconds,
            packages=_PACKAGES,
        )

    def _sampled(self, workload: Workload, profile: ExecutionProfile, replicate: int) -> ResultEnvelope:
        if profile.shots is None:
            raise ProviderError(f"provider {self.name}", "needs shots", "Give them in the profile")
        run = run_circuits(workload, profile.shots, profile, replicate)
        setup = run.setup
        return ResultEnvelope(
            workload_fingerprint=workload.fingerprint,
            profile_fingerprint=profile.fingerprint,
            effective=EffectiveProfile(
                mode="ideal" if setup.noise is None else "noisy",
                estimator="circuits",
                provider=self.name,
                engine=str(setup.simulator.options.method),
                shots=run.shots,
                seed=profile.seed,
                noise=setup.noise,
                transpilation=setup.compiled.transpilation,
                backend=str(setup.simulator.name),
                versions=self.versions(profile),
            ),
            data=run.data,
            crosscheck_difference=None,
            crosscheck_zscore=run.zscore,
            circuits_run=workload.n_circuits,
            circuits_needed=workload.n_circuits,
            timings=run.timings,
            calibration_digest=None if setup.calibration is None else setup.calibration.digest,
            metrics=run.metrics,
        )


def _of_states(workload: Workload, profile: ExecutionProfile) -> bool:
    """Whether the answer is made of states: they are it, or overlaps that are to be exact."""
    return workload.measure == "states" or (workload.measure == "overlaps" and profile.estimator == "exact")


def _states_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    if profile.mode != "ideal":
        return f"states and exact overlaps are ideal, and the profile's mode is {profile.mode}"
    if profile.estimator == "circuits":
        return "estimator circuits measures overlaps or samples, and the workload measures states"
    if workload.pairs is not None and not len(workload.pairs):
        return "the workload names no pairs"
    width = workload.circuit.n_qubits
    rows = workload.n_bindings + 2 * min(workload.n_bindings, batch_rows(width))
    return memory_fault(16 * rows * 2**width, profile.guardrails.max_memory_bytes)


def _circuits_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    fault = circuits_fault(workload, profile) or samples_fault(workload, profile)
    if fault is not None:
        return fault
    if profile.noise is not None and profile.noise.backend is not None:
        return _device_fault(profile.noise.backend, workload) or _width_fault(workload, profile)
    wrong = [name for name, width in gate_widths(profile.transpilation.basis_gates).items() if width not in (1, 2)]
    if wrong:
        return f"basis gates {wrong} are not one- or two-qubit gates that it knows"
    return _width_fault(workload, profile)


def _device_fault(backend: str, workload: Workload) -> str | None:
    if not backend.startswith(PREFIX):
        return f"it takes noise from offline copies of devices only, and {backend} is none of those ({PREFIX}…)"
    return fake_fault(backend, workload.circuit.n_qubits)


def _width_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    width = workload.circuit.n_qubits
    if profile.mode == "noisy" and width > NOISY_MAX_QUBITS:
        return f"noisy circuits run on density matrices of at most {NOISY_MAX_QUBITS} qubits, and this has {width}"
    return memory_fault(64 * 2**width, profile.guardrails.max_memory_bytes)
