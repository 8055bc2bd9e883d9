"""What a kernel study remembers of each step: its question, for MLflow."""

from quantum_assets.components.execution_records import Param, StepEvidence, step_evidence
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.orchestration.environment import environment


def study_params(plan: KernelStudyPlan) -> dict[str, Param]:
    """What the question is, for MLflow's parameter columns."""
    protocol = plan.protocol
    params: dict[str, Param] = {
        "study": plan.name,
        "question": plan.fingerprint,
        "source": plan.source.dataset or plan.source.path or "",
        "feature_maps": ", ".join(spec.name for spec in plan.feature_maps),
        "outer": f"{protocol.outer_folds}x{protocol.repeats}",
        "inner_folds": protocol.inner_folds,
        "metric": protocol.metric,
        "protocol_seed": protocol.seed,
    }
    return params | {f"version/{name}": version for name, version in environment().items()}


def evidence_of(gram: QuantumGram, profile: ExecutionProfile) -> StepEvidence:
    """Sum up the answers behind a step's matrices."""
    return step_evidence(gram.evidence, profile)
