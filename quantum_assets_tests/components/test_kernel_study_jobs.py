"""What is asked ahead is exactly what the later steps need, and the mode table lays the answers side by side."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quantum_assets.components import kernel_study_comparison as comparison
from quantum_assets.components import kernel_study_jobs as jobs
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.contracts.money import MICROS, Budget, Price, PriceBook
from quantum_assets.contracts.profile import ExecutionProfile, Guardrails, NoiseSpec
from quantum_assets.contracts.study import Protocol
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.execution import control_plane
from quantum_assets_tests.regression.shipped import loaded, shipped_plan

NOISY = ExecutionProfile(
    name="noisy",
    mode="noisy",
    estimator="circuits",
    providers=("aer",),
    shots=32,
    seed=3,
    noise=NoiseSpec(readout=0.02),
    guardrails=Guardrails(max_samples=20),
)
SMALL = Protocol(outer_folds=2, repeats=1, inner_folds=2, budget=2, c_grid=(1.0,))


@pytest.fixture(scope="module")
def plan() -> KernelStudyPlan:
    """Iris on few rows, with one noisy profile."""
    full = shipped_plan("iris")
    profiles = {"noisy": NOISY, "ideal": full.profiles["ideal"]}
    return replace(full, protocol=SMALL, baselines=("majority",), profiles=profiles)


@pytest.fixture(scope="module")
def upstream(plan: KernelStudyPlan) -> tuple[pa.Table, pa.Table]:
    """Rows and prepared columns."""
    rows = loaded(matrices.dataset(plan))
    return rows, loaded(matrices.features(plan, rows))


def _session(plan: KernelStudyPlan, home: Path, partition: str = "noisy") -> Session:
    return Session(control_plane(home, profiles=plan.profiles), plan.name, partition, "run-1", "run-1")


def test_later_steps_find_everything_answered(
    plan: KernelStudyPlan, upstream: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    session, (rows, features) = _session(plan, tmp_path), upstream
    asked = jobs.quantum_jobs(plan, "noisy", rows, features, session)
    table: list[dict[str, Any]] = asked.table.to_pylist()
    assert [(row["model"], row["split"]) for row in table] == [
        ("quantum", "full"),
        ("quantum", "r0f0"),
        ("quantum", "r0f1"),
        ("no_entanglers", "r0f0"),
        ("no_entanglers", "r0f1"),
    ]
    different = {row["workload"]: row for row in table}
    assert asked.metrics["workloads"] == len(different)
    assert asked.metrics["shots"] == sum(row["shots"] for row in different.values())
    assert asked.metrics["tickets"] == len({name for row in table for name in row["tickets"].split()})
    assert f"5 matrices, {len(different)} of them different, of " in asked.notes["submitted"]
    assert not set(asked.notes) & set(asked.metrics), "one would hide the other on the page"
    assert {row["state"] for row in table} == {"accepted"}
    assert {row["provider"] for row in table} == {"aer"}
    assert asked.notes["bill"] == "0 USD charged, 0 USD estimated"
    circuits = [order for order in session.plane.ledger.orders() if order.provider == "aer"]
    kernel = matrices.quantum_kernel(plan, "noisy", rows, features, loaded(asked), session)
    quantum, classical = loaded(kernel), loaded(matrices.classical_kernels(plan, rows, features))
    judged = loaded(comparison.diagnostics(plan, "noisy", rows, quantum, classical))
    scored = comparison.evaluation(plan, "noisy", rows, features, judged, session)
    assert [order for order in session.plane.ledger.orders() if order.provider == "aer"] == circuits
    assert kernel.tags["qa.path"] == "quantum"
    assert kernel.tags["qa.correlation_id"] == "run-1"
    assert scored.metrics["cache_hits"] + scored.metrics["attempts"] >= scored.metrics["workloads"]
    assert session.plane.ledger.check() == ()


def test_what_was_asked_ahead_tells_its_cost(
    plan: KernelStudyPlan, upstream: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    free = _session(plan, tmp_path)
    price = Price(provider="aer", kind="simulator", task="order", per_task=0.5, currency="EUR")
    plane = replace(
        free.plane,
        prices=PriceBook(version=date(2026, 11, 22), prices=(price,)),
        budgets={"default": Budget(simulator_per_month=100.0, currency="EUR")},
    )
    asked = jobs.quantum_jobs(plan, "noisy", *upstream, replace(free, plane=plane))
    paid = sum(order.micros or 0 for order in plane.ledger.orders(settled=True))
    assert paid > 0
    assert asked.metrics["cost"] == asked.metrics["estimated_cost"] == paid / MICROS
    assert asked.notes["bill"] == f"{paid / MICROS:.6g} EUR charged, {paid / MICROS:.6g} EUR estimated"
    assert asked.provenance["currency"] == "EUR"


def test_exact_profiles_ask_nothing_ahead(
    plan: KernelStudyPlan, upstream: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    session = _session(plan, tmp_path, "ideal")
    asked = jobs.quantum_jobs(plan, "ideal", *upstream, session)
    assert asked.table.num_rows == 0
    assert "Nothing is submitted ahead" in asked.notes["submitted"]
    assert session.plane.ledger.tickets() == ()


def test_answers_that_nobody_keeps_are_asked_for_where_they_are_needed(
    plan: KernelStudyPlan, upstream: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    unkept = replace(plan, profiles={"noisy": NOISY.model_copy(update={"cache": False})})
    session = _session(unkept, tmp_path)
    asked = jobs.quantum_jobs(unkept, "noisy", *upstream, session)
    assert {row["state"] for row in asked.table.to_pylist()} == {"not submitted"}
    kernel = matrices.quantum_kernel(unkept, "noisy", *upstream, loaded(asked), session)
    assert kernel.metrics["circuits_run"] == 400
    ended = session.plane.ledger.tickets()
    assert {ticket.state for ticket in ended} == {State.ACCEPTED}
