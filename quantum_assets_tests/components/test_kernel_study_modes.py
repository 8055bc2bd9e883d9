"""Modes side by side: an exact matrix equals its twin, a sampled and a noisy one differ by what their mode does."""

from dataclasses import replace
from pathlib import Path

import pytest

from quantum_assets.components import kernel_study_jobs as jobs
from quantum_assets.components import kernel_study_matrices as matrices
from quantum_assets.components.kernel_study_modes import ModeTables, modes
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.execution import control_plane
from quantum_assets_tests.components.test_kernel_study_jobs import NOISY, SMALL
from quantum_assets_tests.regression.shipped import loaded, shipped_plan


def test_differences_are_the_modes_own(tmp_path: Path) -> None:
    full = shipped_plan("iris")
    profiles = {name: full.profiles[name] for name in ("ideal", "sampled")} | {"noisy": NOISY}
    plan = replace(full, protocol=SMALL, baselines=("majority",), profiles=profiles)
    session = Session(control_plane(tmp_path, profiles=profiles), plan.name)
    rows = loaded(matrices.dataset(plan))
    features = loaded(matrices.features(plan, rows))
    found = {}
    for name in profiles:
        own = session.within(name)
        asked = loaded(jobs.quantum_jobs(plan, name, rows, features, own))
        kernel = matrices.quantum_kernel(plan, name, rows, features, asked, own)
        found[name] = ModeTables(loaded(kernel), None)
    side = modes(plan, found, rows, features, session)
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
