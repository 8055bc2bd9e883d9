"""A few noisy evaluations after exact training: quantum in the loop, under a budget of evaluations, shots and money.

Each evaluation asks the execution room for measured shots under the loop's own profile. The best of many noisy values
flatters itself, so nothing is decided here: the final between angles (`quantum_final`) is judged by fresh shots.

Whatever goes wrong on the way ends the stage with its reason; the exact angles are always there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from quantum_assets.components.quantum_sampler import (
    GENUINE,
    Trained,
    best_decoded,
    cost_of,
    resumed,
    sampled,
    workload_of,
)
from quantum_assets.contracts.errors import BudgetError, PlanError, ProviderError
from quantum_assets.contracts.money import MICROS
from quantum_assets.contracts.optimization import QuantumSpec
from quantum_assets.contracts.problem import Ising, Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.qaoa import AngleTable, TrainingBudget
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.execution.choosing import require_able
from quantum_assets.execution.cost import estimate
from quantum_assets.execution.session import Session
from quantum_assets.qaoa.training import (
    Evaluation,
    Guard,
    Halted,
    Reading,
    TrainingState,
    begin,
    counted_value,
)


@dataclass(frozen=True, eq=False)
class Loop:
    """One partition's loop: what is asked, where, and for whom.

    Attributes:
        ready: The trained ansatz at its best exact angles.
        kernel: The instance as the quantum step gets it; it decodes samples.
        spec: The quantum step.
        refines: Where noisy evaluations run; None: there are none.
        profile: The one that is asked for, which samples the finalists.
        session: The way into the execution room.
        label: Whose questions they are.
    """

    ready: Trained
    kernel: Problem
    spec: QuantumSpec
    refines: ExecutionProfile | None
    profile: ExecutionProfile
    session: Session
    label: str

    @cached_property
    def ising(self) -> Ising:
        """What samples are weighed by."""
        return self.kernel.encode().ising

    @property
    def noisy_profile(self) -> ExecutionProfile | None:
        """Where noisy evaluations run, with a seed of its own: finalists are judged on shots that are fresh."""
        if self.refines is None:
            return None
        return self.refines.model_copy(update={"seed": (self.refines.seed + 1) % 2**63})

    @property
    def skipped(self) -> str:
        """Why there is no noisy stage; empty where there is one."""
        wide, refines = self.ready.circuit.n_qubits, self.refines
        if refines is None:
            return "The study asks for no noisy evaluations."
        if self.profile.mode == "ideal":
            return f"Profile {self.profile.name} is ideal: there is no noise to account for."
        if wide > refines.guardrails.max_qubits:
            most = refines.guardrails.max_qubits
            return f"The instance has {wide} variables, and profile {refines.name} takes {most}."
        return ""


@dataclass(frozen=True)
class Prices:
    """What one more of each is expected to cost, in the budget's currency; 0 where nothing is limited.

    Attributes:
        evaluation: A noisy evaluation.
        finalist: A sample under the profile asked for.
        currency: Of both; empty: nothing is limited.
    """

    evaluation: float = 0.0
    finalist: float = 0.0
    currency: str = ""


@dataclass(frozen=True, eq=False)
class Refined:
    """What came of the noisy stage.

    Attributes:
        state: Its history; None where it did not begin.
        ending: Why it ended, or why it did not begin.
    """

    state: TrainingState | None
    ending: str

    @property
    def history(self) -> tuple[Evaluation, ...]:
        """Its evaluations in order."""
        return () if self.state is None else self.state.history

    @property
    def shots(self) -> int:
        """Spent on them."""
        return sum(line.shots for line in self.history)

    @property
    def cost(self) -> float:
        """Spent on them, in the budget's currency."""
        return sum(line.cost for line in self.history)


def refine(
    loop: Loop,
    *,
    resume: TrainingState | None = None,
    checkpoint: Callable[[TrainingState], None] | None = None,
    guard: Guard | None = None,
) -> Refined:
    """Go on from the exact angles under noise, as far as the loop's budget and the execution room let it.

    Args:
        loop: The partition's loop.
        resume: A state that an interrupted run left; used if it is of this question. Its evaluations are not asked for
            again.
        checkpoint: Called with the state after every evaluation.
        guard: Halts the stage, beside the loop's own budget.
    """
    noisy = loop.noisy_profile
    if loop.skipped or noisy is None:
        return Refined(None, loop.skipped)
    rules = loop.spec.loop
    budget = TrainingBudget(
        optimiser=rules.optimiser, evaluations=rules.evaluations, step=rules.step, patience=rules.patience
    )
    question = noisy_question(loop)
    try:
        prices = _prices(loop, noisy)
    except (ProviderError, BudgetError, PlanError) as failure:
        return Refined(None, str(failure))
    state = resumed(
        resume,
        begin(loop.ready.angles, budget, question),
        lambda _, angles: _reading(loop, noisy, angles),
        question,
        checkpoint,
        every=1,
        guard=lambda history: (
            (guard(history) if guard is not None else "") or _against_another(loop, noisy, prices, history)
        ),
    )
    return Refined(state, state.ending)


def noisy_question(loop: Loop) -> str:
    """What noisy evaluations minimise: circuit, objective and profile in one line."""
    noisy = loop.noisy_profile
    where = "" if noisy is None else noisy.fingerprint
    return f"{loop.ready.training.question}/{loop.ready.circuit.fingerprint}/{where}"


def _reading(loop: Loop, noisy: ExecutionProfile, angles: FloatArray) -> Reading:
    """One noisy evaluation: objective and best decoded sample of the shots that the execution room gives."""
    table = AngleTable.of(angles, "A trial of the optimiser.")
    try:
        got = sampled(replace(loop.ready, angles=table), loop.spec, noisy, loop.session, loop.label)
    except PlanError as wrong:  # a profile that is wrong stops whoever asks for it, and not who only refines with it
        raise Halted(str(wrong)) from wrong
    if got.path not in GENUINE:
        raise Halted(f"Profile {noisy.name} did not answer: {got.reason}")
    value = counted_value(loop.ising.energies(got.bits), got.counts, loop.spec.objective)
    return Reading(
        value, best_decoded(loop.kernel, loop.ising, got.bits), int(got.counts.sum()), cost_of(loop.session, got)
    )


def _prices(loop: Loop, noisy: ExecutionProfile) -> Prices:
    """What is expected of one more of each, dearest backend first; asked only where the loop limits its cost.

    Raises:
        PlanError: If the two are paid in different currencies, or one has no price.
        ProviderError: If nobody runs it.
    """
    if loop.spec.loop.max_cost is None:
        return Prices()
    (evaluation, first), (finalist, second) = (price_of(loop, profile) for profile in (noisy, loop.profile))
    if first != second and evaluation and finalist:
        raise PlanError(
            f"{loop.label}: quantum.loop.max_cost",
            f"counts {noisy.name} in {first} and {loop.profile.name} in {second}",
            "Choose a loop profile of the same currency, or leave max_cost out",
        )
    return Prices(evaluation, finalist, first if evaluation else second)


def price_of(loop: Loop, profile: ExecutionProfile) -> tuple[float, str]:
    """The dearest of the backends that could run one sample under a profile, and its currency."""
    plane, workload = loop.session.plane, workload_of(loop.ready, profile, loop.label)
    found = [
        estimate([workload], able, name, plane.provider(name).limits(able), plane.prices)
        for name, able in require_able(plane, workload, profile)
    ]
    dearest = max(found, key=lambda one: one.micros)
    return dearest.micros / MICROS, dearest.currency


def _against_another(loop: Loop, noisy: ExecutionProfile, prices: Prices, history: Sequence[Evaluation]) -> str:
    """Why no further noisy evaluation is affordable, once the finalists are set aside; empty where it is."""
    rules, shots = loop.spec.loop, noisy.shots or 0
    spent = sum(line.shots for line in history)
    aside = rules.finalists * (loop.profile.shots or 0)
    if rules.max_shots is not None and spent + shots + aside > rules.max_shots:
        return (
            f"The budget of {rules.max_shots} shots is used up: {spent} are spent, {aside} are set aside for "
            f"{rules.finalists} finalists, and another evaluation takes {shots}."
        )
    paid = sum(line.cost for line in history)
    price = max([prices.evaluation, *(line.cost for line in history)])
    aside_money = rules.finalists * prices.finalist
    if rules.max_cost is not None and paid + price + aside_money > rules.max_cost + 1e-9:
        return (
            f"The budget of {rules.max_cost:g} {prices.currency} is used up: {paid:g} is spent, {aside_money:g} is set "
            f"aside for {rules.finalists} finalists, and another evaluation costs about {price:g}."
        )
    return ""
