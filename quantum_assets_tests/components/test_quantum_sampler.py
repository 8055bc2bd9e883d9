"""Trained, verified, asked, admitted: and whatever goes wrong on the way is an answer with its reason."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.components.quantum_sampler import SAME_STATE, handed_in, sampled, trained, workload_of
from quantum_assets.contracts.answer import Answer
from quantum_assets.contracts.envelope import Samples
from quantum_assets.contracts.errors import PlanError, UnderWay
from quantum_assets.contracts.optimization import QuantumSpec
from quantum_assets.contracts.problem import Encoding, Ising
from quantum_assets.contracts.profile import ExecutionProfile, Guardrails, Routing
from quantum_assets.contracts.qaoa import Mixer, Objective, TrainingBudget
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.session import Session
from quantum_assets.qaoa.training import TrainingState
from quantum_assets_tests.execution.fakes import LOCAL, PROFILES, STAND_IN, VENDOR, Throttled, World
from quantum_assets_tests.execution.rooms import session_in

IDEAL = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector", "aer"))
BINOMIAL = ExecutionProfile(
    name="sampled", mode="ideal", estimator="binomial", providers=("statevector", "aer"), shots=500, seed=7
)
N = 5
SPEC = QuantumSpec(layers=2, training=TrainingBudget(evaluations=30), shots=400)


def _encoding(cardinality: int | None = None, n: int = N) -> Encoding:
    rng = np.random.default_rng(4)
    terms = tuple((i,) for i in range(n)) + tuple((i, j) for i in range(n) for j in range(i + 1, n))
    return Encoding(Ising(n, terms, rng.normal(size=len(terms)), offset=1.5), cardinality=cardinality)


def _spec(**fields: Any) -> QuantumSpec:
    return QuantumSpec(**{**SPEC.model_dump(), **fields})


def _uniform_rows(encoding: Encoding) -> np.ndarray:
    rows = np.array(list(product((0, 1), repeat=N)), dtype=np.uint8)
    return rows if encoding.cardinality is None else rows[rows.sum(axis=1) == encoding.cardinality]


MIXERS: list[tuple[Mixer, int | None]] = [("x", None), ("xy_ring", 2), ("xy_complete", 3)]


@pytest.mark.parametrize(("mixer", "cardinality"), MIXERS)
@pytest.mark.parametrize("objective", [Objective(), Objective(kind="cvar", alpha=0.25)])
@pytest.mark.parametrize("start", ["fixed", "ramp", "random"])
def test_the_circuit_is_the_engine_and_training_never_loses(
    mixer: Mixer, cardinality: int | None, objective: Objective, start: str
) -> None:
    ready = trained(_encoding(cardinality), _spec(mixer=mixer, objective=objective.model_dump(), start=start), "toy")
    assert ready.difference <= SAME_STATE
    assert ready.value <= ready.training.history[0].value
    assert ready.value == pytest.approx(min(line.value for line in ready.training.history), abs=1e-12)
    assert ready.training.ending
    assert ready.circuit.n_qubits == N
    assert ready.angles.layers == 2


@pytest.mark.parametrize(("mixer", "cardinality"), MIXERS)
@pytest.mark.parametrize("alpha", [1.0, 0.25])
def test_random_value_is_the_same_objective_of_uniform_rows(
    mixer: Mixer, cardinality: int | None, alpha: float
) -> None:
    """A CVaR of trained angles must not be held against a mean: any angles would win that."""
    encoding = _encoding(cardinality)
    objective = {"kind": "cvar" if alpha < 1 else "mean", "alpha": alpha}
    ready = trained(encoding, _spec(mixer=mixer, objective=objective), "toy")
    energies = np.sort(encoding.ising.energies(_uniform_rows(encoding)))
    share = alpha * len(energies)
    whole = int(share)
    tail = (energies[:whole].sum() + (share - whole) * energies[min(whole, len(energies) - 1)]) / share
    assert ready.random_value == pytest.approx(tail, abs=1e-9)


def test_a_start_that_cannot_be_bettered_is_kept() -> None:
    ready = trained(_encoding(), _spec(training={"evaluations": 1}), "toy")
    assert ready.angles == ready.training.start
    assert ready.value == pytest.approx(ready.training.history[0].value)


class Killed(BaseException):
    """What a run does not survive."""


def test_a_run_that_was_killed_goes_on_to_the_result_of_an_unbroken_one() -> None:
    spec = _spec(training={"evaluations": 60})
    kept: list[TrainingState] = []

    def killed_at_the_second(state: TrainingState) -> None:
        if kept:
            raise Killed
        kept.append(state)

    unbroken = trained(_encoding(), spec, "toy")
    with pytest.raises(Killed):
        trained(_encoding(), spec, "toy", checkpoint=killed_at_the_second)
    assert 0 < len(kept[0].history) < len(unbroken.training.history)
    again = trained(_encoding(), spec, "toy", resume=kept[0])
    assert again.training == unbroken.training
    assert again.value == unbroken.value
    done = trained(_encoding(), spec, "toy", resume=again.training, checkpoint=kept.append)
    assert done.training == unbroken.training
    assert len(kept) == 1  # a training that is over is not made again


@pytest.mark.parametrize("lives", [0, 1, 2, 17])
def test_a_run_that_is_halted_uses_the_best_so_far_and_goes_on_another_day(lives: int) -> None:
    kept: list[TrainingState] = []
    unbroken = trained(_encoding(), SPEC, "toy")
    halted = trained(
        _encoding(),
        SPEC,
        "toy",
        checkpoint=kept.append,
        guard=lambda history: "It is late." if len(history) >= lives else "",
    )
    assert halted.training.ending == "It is late."
    assert halted.training.history == unbroken.training.history[: max(lives, 1)]  # the start is always evaluated
    assert halted.value == pytest.approx(min(line.value for line in halted.training.history), abs=1e-12)
    assert halted.value <= halted.training.history[0].value
    assert halted.difference <= SAME_STATE
    if lives < 2:
        assert halted.angles == halted.training.start
    again = trained(_encoding(), SPEC, "toy", resume=kept[-1], guard=lambda _: "")
    assert again.training == unbroken.training
    assert trained(_encoding(), SPEC, "toy", resume=again.training, guard=lambda _: "It is late.").training == (
        unbroken.training
    )


@pytest.mark.parametrize("profile", [LOCAL, VENDOR], ids=lambda p: p.name)
def test_nothing_is_asked_once_the_deadline_is_over(tmp_path: Path, profile: ExecutionProfile) -> None:
    world = World(tmp_path)
    until = world.clock.now()
    session = Session(world.plane(), "toy", "p", "run-1", "run-1", until, "the decision's deadline of 4 s")
    got = sampled(trained(_encoding(), SPEC, "toy"), SPEC, profile, session, "toy")
    assert (got.path, len(got.bits)) == ("none", 0)
    assert "no time is left of the decision's deadline of 4 s" in got.reason
    assert world.vendor.calls["submit"] == 0
    assert [one.runs for one in world.local if one.runs] == []


def test_a_state_of_another_question_is_not_used() -> None:
    other = trained(_encoding(), _spec(training={"evaluations": 12}), "toy").training
    fresh = trained(_encoding(), SPEC, "toy")
    assert trained(_encoding(), SPEC, "toy", resume=other).training == fresh.training


def test_a_state_that_another_scipy_stored_begins_anew() -> None:
    """Its record is of other angles than the optimiser asks for now; no partition may be stuck with it for ever."""
    fresh = trained(_encoding(), SPEC, "toy")
    first, second, *_ = fresh.training.history
    drifted = second.model_copy(update={"angles": tuple(angle + 1e-9 for angle in second.angles)})
    stored = fresh.training.model_copy(update={"history": (first, drifted), "ending": ""})
    assert trained(_encoding(), SPEC, "toy", resume=stored).training == fresh.training


def test_forty_variables_are_refused_before_any_circuit() -> None:
    ising = Ising(40, ((0, 39),), np.ones(1))
    kept: list[TrainingState] = []
    with pytest.raises(PlanError) as caught:
        trained(Encoding(ising), SPEC, "big", checkpoint=kept.append)
    for word in ("study big", "40 variables", "1.1e+12 amplitudes", "down to 20"):
        assert word in str(caught.value)
    assert not kept


def test_a_problem_that_does_not_fix_the_number_of_ones_takes_no_xy_mixer() -> None:
    with pytest.raises(PlanError, match="does not fix the number of ones"):
        trained(_encoding(None), _spec(mixer="xy_ring"), "toy")


@pytest.mark.parametrize("profile", [IDEAL, BINOMIAL], ids=lambda p: p.name)
@pytest.mark.parametrize(("mixer", "cardinality"), MIXERS)
def test_samples_of_the_state_are_of_the_trained_distribution(
    tmp_path: Path, profile: ExecutionProfile, mixer: Mixer, cardinality: int | None
) -> None:
    ready = trained(_encoding(cardinality), _spec(mixer=mixer), "toy")
    got = sampled(ready, SPEC, profile, session_in(tmp_path), "toy")
    assert (got.path, got.reason) == ("quantum", "")
    assert got.counts.sum() == (profile.shots or SPEC.shots)
    assert len(np.unique(got.bits, axis=0)) == len(got.bits)
    assert got.bits.dtype == np.uint8
    if cardinality is not None:
        assert (got.bits.sum(axis=1) == cardinality).all()
    state = np.abs(ready.engine.state(ready.angles.vector)) ** 2
    indices = got.bits @ (1 << np.arange(N))
    assert got.probabilities is not None
    np.testing.assert_allclose(got.probabilities, state[indices], atol=1e-9)
    shares = got.counts / got.counts.sum()
    assert np.abs(shares - got.probabilities).max() < 5 * 0.5 / np.sqrt(got.counts.sum())
    again = sampled(ready, SPEC, profile, session_in(tmp_path / "again"), "toy")
    assert np.array_equal(got.bits, again.bits)
    assert np.array_equal(got.counts, again.counts)
    other = sampled(ready, _spec(seed=1), profile, session_in(tmp_path / "other"), "toy")
    assert not np.array_equal(got.counts, other.counts)


# --- a vendor of the tests' own ---------------------------------------------------------------------------------------

ROWS = np.array([[1, 0, 0, 0, 1], [0, 1, 0, 0, 0], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=np.uint8)
CIRCUITS = VENDOR.model_copy(update={"shots": len(ROWS)})
SLOW = CIRCUITS.model_copy(update={"name": "slow", "asynchronous": True})
SAFE = CIRCUITS.model_copy(update={"routing": Routing(fallback="local")})


def measured(claims: tuple[Any, ...]) -> tuple[Any, ...]:
    """The claims with four measured rows each."""
    packed = np.packbits(ROWS, axis=1, bitorder="little")[None]
    return tuple(
        replace(
            claim, data=Samples(packed, len(ROWS)), crosscheck_difference=None, crosscheck_zscore=1.0, circuits_run=1
        )
        for claim in claims
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    profiles = {one.name: one for one in (CIRCUITS, SLOW, SAFE, LOCAL, STAND_IN)}
    return World(tmp_path, profiles={**PROFILES, **profiles})


@pytest.fixture(scope="module")
def ready() -> Any:
    return trained(_encoding(), SPEC, "toy")


def _session(world: World) -> Session:
    return Session(world.plane(), "toy", "p", "run-1", "run-1")


def test_measured_rows_are_unpacked_and_counted(world: World, ready: Any) -> None:
    world.vendor.results = [measured]
    got = sampled(ready, SPEC, CIRCUITS, _session(world), "toy")
    assert (got.path, got.reason) == ("quantum", "")
    assert got.maker == "qaoa p=2 on vendor"
    assert got.probabilities is None
    found = {"".join(map(str, row)): count for row, count in zip(got.bits.tolist(), got.counts.tolist(), strict=True)}
    assert found == {"10001": 2, "01000": 1, "11111": 1}
    assert workload_of(ready, CIRCUITS, "toy").measure == "samples"
    assert workload_of(ready, IDEAL, "toy").measure == "states"


def _refuses(world: World) -> None:
    world.vendor.refusal = "it is a Monday"


def _rejects(world: World) -> None:
    world.vendor.results = [lambda claims: tuple(replace(c, mocked=True) for c in measured(claims))] * 50


@pytest.mark.parametrize(
    ("goes_wrong", "word"), [(_refuses, "it is a Monday"), (_rejects, "made up")], ids=["refused", "not admitted"]
)
def test_without_a_fallback_a_failure_is_no_samples_with_the_reason(
    world: World, ready: Any, goes_wrong: Callable[[World], None], word: str
) -> None:
    goes_wrong(world)
    got = sampled(ready, SPEC, CIRCUITS, _session(world), "toy")
    assert (got.path, got.maker, got.found, got.probabilities) == ("none", "nobody", None, None)
    assert word in got.reason
    assert got.bits.shape == (0, N)
    assert got.counts.shape == (0,)


def test_errors_of_the_vendor_until_nobody_tries_again(world: World, ready: Any) -> None:
    world.vendor.before = [Throttled(1.0)] * 50
    got = sampled(ready, SPEC, CIRCUITS, _session(world), "toy")
    assert got.path == "none"
    assert got.reason


class StandingIn:
    """A session whose quantum path fails and whose fallback gives the exact state."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner

    def obtain(self, workload: Workload, profile: ExecutionProfile) -> Answer:
        exact = self.inner.answer(replace(workload, measure="states"), IDEAL)
        return replace(exact, path="classical", reason=f"{profile.name} is out of order")


def test_an_exact_fallback_is_drawn_from_and_says_why_it_answers(tmp_path: Path, ready: Any) -> None:
    got = sampled(ready, SPEC, SAFE, StandingIn(session_in(tmp_path)), "toy")  # type: ignore[arg-type]
    assert (got.path, got.reason) == ("classical", "vendor-100 is out of order")
    assert got.maker == "qaoa p=2 on aer"
    assert got.counts.sum() == SAFE.shots
    assert got.probabilities is not None


def test_the_fallback_of_the_room_answers_and_says_why(world: World, ready: Any) -> None:
    simulator = CIRCUITS.model_copy(update={"name": "simulated", "providers": ("other",)})
    safe = CIRCUITS.model_copy(update={"routing": Routing(fallback="simulated")})
    world.profiles = {**world.profiles, "simulated": simulator, safe.name: safe}
    world.vendor.refusal, world.other.results = "it is a Monday", [measured]
    got = sampled(ready, SPEC, safe, _session(world), "toy")
    assert got.path == "classical"
    assert "it is a Monday" in got.reason
    assert got.counts.tolist() == [1, 2, 1]


def test_an_asynchronous_answer_is_under_way_until_it_is_there(world: World, ready: Any) -> None:
    from quantum_assets.execution.answering import turn_ledger

    world.vendor.results = [measured]
    session = _session(world)
    ((ticket,),) = handed_in([ready], SLOW, session, "toy")
    assert ticket.provider == "vendor"
    assert world.vendor.calls["submit"] == 1
    with pytest.raises(UnderWay) as caught:
        sampled(ready, SPEC, SLOW, session, "toy")
    assert "on its way" in str(caught.value)
    for _ in range(3):
        turn_ledger(session.plane)
        world.clock.sleep(60)
    got = sampled(ready, SPEC, SLOW, session, "toy")
    assert (got.path, got.counts.tolist()) == ("quantum", [1, 2, 1])
    assert world.vendor.calls["submit"] == 1


def test_a_request_that_nobody_takes_is_told_by_whoever_collects_it(world: World, ready: Any) -> None:
    world.vendor.refusal = "it is a Monday"
    session = _session(world)
    assert handed_in([ready], SLOW, session, "toy") == ((),)
    got = sampled(ready, SPEC, SLOW, session, "toy")
    assert got.path == "none"
    assert "it is a Monday" in got.reason


def test_nothing_is_handed_in_under_a_profile_that_answers_at_once(world: World, ready: Any) -> None:
    assert handed_in([ready], CIRCUITS, _session(world), "toy") == ((),)
    assert world.vendor.calls["submit"] == 0


LIMITS: dict[str, Guardrails] = {
    "4 qubits, the profile allows": Guardrails(max_qubits=3),
    "has depth": Guardrails(max_depth=1),
    "two-qubit gates, the profile allows 1": Guardrails(max_two_qubit_gates=1),
    "GB of memory is needed": Guardrails(max_memory_bytes=1_000_000),
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["at once", "ahead"])
@pytest.mark.parametrize("word", LIMITS)
def test_more_than_the_profile_allows_is_no_samples_with_the_figure(
    world: World, ready: Any, word: str, asynchronous: bool
) -> None:
    shots = 600_000 if "memory" in word else len(ROWS)
    changes = {"guardrails": LIMITS[word], "shots": shots, "asynchronous": asynchronous}
    profile, session = CIRCUITS.model_copy(update=changes), _session(world)
    assert handed_in([ready], profile, session, "toy") == ((),)
    got = sampled(ready, SPEC, profile, session, "toy")
    assert (got.path, len(got.bits)) == ("none", 0)
    assert word.replace("4", str(N)) in got.reason
    assert world.vendor.calls["submit"] == 0


def test_a_circuit_that_is_wrong_under_any_profile_is_an_error(world: World, ready: Any) -> None:
    strange = replace(ready, circuit=replace(ready.circuit, operations=("cx", "oracle")))
    for profile in (CIRCUITS, CIRCUITS.model_copy(update={"guardrails": Guardrails(max_qubits=3)})):
        with pytest.raises(PlanError, match="unsupported operations: oracle"):
            sampled(strange, SPEC, profile, _session(world), "toy")
