"""The final between angle tables: who takes part, and whose samples under the profile asked for are published.

It is judged by shots that no optimiser has seen, so that a flattering noisy minimum does not win by itself. The lowest
of several judgements flatters itself too (the winner's curse; Capen, Clapp and Campbell, "Competitive Bidding in
High-Risk Situations", Journal of Petroleum Technology 1971). So the shots of every finalist are parted at random: one
half judges, and only the other half of the winner is published. Halves of independent shots are independent of each
other, so what is published is as good as shots that were taken after the choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quantum_assets.components.quantum_loop import Loop, Refined, price_of
from quantum_assets.components.quantum_sampler import GENUINE, Sampled, Trained, at_angles, sampled
from quantum_assets.contracts.errors import BudgetError, PlanError, ProviderError
from quantum_assets.contracts.optimization import LoopSpec, QuantumSpec
from quantum_assets.contracts.problem import Ising, Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.qaoa import AngleTable, Objective
from quantum_assets.contracts.workload import IntArray
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
    """How many the loop's budget allows beside what the noisy stage spent; at least one.

    A profile of one shot leaves none to publish beside the one that judges.
    """
    rules, most = loop.spec.loop, loop.spec.loop.finalists
    if loop.profile.mode == "ideal" or loop.profile.shots == 1:
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
class Halves:
    """The shots of one finalist, parted at random.

    Attributes:
        judging: What it is compared by.
        publishing: What is published of it if it wins; the larger half where the number is odd.
    """

    judging: Sampled
    publishing: Sampled


@dataclass(frozen=True, eq=False)
class Final:
    """What came of the final.

    Attributes:
        chosen: Number of the finalist whose samples are published.
        got: What each gave, whole.
        values: Objective of what each was judged by, all its shots where nothing was parted; None where its profile did
            not answer.
        value: Objective of what is published; None where there is nothing.
        halves: Of each, None for one whose profile did not answer; empty where nothing was chosen by values.
    """

    chosen: int
    got: tuple[Sampled, ...]
    values: tuple[float | None, ...]
    value: float | None
    halves: tuple[Halves | None, ...] = ()

    @property
    def winner(self) -> Halves | None:
        """The parted shots of the winner; None where all its shots are published."""
        return self.halves[self.chosen] if self.halves else None

    @property
    def published(self) -> Sampled:
        """The samples of the winner that did not choose it; all of them where nothing was chosen by values."""
        return self.got[self.chosen] if self.winner is None else self.winner.publishing


def final(
    asked: Sequence[Trained],
    kernel: Problem,
    spec: QuantumSpec,
    profile: ExecutionProfile,
    session: Session,
    label: str,
) -> Final:
    """Sample every finalist, or collect the samples, and choose; see `judged`.

    Raises:
        UnderWay: Under an asynchronous profile, while an answer is not there yet.
    """
    got = tuple(sampled(one, spec, profile, session, label) for one in asked)
    return judged(got, kernel.encode().ising, spec.objective, (profile.seed, spec.seed))


def judged(got: Sequence[Sampled], ising: Ising, objective: Objective, seed: tuple[int, int]) -> Final:
    """Choose the lowest objective of the judging halves; ties keep the finalist named first.

    Where the profile itself answered for one finalist only, or gave fewer than two shots, nothing is compared: the
    first that it answered for is published with all its shots. Where it answered for none, the first one's fallback or
    failure stands.

    Args:
        got: What each finalist gave.
        ising: What samples are weighed by.
        objective: What is compared.
        seed: Of the halves, together with the number of the finalist.
    """
    answered = [number for number, one in enumerate(got) if one.path in GENUINE]
    compared = len(answered) > 1 and all(got[number].counts.sum() > 1 for number in answered)
    halves = {number: halved(got[number], seed, number) for number in answered} if compared else {}
    shots = {number: halves[number].judging if compared else got[number] for number in answered}
    values = {number: _value(one, ising, objective) for number, one in shots.items()}
    first = min(answered, default=0)
    chosen = min(answered, key=lambda number: (round(values[number], 12), number)) if compared else first
    published = halves[chosen].publishing if compared else got[chosen]
    return Final(
        chosen=chosen,
        got=tuple(got),
        values=tuple(values.get(number) for number in range(len(got))),
        value=_value(published, ising, objective) if len(published.counts) else None,
        halves=tuple(halves.get(number) for number in range(len(got))) if compared else (),
    )


def _value(one: Sampled, ising: Ising, objective: Objective) -> float:
    return counted_value(ising.energies(one.bits), one.counts, objective)


def halved(got: Sampled, seed: tuple[int, int], number: int) -> Halves:
    """Part the shots of one finalist at random: every subset of half of them is equally likely.

    Args:
        got: Its samples, two shots or more.
        seed: Of the generator.
        number: Of the finalist, whose stream is its own; it is no stream that shots are drawn from.
    """
    stream = np.random.SeedSequence(seed, spawn_key=(number,))
    judging = np.random.default_rng(stream).multivariate_hypergeometric(got.counts, int(got.counts.sum()) // 2)
    return Halves(_those(got, judging), _those(got, got.counts - judging))


def _those(got: Sampled, counts: IntArray) -> Sampled:
    """So many shots of each row; rows that are left without any are left out."""
    kept = counts > 0
    probabilities = None if got.probabilities is None else got.probabilities[kept]
    return replace(got, bits=got.bits[kept], counts=counts[kept], probabilities=probabilities)
