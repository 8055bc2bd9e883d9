"""The kinds of study: YAML in; assets, checks, jobs and schedules out. One file a kind, one line here."""

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.components.optimization_study import OptimizationStudy

__all__ = ["KernelStudy", "OptimizationStudy"]
