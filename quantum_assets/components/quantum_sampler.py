"""Where problem, circuit, execution and trust meet: samples of a trained ansatz under one profile.

Training runs on the exact engine, which costs milliseconds an evaluation; the circuit is the artifact that is run. That
it is the trained ansatz is checked before anything is asked: both states agree to 1e-8. Under exact and binomial
profiles the state is asked for and shots are drawn from it; under circuit profiles the measured circuit is run.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from quantum_assets.circuits.qaoa import amplitudes, ansatz, binding
from quantum_assets.components.quantum_start import Origin, ansatz_of, first_angles
from quantum_assets.contracts.answer import Answer
from quantum_assets.contracts.envelope import AdmittedResult, ComplexArray, Samples, States
from quantum_assets.contracts.errors import (
    BudgetError,
    GuardrailError,
    PlanError,
    ProviderError,
    RejectedError,
    UnderWay,
)
from quantum_assets.contracts.money import MICROS
from quantum_assets.contracts.optimization import QuantumSpec
from quantum_assets.contracts.problem import Bits, Encoding, Ising, Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.contracts.workload import CircuitArtifact, FloatArray, IntArray, Measure, Workload
from quantum_assets.execution.session import Session
from quantum_assets.qaoa.engine import Engine, prepare
from quantum_assets.qaoa.sampling import draw
from quantum_assets.qaoa.training import BestSample, Evaluate, Guard, TrainingState, begin, exact_objective, train
from quantum_assets.trust.admit import require

SAME_STATE = 1e-8
#: Paths whose samples are of the profile that was asked; a fallback's are not.
GENUINE = ("quantum", "ensemble")
MOST_EXACT = 20
"""Variables of the largest ansatz that is trained and verified exactly: 2**20 amplitudes."""


@dataclass(frozen=True, eq=False)
class Trained:
    """An ansatz with its angles, and the evidence that circuit and engine are the same.

    Attributes:
        engine: The exact engine.
        circuit: The artifact.
        angles: In use: trained, or the start where training found nothing better.
        training: The whole history.
        difference: Largest difference of an amplitude between circuit and engine, up to a global phase.
        value: Objective at `angles`, exact.
        random_value: Objective of uniform bits (or of uniform rows with the right number of ones), exact: what
            `value` is to be compared with, under a CVaR too.
    """

    engine: Engine
    circuit: CircuitArtifact
    angles: AngleTable
    training: TrainingState
    difference: float
    value: float
    random_value: float


@dataclass(frozen=True, eq=False)
class Sampled:
    """What came of asking.

    Attributes:
        path: Which path of the execution room answered: quantum, classical, ensemble, or none.
        reason: Why it was not the quantum path; empty when it was.
        maker: Name for tables.
        bits: Distinct rows, shape `(m, n_variables)`; none where nobody answered.
        counts: Shots of each, shape `(m,)`.
        probabilities: Exact, where the state is known; None elsewhere.
        found: The answer and its admission; None where nobody answered.
    """

    path: str
    reason: str
    maker: str
    bits: Bits
    counts: IntArray
    probabilities: FloatArray | None = None
    found: tuple[Answer, AdmittedResult] | None = None


def trained(
    encoding: Encoding,
    spec: QuantumSpec,
    label: str,
    *,
    origin: Origin | None = None,
    resume: TrainingState | None = None,
    checkpoint: Callable[[TrainingState], None] | None = None,
    guard: Guard | None = None,
) -> Trained:
    """Train the ansatz on the exact engine, and make sure that the circuit is the same ansatz.

    Args:
        encoding: Of the instance.
        spec: The quantum step.
        label: Whose circuit it is.
        origin: Where training begins, which a warm start and carried-over angles need the instance for; None: what the
            polynomial alone gives.
        resume: A state that an interrupted run left; used if it is of this question.
        checkpoint: Called with the state as training goes on.
        guard: Halts training, which keeps its best angles so far. The start is evaluated whatever it says: its value is
            part of the evidence.

    Raises:
        PlanError: For more variables than the exact engine takes, an ansatz that does not go with the instance, or a
            circuit that is not the trained ansatz.
    """
    ising = encoding.ising
    if ising.n_variables > MOST_EXACT:
        raise PlanError(
            f"study {label}",
            f"asks an exact simulator for {ising.n_variables} variables, {2**ising.n_variables:.2g} amplitudes",
            f"Bring the instance down to {MOST_EXACT} variables",
        )
    begun = origin or Origin(ansatz_of(encoding, spec, label), first_angles(encoding, spec))
    engine = prepare(ising, begun.ansatz)
    question = f"{ising.fingerprint}/{begun.ansatz.model_dump_json()}/{spec.objective.model_dump_json()}"
    fresh = begin(begun.angles, spec.training, question)
    after_start: Guard | None = None if guard is None else lambda history: guard(history) if history else ""
    done = resumed(resume, fresh, exact_objective(engine, spec.objective), question, checkpoint, guard=after_start)
    circuit = ansatz(ising, begun.ansatz, name=f"qaoa-{spec.mixer.replace('_', '-')}-p{spec.layers}")
    return Trained(
        engine=engine,
        circuit=circuit,
        angles=done.angles,
        training=done,
        difference=_same_state(circuit, engine, done.angles),
        value=engine.value(done.angles.vector, spec.objective),
        random_value=_uniform_value(engine, spec),
    )


def at_angles(ready: Trained, angles: AngleTable, spec: QuantumSpec) -> Trained:
    """The same ansatz at other angles, with the evidence for these.

    Raises:
        PlanError: If the circuit is another ansatz there.
    """
    difference = _same_state(ready.circuit, ready.engine, angles)
    value = ready.engine.value(angles.vector, spec.objective)
    return replace(ready, angles=angles, difference=difference, value=value)


def resumed(
    resume: TrainingState | None,
    fresh: TrainingState,
    evaluate: Evaluate,
    question: str,
    checkpoint: Callable[[TrainingState], None] | None,
    every: int = 25,
    guard: Guard | None = None,
) -> TrainingState:
    """Go on with a state of this question; begin anew where there is none, or another SciPy left it."""
    if resume is not None and resume.question == fresh.question:
        with suppress(PlanError):  # whatever else is wrong is told by the new beginning
            return train(resume, evaluate, question, checkpoint, every, guard)
    return train(fresh, evaluate, question, checkpoint, every, guard)


def _same_state(circuit: CircuitArtifact, engine: Engine, angles: AngleTable) -> float:
    """By how much the circuit's amplitudes differ from the engine's; that must be rounding."""
    difference = _difference(amplitudes(circuit, angles), engine.state(angles.vector))
    if not difference <= SAME_STATE:
        raise PlanError(
            f"circuit {circuit.name}",
            f"is another ansatz than was trained: amplitudes differ by {difference:.2g}",
            "Report this; nothing was run",
        )
    return difference


def _uniform_value(engine: Engine, spec: QuantumSpec) -> float:
    """Objective of uniform rows among those that the ansatz can reach, whatever state it starts from."""
    if engine.spec.initial == "warm":
        engine = replace(engine, spec=AnsatzSpec(mixer="x", layers=spec.layers))
    return engine.value(np.zeros(2 * spec.layers), spec.objective)  # no turn: the start itself


def workload_of(ready: Trained, profile: ExecutionProfile, label: str) -> Workload:
    """What is asked: the state under exact and binomial profiles, measured shots under circuit profiles."""
    measure: Measure = "samples" if profile.estimator == "circuits" else "states"
    return Workload(ready.circuit, binding(ready.circuit, ready.angles), measure, label=label)


def handed_in(
    asked: Sequence[Trained], profile: ExecutionProfile, session: Session, label: str
) -> tuple[tuple[Ticket, ...], ...]:
    """Ask ahead under an asynchronous profile; under others it is asked where it is needed, and there are no tickets.

    Several angle tables are handed in together, so that they may share an order.

    A request that nobody takes, or that is larger than the profile's limits, is told by whoever collects it.
    """
    if not profile.asynchronous:
        return ((),) * len(asked)
    try:
        return session.submit_each([workload_of(one, profile, label) for one in asked], profile)
    except (ProviderError, BudgetError, GuardrailError):
        return ((),) * len(asked)


def sampled(ready: Trained, spec: QuantumSpec, profile: ExecutionProfile, session: Session, label: str) -> Sampled:
    """Ask for the samples, or collect them, and let the trust boundary judge the answer in this process.

    A provider, budget or trust failure that no fallback answers is an answer too: no samples, with the reason. So is a
    circuit that is larger than the profile's limits; a profile that is wrong stays an error.

    Raises:
        UnderWay: Under an asynchronous profile, while the answer is not there yet.
    """
    workload = workload_of(ready, profile, label)
    try:
        answer = _answer(session, workload, profile)
        admitted = require(answer.envelope, workload_of(ready, answer.profile, label), answer.profile)
    except UnderWay:
        raise
    except (ProviderError, BudgetError, RejectedError, GuardrailError) as failure:
        nothing = np.zeros((0, ready.circuit.n_qubits), dtype=np.uint8)
        return Sampled("none", str(failure), "nobody", nothing, np.zeros(0, dtype=np.int64))
    return _read(ready, spec, profile, answer, admitted)


def best_decoded(kernel: Problem, ising: Ising, bits: Bits) -> BestSample:
    """The lowest of some rows after the decoder that serves every source, with its energy."""
    rows = kernel.repair(bits)
    energies = ising.energies(rows)
    best = int(np.argmin(np.round(energies, 12)))
    return BestSample(bits=tuple(rows[best].tolist()), energy=float(energies[best]))


def cost_of(session: Session, got: Sampled) -> float:
    """What an answer cost, with every try behind it; a charge that is not known yet counts as estimated."""
    if got.found is None:
        return 0.0
    ledger = session.plane.ledger
    bill = session.bill([ledger.ticket(ticket) for ticket in got.found[0].tickets])
    return (max(bill.estimated, bill.charged) if bill.unsettled else bill.charged) / MICROS


def _answer(session: Session, workload: Workload, profile: ExecutionProfile) -> Answer:
    ask = session.obtain if profile.pair_priced or profile.asynchronous else session.answer
    answer = ask(workload, profile)
    if answer is None:
        raise UnderWay(workload.label, "is on its way at the provider", "Wait for the sensor, which collects it", True)
    return answer


def _read(
    ready: Trained, spec: QuantumSpec, profile: ExecutionProfile, answer: Answer, admitted: AdmittedResult
) -> Sampled:
    data, effective = admitted.envelope.data, admitted.envelope.effective
    maker = f"qaoa p={spec.layers} on {effective.backend or effective.provider}"
    if isinstance(data, States):
        weights = np.abs(data.amplitudes[0]) ** 2
        kept = weights if ready.engine.diagonal.states is None else weights[ready.engine.diagonal.states]
        draws = draw(ready.engine.diagonal, kept / kept.sum(), profile.shots or spec.shots, (spec.seed, profile.seed))
        states, counts = draws.counts
        bits = ((states[:, None] >> np.arange(ready.circuit.n_qubits)) & 1).astype(np.uint8)
        return Sampled(answer.path, answer.reason, maker, bits, counts, weights[states], (answer, admitted))
    assert isinstance(data, Samples), "a workload of samples is answered by samples"
    rows = np.unpackbits(data.packed[0], axis=1, count=ready.circuit.n_qubits, bitorder="little")
    bits, counts = np.unique(rows, axis=0, return_counts=True)
    return Sampled(answer.path, answer.reason, maker, bits, counts.astype(np.int64), None, (answer, admitted))


def _difference(circuit: ComplexArray, engine: ComplexArray) -> float:
    """Largest difference of an amplitude after the global phase is taken out."""
    phase = np.vdot(circuit, engine)
    turned = circuit * (phase / abs(phase)) if abs(phase) > 0 else circuit
    return float(np.abs(turned - engine).max())
