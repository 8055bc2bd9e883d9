"""The shipped optimisation studies, made quick, against a paid vendor whose bad day is scripted; no Dagster.

Everything of ours is real: steps, ledger (a SQLite file), failure policy, breakers, budgets, trust, store and checks.
The vendor is the witness behind chaos; the clock moves when somebody sleeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from quantum_assets.components import optimization_study_clock as clock
from quantum_assets.components import optimization_study_decision as deciding
from quantum_assets.components import optimization_study_sampling as sampling
from quantum_assets.components import optimization_study_steps as steps
from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.components.optimization_study_checks import (
    decision_recomputed,
    never_worse_than_a_member,
    published_is_feasible,
)
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.yaml_values import (
    ClassicalYaml,
    PeriodsYaml,
    PolicyYaml,
    ProblemYaml,
    QuantumYaml,
)
from quantum_assets.contracts.envelope import ResultEnvelope, Samples
from quantum_assets.contracts.jobs import Limits
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.optimization import DecisionPolicy
from quantum_assets.contracts.problem import Bits, Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.tables import DECISION
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.checkpoints import Checkpoints
from quantum_assets.orchestration.checks import CheckOutcome, follows_contract
from quantum_assets.orchestration.execution import trust_reasons
from quantum_assets.orchestration.partitions import PERIOD, PROFILE
from quantum_assets.orchestration.stored import Stored, with_origin
from quantum_assets.store.store import Store
from quantum_assets_tests.chaos.faults import Fault, Script
from quantum_assets_tests.chaos.provider import ChaosProvider
from quantum_assets_tests.chaos.witness import Witness
from quantum_assets_tests.execution.clocks import START, ManualClock
from quantum_assets_tests.faults.world import POLICY, PRICES, Spare
from quantum_assets_tests.regression.shipped import DEFS, loaded
from quantum_assets_tests.trust.honest import envelope_for

STUDIES = ("delivery_routes", "karate_independent_set", "karate_max_cut", "shift_schedule", "sp500_portfolio")
SHOTS = 200
PAID = ExecutionProfile(
    name="paid",
    mode="managed",
    estimator="circuits",
    providers=("paid",),
    backend="here",
    shots=SHOTS,
    seed=5,
)
SPARE = PAID.model_copy(update={"name": "spare", "providers": ("local",), "backend": None})
#: A quantum step that is over at once.
QUICK: dict[str, Any] = {
    "mixer": "x",  # under which rows may break a portfolio's rule
    "layers": 1,
    "training": {"evaluations": 5},
    "most_variables": 8,
    "narrowing": "freeze",
    "shots": SHOTS,
}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A study up to the point where the quantum backend is asked.

    Attributes:
        plan: Of the study.
        period: Decided for; empty: the study has none.
        problem: As the next step loads it; so are the other two.
        solutions: Of the rivals.
        jobs: The trained circuit.
        checkpoints: The training, which need not be done again.
    """

    plan: OptimizationStudyPlan
    period: str
    problem: pa.Table
    solutions: pa.Table
    jobs: pa.Table
    checkpoints: Checkpoints

    @property
    def asked(self) -> Problem:
        """The instance."""
        return steps.instance(self.plan, self.period)

    @property
    def kernel(self) -> Problem:
        """What the quantum step gets of it."""
        return steps.kernel_of(self.plan, self.asked, PAID.name)


def shipped_study(name: str, **changes: Any) -> OptimizationStudyPlan:
    """The plan that `defs/<name>/defs.yaml` makes; `changes` are to its quantum step."""
    fields: dict[str, Any] = dict(yaml.safe_load((DEFS / name / "defs.yaml").read_text())["attributes"])
    fields["problem"] = ProblemYaml(**fields["problem"])
    fields["quantum"] = QuantumYaml(**{**fields["quantum"], **changes})
    fields["classical"] = ClassicalYaml(**{**fields.get("classical", {}), "seconds": 0.3})
    fields["policy"] = PolicyYaml(**fields["policy"])
    if "periods" in fields:
        fields["periods"] = PeriodsYaml(**fields["periods"])
    return OptimizationStudy(**fields).plan(DEFS / name, DEFS / "profiles.yaml")


def prepare(plan: OptimizationStudyPlan, profile: str, folder: Path, session: Session) -> Prepared:
    """The steps before the samples; `folder` keeps the training."""
    period, checkpoints = plan.periods.keys[0] if plan.periods else "", Checkpoints(folder / "training")
    problem = loaded(steps.problem(plan, period))
    solutions = loaded(steps.classical_solutions(plan, period, problem))
    jobs = loaded(sampling.quantum_jobs(plan, period, profile, problem, session, checkpoints))
    return Prepared(plan, period, problem, solutions, jobs, checkpoints)


def quick(name: str, folder: Path) -> Prepared:
    """A shipped study with a quantum step that is over at once, under the profile of the paid vendor."""
    plan = replace(shipped_study(name, **QUICK), profiles={PAID.name: PAID})
    return prepare(plan, PAID.name, folder, Backend().session(folder))


def under(study: Prepared, profile: ExecutionProfile, policy: DecisionPolicy) -> Prepared:
    """The same study with another way to run it and another policy."""
    return replace(study, plan=replace(study.plan, policy=policy, profiles={PAID.name: profile}))


@dataclass
class Backend:
    """The paid vendor and what goes wrong with it.

    Attributes:
        faults: Of its calls.
        polls: Status calls during which a job is queued.
        rows: What it measures, in turns, shape `(m, n)`; None: even coins.
        budget: What may be spent in the month.
        clock: Everybody's.
    """

    faults: Sequence[Fault] = ()
    polls: int = 1
    rows: Bits | None = None
    budget: float = 100.0
    clock: ManualClock = field(default_factory=ManualClock)

    def session(self, home: Path, plan: OptimizationStudyPlan | None = None) -> Session:
        """A step's way into an execution room of this vendor, whose answers are waited for as the policy says."""
        plane = ControlPlane.in_home(
            home,
            {"paid": self._vendor, "local": Spare},
            trust_reasons,
            profiles={PAID.name: PAID, SPARE.name: SPARE},
            budgets={"default": Budget(simulator_per_month=self.budget)},
            policy=POLICY,
            prices=PRICES,
            clock=self.clock,
        )
        session = Session(plane, "toy" if plan is None else plan.name, "p", "run-1", "run-1")
        return session if plan is None else clock.in_time(session, plan.policy, START)

    def _vendor(self) -> ChaosProvider:
        limits = Limits(max_workloads=20, durable=True, poll_seconds=10.0)
        vendor = Witness(polls=self.polls, answer=self._measured, limits_=limits)
        return ChaosProvider(vendor, Script(self.faults), self.clock.sleep)

    def _measured(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        if self.rows is None:
            return envelope_for(workload, profile)
        shots = np.array([self.rows[shot % len(self.rows)] for shot in range(SHOTS)], dtype=np.uint8)
        return envelope_for(workload, profile, Samples(np.packbits(shots, axis=-1, bitorder="little")[None], SHOTS))


@dataclass(frozen=True, eq=False)
class Decided:
    """What was published.

    Attributes:
        rows: Of the stored decision.
        path: Of the samples: by which path of the execution room they came.
        checks: What the checks of the decision say, by name.
        elapsed: Seconds from the beginning to the decision.
        samples: What it was decided from.
    """

    rows: Sequence[Mapping[str, Any]]
    path: str
    checks: Mapping[str, CheckOutcome]
    elapsed: float
    samples: pa.Table

    @property
    def published(self) -> Mapping[str, Any]:
        """The only published row."""
        (row,) = [row for row in self.rows if row["published"]]
        return row


def sampled(study: Prepared, profile: str, session: Session) -> pa.Table:
    """Ask for the samples, or collect them.

    Raises:
        UnderWay: While an asynchronous answer is not there.
    """
    return loaded(
        sampling.quantum_samples(
            study.plan, study.period, profile, study.problem, study.solutions, study.jobs, session, study.checkpoints
        )
    )


def decide(study: Prepared, profile: str, session: Session, home: Path, beginning: datetime = START) -> Decided:
    """Ask, attribute and decide, store the decision, and check what was stored; the clock runs since `beginning`."""
    plan, period = study.plan, study.period
    samples = sampled(study, profile, session)
    attributed = loaded(deciding.attribution(plan, period, samples, study.solutions, study.problem))
    made = deciding.decision(plan, period, samples, study.solutions, attributed, study.problem)
    timed = clock.timed(made, plan.policy, beginning, session.plane.clock.now())
    table = _stored(timed, plan.name, {**({PERIOD: period} if period else {}), PROFILE: profile}, home)
    checks = {
        "contract": follows_contract(DECISION)(table),
        "feasible": published_is_feasible(table),
        "objective_recomputed": decision_recomputed(plan)(table),
        "no_worse_than_members": never_worse_than_a_member(table),
        "on_time": clock.on_time(timed.metrics),
    }
    path = str(made.provenance["execution_path"])
    return Decided(table.to_pylist(), path, checks, timed.metrics[clock.ELAPSED], samples)


def _stored(made: Stored, study: str, partition: Mapping[str, str], home: Path) -> pa.Table:
    store, asset = Store(home / "store"), (study, "decision")
    commit = store.commit(asset, partition, made.table, made.contract, made.provenance)
    return with_origin(store.read(asset, partition, version=commit.version), commit.version, commit.provenance)


@cache
def every_row(n: int) -> Bits:
    """All rows of n bits, shape `(2**n, n)`."""
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.uint8)
