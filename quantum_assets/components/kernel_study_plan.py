"""A kernel study as one value: everything its steps need to know, checked against itself before anything runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.study import DataSource, FeatureMapSpec, Preparation, Protocol
from quantum_assets.datasets.loading import check_source
from quantum_assets.kernels.plan import estimate_memory, most_rows
from quantum_assets.models.baselines import BASELINES

#: The classical rivals, in the order of the registry.
BASELINE_NAMES = tuple(BASELINES)


@dataclass(frozen=True)
class KernelStudyPlan:
    """One study.

    Attributes:
        name: Key prefix of its assets.
        source: Where the rows come from.
        base: Folder that relative paths start from.
        preparation: How columns become angles.
        feature_maps: Circuit families with their bandwidths.
        baselines: Names of classical rivals.
        protocol: Folds, budget, tests.
        profiles: Execution profiles by name, the study's partitions.
    """

    name: str
    source: DataSource
    base: Path
    preparation: Preparation
    feature_maps: tuple[FeatureMapSpec, ...]
    baselines: tuple[str, ...]
    protocol: Protocol
    profiles: Mapping[str, ExecutionProfile]

    def __post_init__(self) -> None:
        unknown = [name for name in self.baselines if name not in BASELINES]
        if unknown:
            raise PlanError(
                f"study {self.name}: baselines",
                f"{', '.join(unknown)} is unknown",
                f"Choose from {', '.join(BASELINES)}",
            )
        names = [spec.name for spec in self.feature_maps]
        if len(set(names)) != len(names):
            raise PlanError(
                f"study {self.name}: feature_maps", "two entries are the same map", "Join their bandwidths in one entry"
            )
        qubits = self.preparation.qubits
        for profile in self.profiles.values():
            if qubits is not None and qubits > profile.guardrails.max_qubits:
                raise PlanError(
                    f"study {self.name}: preparation.qubits",
                    f"is {qubits} and profile {profile.name} allows {profile.guardrails.max_qubits}",
                    "Lower qubits, or leave that profile out",
                )
        check_source(self.source, self.name, self.base)

    def row_limit(self) -> tuple[int | None, Callable[[int], str]]:
        """Most rows that any profile's memory guardrail can bear, and the words for what more would cost.

        A profile that samples its rows (`max_samples`) sets no limit. Known before the data are read, so that a file of
        a million rows is refused unread.
        """
        qubits = self.preparation.qubits or 1
        budgets = [p.guardrails.max_memory_bytes for p in self.profiles.values() if p.guardrails.max_samples is None]
        limit = most_rows(min(budgets), qubits) if budgets else None

        def describe(rows: int) -> str:
            return f"a Gram matrix on {qubits} qubits would need about {estimate_memory(rows, qubits) / 1e9:,.1f} GB"

        return limit, describe

    @property
    def fingerprint(self) -> str:
        """Hash of the question the study asks, whatever the profile; its name and folder are not part of it."""
        return fingerprint(
            "kernel_study/v1", self.source, self.preparation, self.feature_maps, self.baselines, self.protocol
        )
