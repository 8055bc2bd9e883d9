"""Qiskit Aer as a provider: states of any circuit, and overlap circuits through the sampler, ideal or noisy."""

from dataclasses import dataclass
from time import perf_counter

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.aer_overlaps import run_overlaps
from quantum_assets.providers.aer_states import aer_states, batch_rows
from quantum_assets.providers.base import installed, memory_fault, require_support
from quantum_assets.providers.checked_states import states_envelope
from quantum_assets.providers.noise import gate_widths
from quantum_assets.providers.qpy import circuit_of

NOISY_MAX_QUBITS = 10  # a density matrix has 4**n entries: 16 MB a pair, and seconds of work, at 10 qubits
_PACKAGES = ("numpy", "qiskit", "qiskit-aer")


@dataclass(frozen=True)
class AerProvider:
    """Aer's simulators on one thread.

    - `states`, estimators `exact` and `binomial`: every circuit is simulated once (`circuits_run` is n) and its state
      saved; for `binomial` the draw happens where kernels are sampled, as with the statevector provider.
    - `overlaps`, estimator `circuits`: one compute-uncompute circuit a pair through Aer's sampler, without noise on
      state vectors, with noise on density matrices.
    """

    name: str = "aer"

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when Aer can run it as asked; else the reason."""
        if profile.mode not in ("ideal", "noisy"):
            return f"it is a simulator, and the profile's mode is {profile.mode}"
        if not workload.circuit.parameters:
            return "the circuit has no parameters to bind"
        if workload.measure == "states":
            return _states_fault(workload, profile)
        return _overlaps_fault(workload, profile)

    def run(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        """Run it, recompute a tile, and read back what was done.

        States are checked against Qiskit's Statevector. Sampled overlaps are checked against exact values on a tile of
        pairs: Statevector without noise, Aer's density matrix with a noise model made anew with noise; and the compiled
        circuit is checked to be the workload's circuit before anything is sampled.

        Raises:
            ProviderError: When `supports` refuses the workload, or Aer fails.
        """
        from qiskit.exceptions import QiskitError

        require_support(self, workload, profile)
        try:
            return (
                self._states(workload, profile) if workload.measure == "states" else self._overlaps(workload, profile)
            )
        except QiskitError as error:
            raise ProviderError(
                f"provider {self.name}", f"failed: {error}", "Look at the circuit, its width and the basis gates"
            ) from error

    def _states(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        circuit = circuit_of(workload.circuit)
        started = perf_counter()
        amplitudes = aer_states(circuit, workload.bindings)
        seconds = perf_counter() - started
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

    def _overlaps(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        if workload.pairs is None or profile.shots is None:
            raise ProviderError(f"provider {self.name}", "needs pairs and shots", "Give both")
        run = run_overlaps(workload, workload.pairs, profile.shots, profile)
        return ResultEnvelope(
            workload_fingerprint=workload.fingerprint,
            profile_fingerprint=profile.fingerprint,
            effective=EffectiveProfile(
                mode="ideal" if run.noise is None else "noisy",
                estimator="circuits",
                provider=self.name,
                engine=run.engine,
                shots=run.shots,
                seed=profile.seed,
                noise=run.noise,
                transpilation=profile.transpilation,
                versions=installed(*_PACKAGES),
            ),
            data=Overlaps(run.p_zero, run.shots),
            crosscheck_difference=None,
            crosscheck_zscore=run.zscore,
            circuits_run=len(workload.pairs),
            circuits_needed=len(workload.pairs),
            timings=run.timings,
            metrics=run.metrics,
        )


def _states_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    if profile.mode != "ideal":
        return f"states are ideal, and the profile's mode is {profile.mode}"
    if profile.estimator == "circuits":
        return "estimator circuits measures overlaps, and the workload measures states"
    width = workload.circuit.n_qubits
    rows = workload.n_bindings + 2 * min(workload.n_bindings, batch_rows(width))
    return memory_fault(16 * rows * 2**width, profile.guardrails.max_memory_bytes)


def _overlaps_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    if profile.estimator != "circuits":
        return f"overlaps are estimated by circuits, and the profile's estimator is {profile.estimator}"
    if workload.pairs is None or not len(workload.pairs):
        return "the workload names no pairs"
    wrong = [name for name, width in gate_widths(profile.transpilation.basis_gates).items() if width not in (1, 2)]
    if wrong:
        return f"basis gates {wrong} are not one- or two-qubit gates that it knows"
    width = workload.circuit.n_qubits
    if profile.mode == "noisy" and width > NOISY_MAX_QUBITS:
        return f"noisy circuits run on density matrices of at most {NOISY_MAX_QUBITS} qubits, and this has {width}"
    return memory_fault(64 * 2**width, profile.guardrails.max_memory_bytes)
