"""Providers that answer, refuse, fail or lie about the type, as told; they count how often they ran."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets_tests.trust.honest import envelope_for


@dataclass
class FakeProvider:
    """Answers honestly unless told otherwise."""

    name: str = "fake"
    refusal: str | None = None
    answer: Callable[[Workload, ExecutionProfile], Any] = envelope_for
    runs: list[Workload] = field(default_factory=list)

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return self.refusal

    def run(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        self.runs.append(workload)
        return self.answer(workload, profile)


def raising(error: BaseException) -> Callable[[Workload, ExecutionProfile], Any]:
    """An answer that is an exception."""

    def answer(workload: Workload, profile: ExecutionProfile) -> Any:
        raise error

    return answer
