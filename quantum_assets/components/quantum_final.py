"""The final between angle tables: who takes part, and whose samples under the profile asked for are published.

It is judged by shots that no optimiser has seen, so that a flattering noisy minimum does not win by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantum_assets.components.quantum_loop import Loop, Refined, price_of
from quantum_assets.components.quantum_sampler import GENUINE, Sampled, Trained, at_angles, sampled
from quantum_assets.contracts.errors import BudgetError, PlanError, ProviderError
from quantum_assets.contracts.optimization import LoopSpec, QuantumSpec
from quantum_assets.contracts.problem import Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.qaoa import AngleTable
from quantum_assets.execution.session import Session
from quantum_assets.qaoa.training import TrainingState, counted_value


@dataclass(frozen=True, eq=False)
class Finalist:
    """Angles that are sampled under the profile asked for.

    Attributes:
        stage: Where they come from: exact, noisy, or the start of training.
        ready: The ansatz at these angles, with the evidence for them.
    """

    stage: str
    ready: Trained


def finalists(loop: Loop, refined: Refined) -> tuple[Finalist, ...]:
    """The best exact angles, the best noisy ones, the start, further noisy ones by value; no two alike.

    They are as many as the study asks for while shots and money last, and one under an ideal profile.

    Raises:
        PlanError: If the circuit is another ansatz at one of them.
    """
    found: list[Finalist] = []
    for stage, table in _candidates(loop, refined)[: _most_finalists(loop, refined)]:
        at = loop.ready if stage == "exact" else at_angles(loop.ready, table, loop.spec)
        found.append(Finalist(stage, at))
    return tuple(found)


def _candidates(loop: Loop, refined: Refined) -> list[tuple[str, AngleTable]]:
    ready = loop.ready
    noisy: list[tuple[str, AngleTable]] = []
    if refined.state is not None:
        ranked = sorted(range(len(refined.history)), key=lambda number: (refined.history[number].value, number))
        noisy = [("noisy", _noisy_table(refined.state, number)) for number in ranked]
    listed = [("exact", ready.angles), *noisy[:1], ("start", ready.training.start), *noisy[1:]]
    found: dict[bytes, tuple[str, AngleTable]] = {}
    for stage, table in listed:
        found.setdefault(table.vector.tobytes(), (stage, table))
    return list(found.values())


def _noisy_table(state: TrainingState, number: int) -> AngleTable:
    budget, count = state.budget, len(state.history)
    source = f"Refined under noise with {budget.optimiser}, evaluation {number} of {count}, from: {state.start.source}"
    return AngleTable.of(np.array(state.history[number].angles), source, state.start.house().flip_scale)


def _most_finalists(loop: Loop, refined: Refined) -> int:
    """How many the loop's budget allows beside what the noisy stage spent; at least one."""
    rules, most = loop.spec.loop, loop.spec.loop.finalists
    if loop.profile.mode == "ideal":
        return 1
    if rules.max_shots is not None and loop.profile.shots:
        most = min(most, (rules.max_shots - refined.shots) // loop.profile.shots)
    if rules.max_cost is not None and most > 1:
        most = min(most, _affordable(loop, rules, refined))
    return max(most, 1)


def _affordable(loop: Loop, rules: LoopSpec, refined: Refined) -> int:
    try:
        price, _ = price_of(loop, loop.profile)
    except (ProviderError, BudgetError, PlanError):  # whoever samples the one that is left tells why
        return 1
    left = (rules.max_cost or 0.0) - refined.cost
    return rules.finalists if price <= 0 else int((left + 1e-9) // price)


@dataclass(frozen=True, eq=False)
class Final:
    """What came of the final.

    Attributes:
        chosen: Number of the finalist whose samples are published.
        got: What each gave.
        values: Objective of the samples of each; None where its profile did not answer.
    """

    chosen: int
    got: tuple[Sampled, ...]
    values: tuple[float | None, ...]

    @property
    def published(self) -> Sampled:
        """The samples of the winner."""
        return self.got[self.chosen]


def final(
    asked: Sequence[Trained],
    kernel: Problem,
    spec: QuantumSpec,
    profile: ExecutionProfile,
    session: Session,
    label: str,
) -> Final:
    """Sample every finalist, or collect the samples, and choose the lowest objective; ties keep the one named first.

    Where the profile itself answered for none of them, the first one's fallback or failure stands.

    Raises:
        UnderWay: Under an asynchronous profile, while an answer is not there yet.
    """
    got = tuple(sampled(one, spec, profile, session, label) for one in asked)
    ising = kernel.encode().ising
    values = tuple(
        counted_value(ising.energies(one.bits), one.counts, spec.objective) if one.path in GENUINE else None
        for one in got
    )
    known = [(round(value, 12), number) for number, value in enumerate(values) if value is not None]
    return Final(min(known)[1] if known else 0, got, values)
