"""Every shipped optimisation study under every failure of the quantum path: a stored, feasible decision, in time, that
says by which path it came and what failed; and with everything healthy no ensemble is worse than its best member.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

import quantum_assets
from quantum_assets.components import optimization_study_sampling as sampling
from quantum_assets.components.optimization_study_steps import read_bits, samples_of
from quantum_assets.contracts.errors import UnderWay
from quantum_assets.contracts.optimization import DecisionPolicy
from quantum_assets.contracts.problem import Bits
from quantum_assets.contracts.profile import Guardrails, Routing
from quantum_assets.execution.answering import turn_ledger
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.problems.narrowing import widened
from quantum_assets_tests.chaos.faults import Fault
from quantum_assets_tests.components.small_optimization import ROUTES, Decided, Load, failure_of, loading
from quantum_assets_tests.execution.rooms import session_in
from quantum_assets_tests.faults.optimization import (
    PAID,
    QUICK,
    STUDIES,
    Backend,
    Prepared,
    decide,
    every_row,
    prepare,
    quick,
    sampled,
    shipped_study,
    under,
)
from quantum_assets_tests.regression.shipped import loaded

DEADLINE, ANSWER = 600.0, 480.0
FALLS_BACK = {"routing": Routing(fallback="spare")}


@dataclass(frozen=True)
class Failure:
    """One way in which the quantum path fails.

    Attributes:
        told: What the reasons of the decision say, as a regular expression.
        faults: Of the vendor's calls.
        policy: Thresholds of the decision.
        profile: Changes to the profile.
        vendor: More about the vendor.
        rows: What it measures, given the study; None: even coins.
        path: By which path of the execution room the samples came.
        late: Seconds that had passed when it was asked.
    """

    told: str
    faults: tuple[Fault, ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    vendor: Mapping[str, Any] = field(default_factory=dict)
    rows: Callable[[Prepared], Bits] | None = None
    path: str = "none"
    late: float = 0.0


def _infeasible(study: Prepared) -> Bits:
    """A row that breaks the rules."""
    rows = every_row(len(study.kernel.variables))
    return rows[study.kernel.violations(rows) > 0][:1]


def _worst(study: Prepared) -> Bits:
    """The row that repair makes the least of."""
    kernel, rows = study.kernel, every_row(len(study.kernel.variables))
    sign = 1 if kernel.sense == "minimise" else -1
    return rows[[int(np.argmax(sign * kernel.objective(kernel.repair(rows))))]]


def _many(call: Any, kind: str, error: str = "http_dropped") -> tuple[Fault, ...]:
    return (Fault(call, kind, error),) * 40


FAILURES: dict[str, Failure] = {
    "braket denies": Failure(r"AccessDeniedException.*not authorized", _many("submit", "raise", "braket_denied")),
    "ibm is away": Failure(r"503.*Max retries exceeded", _many("submit", "raise", "ibm_503_storm")),
    "ibm's job fails": Failure(r"9999", _many("status", "say_failed")),
    "never ready": Failure(r"its deadline has passed", vendor={"polls": 10**6}),
    "asked too late": Failure(r"no time is left of the decision's deadline of 600 s", late=500.0),
    "answer of another": Failure(r"holds another workload's answer", _many("fetch", "foreign")),
    "answer not admitted": Failure(r"was not answered.*made up", _many("fetch", "mocked")),
    "half an answer": Failure(r"was not answered", _many("fetch", "truncate")),
    "too deep": Failure(r"has depth \d+, the profile allows 1", profile={"guardrails": Guardrails(max_depth=1)}),
    "no budget": Failure(r"0\.00 USD of 0\.00 USD is reserved or spent", vendor={"budget": 0.0}),
    "infeasible": Failure(
        r"0\.0% of its samples are feasible, below 5\.0%",
        policy={"min_feasible": 0.05},
        rows=_infeasible,
        path="quantum",
    ),
    "too few": Failure(r"200 samples, and the policy asks for 1000", policy={"min_samples": 1000}, path="quantum"),
    "too far off": Failure(
        r"worse than the best classical one, over 0\.00%", policy={"max_gap": 0.0}, rows=_worst, path="quantum"
    ),
    "a fallback answers": Failure(
        r"the quantum path did not answer \(.*503",
        _many("submit", "raise", "ibm_503_storm"),
        profile=FALLS_BACK,
        path="classical",
    ),
}
#: Every cut is feasible: there is no row that breaks a rule.
IMPOSSIBLE = {("karate_max_cut", "infeasible")}
#: Every failure in two studies every day; in the others only some that leave no samples: where there are any, the
#: control ladder is climbed as well, which takes seconds.
ALL_OF_THEM = ("karate_independent_set", "karate_max_cut")
EVERY_DAY = ("ibm is away", "never ready", "answer not admitted", "too deep", "no budget")
CELLS = [
    pytest.param(
        study,
        failure,
        marks=[] if study in ALL_OF_THEM or failure in EVERY_DAY else [pytest.mark.slow],
        id=f"{study}, {failure}",
    )
    for study in STUDIES
    for failure in FAILURES
    if (study, failure) not in IMPOSSIBLE
]


@pytest.fixture(scope="module")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prepared]:
    """Gives a prepared study by name; each is prepared once."""
    return cache(lambda name: quick(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that holds nothing: making one takes longer than a decision."""
    home = tmp_path_factory.mktemp("ledger")
    Ledger.in_home(home).prepare()
    return home / "ledger.db"


@pytest.fixture
def home(tmp_path: Path, ledger: Path) -> Path:
    shutil.copy(ledger, tmp_path / "ledger.db")
    return tmp_path


@pytest.mark.parametrize(("name", "failure"), CELLS)
def test_a_feasible_decision_in_time_that_says_what_failed(
    name: str, failure: str, study_of: Callable[[str], Prepared], home: Path
) -> None:
    wrong, ready = FAILURES[failure], study_of(name)
    policy = DecisionPolicy(deadline_seconds=DEADLINE, **wrong.policy)
    study = under(ready, PAID.model_copy(update=dict(wrong.profile)), policy)
    backend = Backend(wrong.faults, rows=None if wrong.rows is None else wrong.rows(study), **wrong.vendor)
    backend.clock.advance(wrong.late)

    decided = decide(study, PAID.name, backend.session(home, study.plan), home)

    row = decided.published
    assert (row["by"], row["path"], row["violations"]) == ("ensemble", "classical", 0)
    assert study.asked.violations(read_bits(row["bits"])[None]) == 0
    assert "ensemble without quantum: " in row["reasons"]
    assert re.search(wrong.told, row["reasons"]), row["reasons"]
    assert decided.path == wrong.path
    assert all(outcome.passed for outcome in decided.checks.values()), decided.checks
    assert decided.elapsed <= DEADLINE


@pytest.mark.parametrize("order", [("quantum", "classical"), ("quantum", "ensemble", "classical")], ids=" ".join)
def test_whatever_the_order_the_failed_path_is_passed_over(
    order: tuple[str, ...], study_of: Callable[[str], Prepared], home: Path
) -> None:
    study = under(study_of("karate_max_cut"), PAID, DecisionPolicy(order=order, deadline_seconds=DEADLINE))
    backend = Backend(_many("submit", "raise", "braket_quota"))
    decided = decide(study, PAID.name, backend.session(home, study.plan), home)
    assert decided.published["by"] == order[1]
    assert "quantum passed over: quantum: there is no answer" in decided.published["reasons"]
    assert "quota" in decided.published["reasons"]
    assert all(outcome.passed for outcome in decided.checks.values())


def test_the_same_failure_later_is_the_same_content(study_of: Callable[[str], Prepared], tmp_path: Path) -> None:
    """What a deadline leaves behind says nothing of when it was: the digest does not change."""
    study = under(study_of("karate_max_cut"), PAID, DecisionPolicy(deadline_seconds=DEADLINE))
    told = []
    for number, late in enumerate((0.0, 7.5)):
        backend = Backend(polls=10**6)
        backend.clock.advance(late)
        folder = tmp_path / str(number)
        folder.mkdir()
        told.append(decide(study, PAID.name, backend.session(folder, study.plan), folder))
    assert told[0].rows == told[1].rows
    assert "its deadline has passed" in told[0].published["reasons"]


# --- asynchronous: handed in, followed by the sensor's turns, collected -----------------------------------------------


def _handed_in(study: Prepared, backend: Backend, home: Path, **changes: Any) -> tuple[Prepared, Any]:
    """The study under an asynchronous profile, and the session that handed it in."""
    profile = PAID.model_copy(update={"asynchronous": True, "deadline_seconds": 86_400.0, **changes})
    study = under(study, profile, DecisionPolicy(deadline_seconds=DEADLINE))
    session = backend.session(home, study.plan)
    made = sampling.quantum_jobs(study.plan, study.period, PAID.name, study.problem, session, study.checkpoints)
    return replace(study, jobs=loaded(made)), session


@pytest.mark.parametrize(("changes", "path"), [({}, "none"), (FALLS_BACK, "classical")], ids=["none", "fallback"])
def test_a_ticket_ends_in_time_for_the_sensor_to_collect_it(
    changes: dict[str, Any], path: str, study_of: Callable[[str], Prepared], home: Path
) -> None:
    """The profile would wait a day; the decision's deadline ends the ticket with two minutes to spare."""
    backend = Backend(polls=10**6)
    study, session = _handed_in(study_of("karate_max_cut"), backend, home, **changes)
    turn_ledger(session.plane)
    with pytest.raises(UnderWay):
        sampled(study, PAID.name, session)
    (ticket,) = [one for one in session.plane.ledger.tickets() if not one.ended]
    backend.clock.advance(ANSWER - 1)
    turn_ledger(session.plane)
    assert not session.plane.ledger.ticket(ticket.id).ended
    backend.clock.advance(1)
    turn_ledger(session.plane)
    assert session.plane.ledger.ticket(ticket.id).ended

    backend.clock.advance(60)  # the sensor's next tick, and the start of a run
    decided = decide(study, PAID.name, session, home)

    assert decided.path == path
    assert "its deadline has passed" in decided.published["reasons"]
    assert decided.checks["on_time"].passed
    assert all(outcome.passed for outcome in decided.checks.values())
    assert ANSWER < decided.elapsed < DEADLINE


def test_a_ticket_that_nobody_ends_does_not_keep_a_decision_waiting(
    study_of: Callable[[str], Prepared], home: Path
) -> None:
    """The sensor is down, and somebody decides by hand."""
    backend = Backend(polls=10**6)
    study, session = _handed_in(study_of("karate_max_cut"), backend, home)
    backend.clock.advance(ANSWER + 5)
    decided = decide(study, PAID.name, session, home)
    assert decided.path == "none"
    assert "no time is left of the decision's deadline of 600 s" in decided.published["reasons"]
    assert all(outcome.passed for outcome in decided.checks.values())


def test_an_answer_that_came_in_time_is_used_however_late_it_is_collected(
    study_of: Callable[[str], Prepared], home: Path
) -> None:
    backend = Backend()
    study, session = _handed_in(study_of("karate_max_cut"), backend, home)
    for _ in range(5):
        turn_ledger(session.plane)
        backend.clock.advance(10)
    backend.clock.advance(DEADLINE)
    decided = decide(study, PAID.name, session, home)
    assert decided.path == "quantum"
    assert not decided.checks["on_time"].passed  # told, and the decision stands
    assert decided.checks["feasible"].passed


# --- through Dagster --------------------------------------------------------------------------------------------------


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with loading(tmp_path) as made:
        yield made


def _on_time(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (found,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "on_time"]
    return found


def _reasons(study: Decided, profile: str) -> str:
    table = quantum_assets.load(f"{study.name}/decision", home=study.home, profile=profile)
    (row,) = table[table["published"]].to_dict("records")
    assert row["violations"] == 0
    return str(row["reasons"])


def test_a_run_says_how_long_it_took_and_its_content_does_not(load: Load) -> None:
    study = load({**ROUTES, "policy": {"deadline_seconds": 3600}})
    result = study.run("broken")
    assert result.success, failure_of(result)
    check = _on_time(result)
    assert check.passed
    assert "the deadline is 3600 s" in (check.description or "")
    assert "nowhere" in _reasons(study, "broken")
    first, said = study.versions, _said(study, "broken")
    assert 0 < said["elapsed_seconds"] < 3600
    assert said["deadline_seconds"] == 3600
    again = study.run("broken", "collect")  # by hand: a clock of its own, and the same content
    assert again.success, failure_of(again)
    assert study.versions == first
    assert _said(study, "broken")["elapsed_seconds"] != said["elapsed_seconds"]
    assert _on_time(again).metadata["elapsed_seconds"].value == _said(study, "broken")["elapsed_seconds"]


def _said(study: Decided, profile: str) -> dict[str, float]:
    """The numbers in the metadata of the newest decision."""
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey([study.name, "decision"]), asset_partitions=[profile])
    event = study.instance.fetch_materializations(wanted, limit=1).records[0].asset_materialization
    assert event is not None
    return {name: one.value for name, one in event.metadata.items() if isinstance(one, dg.FloatMetadataValue)}  # type: ignore[misc]


def test_a_deadline_that_nobody_can_meet_is_told_and_stops_nothing(load: Load) -> None:
    study = load({**ROUTES, "policy": {"deadline_seconds": 0.001}})
    result = study.run("ideal")
    assert result.success, failure_of(result)
    check = _on_time(result)
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert "no time is left of the decision's deadline of 0.001 s" in _reasons(study, "ideal")
    assert study.provenance("quantum_samples", profile="ideal")["path"] == "none"


@pytest.mark.slow
def test_without_a_deadline_the_check_passes_and_says_so(load: Load) -> None:
    result = load(ROUTES).run("broken")
    assert "the policy has no deadline" in (_on_time(result).description or "")
    assert _on_time(result).passed


# --- healthy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["ideal", pytest.param("sampled", marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", ["quick", pytest.param("as shipped", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALL_OF_THEM else [pytest.mark.slow]) for name in STUDIES]
)
def test_a_healthy_ensemble_is_no_worse_than_its_best_member(
    name: str, width: str, profile: str, tmp_path: Path
) -> None:
    plan, beginning = shipped_study(name, **(QUICK if width == "quick" else {})), datetime.now(UTC)
    session = session_in(tmp_path, plan.profiles)
    study = prepare(plan, profile, tmp_path, session)
    decided = decide(study, profile, replace(session, study=plan.name), tmp_path, beginning)

    asked, kernel = study.asked, study.kernel
    quantum = widened(kernel, kernel.repair(samples_of(decided.samples)[0]))
    classical = np.vstack(
        [
            read_bits(row["bits"])
            for row in study.solutions.to_pylist()
            if row["state"] == "ran" and row["violations"] == 0
        ]
    )
    members = np.vstack([quantum[asked.violations(quantum) == 0], classical])
    sign = 1.0 if asked.sense == "minimise" else -1.0
    published = read_bits(decided.published["bits"])[None]
    assert (decided.path, decided.published["by"]) == ("quantum", "ensemble")
    assert asked.violations(published) == 0
    assert sign * asked.objective(published)[0] <= (sign * asked.objective(members)).min() + 1e-9
    assert {row["path"] for row in decided.rows} == {"quantum", "classical"}
    assert all(outcome.passed for outcome in decided.checks.values()), decided.checks
