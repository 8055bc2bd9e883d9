"""The machine behind the sidecar of rehearsals: managed profiles, run by the in-process simulators, and named so.

A managed service is a machine of its own that keeps its own time and its own bill. To rehearse with one, the sidecar
(`quantum_assets.service`) runs orders here. Nothing is pretended: the effective profile says mode `managed`, because a
service managed the run, names the backend `rehearsal`, and the engine says which simulator it was.
"""

from dataclasses import dataclass, replace

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import Calibration
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.aer import AerProvider
from quantum_assets.providers.base import installed, require_support
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.providers.statevector import StatevectorProvider

BACKEND = "rehearsal"


@dataclass(frozen=True)
class Rehearsal(InProcessProvider):
    """Noiseless managed profiles, by whichever simulator supports the workload first.

    Attributes:
        name: The provider's name that profiles use to reach it.
        version: Word for the state of the machine; another word is another calibration, so that a recalibration can be
            rehearsed too.
    """

    name: str = "remote"
    version: str = "1"

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when a simulator supports the ideal twin of the profile; else the reason of the last one asked."""
        if profile.mode != "managed":
            return f"it runs managed profiles, and the profile's mode is {profile.mode}"
        if profile.backend not in (None, BACKEND):
            return f"its one backend is {BACKEND}, and the profile names {profile.backend}"
        return self._choose(workload, ideal_twin(profile))[1]

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:  # noqa: ARG002 - a part of the protocol
        """Those of all its simulators, whichever of them runs."""
        return packages()

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        """Run the ideal twin and hand its claim on under the profile that was asked, with what was really done.

        Raises:
            ProviderError: When `supports` refuses the workload, or the simulator fails.
        """
        require_support(self, workload, profile)
        twin = ideal_twin(profile)
        simulator, _ = self._choose(workload, twin)
        claim = simulator.run(workload, twin, replicate)
        ran = claim.effective
        return replace(
            claim,
            profile_fingerprint=profile.fingerprint,
            effective=ran.model_copy(
                update={
                    "mode": "managed",
                    "provider": self.name,
                    "backend": BACKEND,
                    "engine": f"{BACKEND}:{ran.provider}:{ran.engine}",
                    "versions": packages(),
                }
            ),
            calibration_digest=self.state().digest,
        )

    def calibration(self, profile: ExecutionProfile) -> Calibration:  # noqa: ARG002 - a part of the protocol
        """The state of the machine, the same for every profile."""
        return self.state()

    def state(self) -> Calibration:
        """The state of the machine, which `version` names."""
        return Calibration(BACKEND, self.version, fingerprint("rehearsal-calibration/v1", BACKEND, self.version))

    def _choose(self, workload: Workload, twin: ExecutionProfile) -> tuple[InProcessProvider, str | None]:
        statevector = StatevectorProvider()
        if statevector.supports(workload, twin) is None:
            return statevector, None
        aer = AerProvider()
        return aer, aer.supports(workload, twin)


def load() -> None:
    """Import the SDK now, in a thread that stays: the main one of whoever calls its simulators from other threads.

    qiskit 2.6 keeps something of the thread that imports it first; once that one has ended, making a parameter or a
    standard gate in any other kills the process (segmentation fault).
    """
    import qiskit  # noqa: F401


def packages() -> dict[str, str]:
    """The packages that its simulators are made of, with their versions."""
    return installed("numpy", "qiskit", "qiskit-aer")


def ideal_twin(profile: ExecutionProfile) -> ExecutionProfile:
    """The same question to an ideal simulator: shots, seed, estimator, compilation and limits stay."""
    return profile.model_copy(update={"mode": "ideal", "providers": ("statevector", "aer"), "backend": None})
