"""The kinds of study: YAML in; assets, checks, jobs and schedules out. One file a kind, one line here."""

from quantum_assets.components.kernel_study import KernelStudy

__all__ = ["KernelStudy"]
