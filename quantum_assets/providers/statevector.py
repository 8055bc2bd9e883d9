"""The exact provider for diagonal circuits: a matrix product instead of circuits, checked against the circuit.

Under estimator `binomial` it returns the same exact states: the draw of `Binomial(shots, K_ij)` an unordered pair,
which is exactly the distribution of the fidelity test on an ideal device, happens where kernels are sampled, from the
profile's shots and seed. The effective profile says so: shots and seed are those of that draw, and no circuit was run.
"""

from dataclasses import dataclass
from time import perf_counter

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import DiagonalForm, Workload
from quantum_assets.providers import diagonal
from quantum_assets.providers.base import installed, memory_fault, require_support
from quantum_assets.providers.checked_states import states_envelope
from quantum_assets.providers.exact_overlaps import overlaps_envelope
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.providers.qpy import circuit_of

_PACKAGES = ("numpy", "qiskit")


@dataclass(frozen=True)
class StatevectorProvider(InProcessProvider):
    """States, and exact overlaps, of workloads with a diagonal form, by the batched engine of `providers.diagonal`."""

    name: str = "statevector"

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None for a diagonal form under an ideal, circuit-free profile that fits in memory; else why not."""
        if profile.mode != "ideal":
            return f"it is ideal, and the profile's mode is {profile.mode}"
        if profile.estimator == "circuits" or workload.measure == "samples":
            return f"it runs no circuits, and was asked for {workload.measure} by estimator {profile.estimator}"
        if workload.measure == "overlaps" and profile.estimator != "exact":
            return f"its overlaps are exact, and the profile's estimator is {profile.estimator}"
        if profile.backend is not None:
            return f"it has no backends, and the profile names {profile.backend}"
        if workload.diagonal is None:
            return "the circuit has no diagonal form"
        n_terms, n_qubits = len(workload.diagonal.terms), workload.circuit.n_qubits
        peak = diagonal.peak_bytes(workload.n_bindings, n_terms, n_qubits)
        return memory_fault(peak, profile.guardrails.max_memory_bytes)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:  # noqa: ARG002
        """NumPy makes the states, Qiskit the tile that they are checked by."""
        return installed(*_PACKAGES)

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:  # noqa: ARG002
        """Compute every state, recompute a tile from the QPY circuit, and say what was done.

        `circuits_run` is 0; `circuits_needed` is n(n-1)/2, one fidelity test an unordered pair of bindings.

        Raises:
            ProviderError: When `supports` refuses the workload, or its circuit cannot be read.
        """
        require_support(self, workload, profile)
        started = perf_counter()
        amplitudes = diagonal.states(_form(workload), workload.circuit.n_qubits)
        seconds = perf_counter() - started
        if workload.measure == "overlaps":
            return overlaps_envelope(
                workload,
                profile,
                amplitudes,
                circuit_of(workload.circuit),
                provider=self.name,
                engine="diagonal-states",
                seconds=seconds,
                packages=_PACKAGES,
            )
        return states_envelope(
            workload,
            profile,
            amplitudes,
            circuit_of(workload.circuit),
            provider=self.name,
            engine="diagonal-states",
            circuits_run=0,
            seconds=seconds,
            packages=_PACKAGES,
        )


def _form(workload: Workload) -> DiagonalForm:
    if workload.diagonal is None:
        raise ProviderError(f"circuit {workload.circuit.name}", "has no diagonal form", "Use provider aer")
    return workload.diagonal
