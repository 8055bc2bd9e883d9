"""Asking for the matrices of a study before anyone needs them: what `quantum_jobs` submits.

Under a profile priced by the pair, configurations are chosen with exact kernels of training rows, so that every matrix
that will be run under the profile is known beforehand: one for all rows, and one an outer fold for the quantum learner
and for its ablation. They are asked for together, which lets them share orders; under an asynchronous profile this
returns as soon as they are handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from quantum_assets.components.execution_records import profile_params
from quantum_assets.components.kernel_study_inputs import open_inputs, quantum_learner, rows_under, shared_budget
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.kernel_study_records import study_params
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.dataset import Dataset, Features
from quantum_assets.contracts.money import MICROS
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.tables import JOBS
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.cost import shots_of
from quantum_assets.execution.session import Bill, Session
from quantum_assets.models.learners import KernelLearner, without_entanglers
from quantum_assets.models.tables import table_of_rows
from quantum_assets.models.tuning import tune
from quantum_assets.orchestration.stored import Stored

_BEHIND = tuple(State)
_NOTHING = "Nothing is submitted ahead: exact states are computed where they are needed."


@dataclass(frozen=True, eq=False)
class Wanted:
    """One matrix that will be run under the profile, and the workload behind it."""

    model: str
    split: str
    map: str
    bandwidth: float
    workload: Workload


def quantum_jobs(
    plan: KernelStudyPlan, profile_name: str, dataset_rows: pa.Table, feature_rows: pa.Table, session: Session
) -> Stored:
    """Ask for every matrix that this partition needs; waits for the answers only under synchronous profiles."""
    data, prepared = open_inputs(plan, dataset_rows, feature_rows)
    profile = plan.profiles[profile_name]
    prepared = prepared.restricted(rows_under(profile, data))
    asked = wanted(plan, data, prepared, profile, session) if profile.pair_priced else ()
    tickets = _asked(session, [one.workload for one in asked], profile)
    rows = [_row(one, of_it, profile) for one, of_it in zip(asked, tickets, strict=True)]
    different = {row["workload"]: row for row in rows}.values()  # folds may share a matrix, which is run once
    circuits, shots = sum(row["circuits"] for row in different), sum(row["shots"] for row in different)
    every = {ticket.id: ticket for of_it in tickets for ticket in of_it}.values()
    table = table_of_rows(rows, JOBS)
    bill, ids = session.bill(every), {ticket.correlation_id for ticket in every}
    return Stored(
        table=table,
        contract=JOBS,
        provenance=provenance(
            plan,
            {"dataset": dataset_rows, "features": feature_rows},
            profile=profile,
            correlation_ids=sorted(ids),
            currency=bill.currency,
        ),
        params=study_params(plan) | profile_params(profile),
        metrics={
            "workloads": float(len(different)),
            "circuits": float(circuits),
            "shots": float(shots),
            "tickets": float(len(every)),
            "open_tickets": float(sum(not ticket.ended for ticket in every)),
            "estimated_cost": bill.estimated / MICROS,
            "cost": bill.charged / MICROS,
        },
        notes={"submitted": _told(profile, len(rows), len(different), circuits), "bill": _costs(bill)},
        tags={"qa.correlation_id": ", ".join(sorted(ids))},
    )


def wanted(
    plan: KernelStudyPlan, data: Dataset, prepared: Features, profile: ExecutionProfile, session: Session
) -> tuple[Wanted, ...]:
    """Every matrix that the later steps will ask for under a profile priced by the pair, in the order of asking."""
    quantum, final = quantum_learner(plan, prepared, data, profile, session)
    budget = shared_budget(plan, quantum)
    outer = [split.split_id for split in prepared.outer()]
    found = [_wanted(plan, quantum, final, data, prepared, "full", budget)]
    for learner in (quantum, without_entanglers(quantum)):
        found += [_wanted(plan, learner, final, data, prepared, split_id, budget) for split_id in outer]
    return tuple(found)


def _wanted(
    plan: KernelStudyPlan,
    learner: KernelLearner,
    final: QuantumGram,
    data: Dataset,
    prepared: Features,
    split_id: str,
    budget: int,
) -> Wanted:
    tuned = tune(learner, data, prepared, split_id, plan.protocol, budget=budget)
    name, bandwidth = str(tuned.configuration["map"]), float(tuned.configuration["bandwidth"])
    spec = next(spec for spec in learner.maps if spec.name == name)
    workload = final.workload(prepared.splits[split_id], spec, bandwidth)
    return Wanted(learner.name, split_id, name, bandwidth, workload)


def _asked(
    session: Session, workloads: Sequence[Workload], profile: ExecutionProfile
) -> tuple[tuple[Ticket, ...], ...]:
    """The tickets of every workload; answers that nobody keeps are not asked for ahead."""
    if not (profile.asynchronous or profile.cached):
        return ((),) * len(workloads)
    tickets = session.submit_each(workloads, profile)
    if profile.asynchronous:
        return tickets
    session.answer_all(workloads, profile)
    return session.latest(tickets)


def _row(one: Wanted, tickets: Sequence[Ticket], profile: ExecutionProfile) -> dict[str, Any]:
    behind = min(tickets, key=lambda ticket: _BEHIND.index(ticket.state), default=None)
    return {
        "model": one.model,
        "split": one.split,
        "map": one.map,
        "bandwidth": one.bandwidth,
        "workload": one.workload.fingerprint,
        "circuits": one.workload.n_circuits,
        "shots": shots_of(one.workload, profile),
        "provider": "" if behind is None else behind.provider,
        "backend": "" if behind is None else behind.backend,
        "tickets": " ".join(ticket.id for ticket in tickets),
        "state": "not submitted" if behind is None else behind.state.value,
        "reason": "it is asked for where it is needed" if behind is None else behind.reason,
    }


def _costs(bill: Bill) -> str:
    charged, estimated = (f"{micros / MICROS:.6g} {bill.currency}" for micros in (bill.charged, bill.estimated))
    later = f"; {bill.unsettled} more to be settled" if bill.unsettled else ""
    return f"{charged} charged, {estimated} estimated{later}"


def _told(profile: ExecutionProfile, matrices: int, different: int, circuits: int) -> str:
    if not profile.pair_priced:
        return _NOTHING
    how = "handed in; the sensor collects them" if profile.asynchronous else "asked for"
    return f"{matrices} matrices, {different} of them different, of {circuits} circuits: {how}"
