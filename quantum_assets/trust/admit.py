"""Judge one envelope: run every check, collect every reason, and say yes or no."""

from quantum_assets.contracts.envelope import AdmittedResult, RejectedResult, ResultEnvelope
from quantum_assets.contracts.errors import RejectedError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.trust.checks import CHECKS, Claim


def admit(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> AdmittedResult | RejectedResult:
    """Judge an answer against its question; nothing in the envelope is believed that can be recomputed here.

    Args:
        envelope: The claim that came back.
        workload: What was asked, as planned and not as echoed.
        profile: How it was to be run.

    Returns:
        An `AdmittedResult` naming every check passed, or a `RejectedResult` with all reasons, each led by its check.
    """
    claim = Claim(envelope, workload, profile)
    reasons = tuple(f"{check.__name__}: {reason}" for check in CHECKS for reason in check(claim))
    if reasons:
        return RejectedResult(envelope, reasons)
    return AdmittedResult(envelope, tuple(check.__name__ for check in CHECKS))


def require(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> AdmittedResult:
    """Admit an answer or stop.

    Raises:
        RejectedError: With every reason; `culprit` names the provider and the question.
    """
    verdict = admit(envelope, workload, profile)
    if isinstance(verdict, RejectedResult):
        asked = workload.label or workload.circuit.name
        raise RejectedError(f"{envelope.effective.provider} for {asked} under profile {profile.name}", verdict.reasons)
    return verdict
