"""Modes side by side: an exact matrix equals its twin, a sampled and a noisy one differ by what their mode does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from quantum_assets.components import kernel_study_jobs as jobs
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components.kernel_study_assets import study_assets
from quantum_assets.components.kernel_study_modes import ModeTables, modes
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.study_look import StudyLook
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.execution import EXECUTION_KEY, control_plane
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.partitions import profile_partitions
from quantum_assets_tests.components.test_kernel_study_jobs import NOISY, SMALL
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.turns import Shelf, made_together
from quantum_assets_tests.regression.shipped import loaded, shipped_plan


@dataclass(frozen=True, eq=False)
class Run:
    """Three profiles of one small study, each with its matrix."""

    plan: KernelStudyPlan
    session: Session
    dataset: pa.Table
    features: pa.Table
    kernels: dict[str, pa.Table]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Iris on few rows: exact, sampled, noisy."""
    full = shipped_plan("iris")
    profiles = {name: full.profiles[name] for name in ("ideal", "sampled")} | {"noisy": NOISY}
    plan = replace(full, protocol=SMALL, baselines=("majority",), profiles=profiles)
    session = Session(control_plane(tmp_path_factory.mktemp("modes"), profiles=profiles), plan.name)
    rows = loaded(matrices.dataset(plan))
    features = loaded(matrices.features(plan, rows))
    kernels = {}
    for name in profiles:
        own = session.within(name)
        asked = loaded(jobs.quantum_jobs(plan, name, rows, features, own))
        kernels[name] = loaded(matrices.quantum_kernel(plan, name, rows, features, asked, own))
    return Run(plan, session, rows, features, kernels)


def test_differences_are_the_modes_own(run: Run) -> None:
    found = {name: ModeTables(kernel, None) for name, kernel in run.kernels.items()}
    side = modes(run.plan, found, run.dataset, run.features, run.session)
    by_name = {row["profile"]: row for row in side.table.to_pylist()}
    assert by_name["ideal"]["max_difference"] < 1e-12
    assert by_name["ideal"]["alignment"] == pytest.approx(1)
    # Binomial draws of 1024 shots: a standard deviation of at most 1/64 an entry
    assert 0.001 < by_name["sampled"]["rms_difference"] < 1 / 64
    assert by_name["noisy"]["rms_difference"] > 2 * by_name["sampled"]["rms_difference"]
    assert by_name["noisy"]["diagonal_mean"] < 1
    assert by_name["noisy"]["samples"] == 20
    assert by_name["noisy"]["depth"] > 0
    assert {row["path"] for row in by_name.values()} == {"quantum"}
    assert by_name["ideal"]["quantum_score"] is None
    assert "side by side" in side.notes
    assert side.figures["modes"].startswith(b"\x89PNG")


def test_two_runs_that_end_together_leave_a_version_with_both(run: Run, tmp_path: Path) -> None:
    plan, shelf, room = run.plan, Shelf(tmp_path), room_in(tmp_path)
    over = profile_partitions(plan.name, tuple(plan.profiles))
    made = {one.key.path[-1]: one for one in study_assets(plan, StudyLook("", None, {}, "1"), over)}["modes"]

    def step() -> Iterator[Any]:
        context = dg.build_asset_context(resources={STORAGE_KEY: shelf, EXECUTION_KEY: room})
        return iter(made(context, run.dataset, run.features))  # type: ignore[arg-type]

    shelf.put("ideal", {"quantum_kernel": run.kernels["ideal"]})
    more = {"quantum_kernel": run.kernels["sampled"]}
    made_of = made_together(shelf, step, lambda: shelf.put("sampled", more))
    assert [one.value.table.column("profile").to_pylist() for one in made_of] == [["ideal"], ["ideal", "sampled"]]
