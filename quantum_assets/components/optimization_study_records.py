"""What an optimisation study remembers of each step: its question, for MLflow."""

from quantum_assets.components.execution_records import Param
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.orchestration.environment import environment


def study_params(plan: OptimizationStudyPlan) -> dict[str, Param]:
    """What the question is, for MLflow's parameter columns."""
    quantum = plan.quantum
    params: dict[str, Param] = {
        "study": plan.name,
        "question": plan.fingerprint,
        "problem": plan.problem.kind,
        "mixer": quantum.mixer,
        "layers": quantum.layers,
        "start": quantum.start,
        "objective": quantum.objective.kind,
        "alpha": quantum.objective.alpha,
        "evaluations": quantum.training.evaluations,
        "policy": ", ".join(plan.policy.order),
    }
    return params | {f"version/{name}": version for name, version in environment().items()}
