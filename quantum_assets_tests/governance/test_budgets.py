"""Budgets are data: what is wrong with them is said with file, project and field."""

from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.governance.budgets import budget_of, read_budgets

SHIPPED = Path(__file__).resolve().parents[2] / "quantum_assets" / "defs" / "budgets.yaml"


def test_the_shipped_default_pays_for_little_simulation_and_no_hardware() -> None:
    budgets = read_budgets(SHIPPED)
    default = budget_of(budgets, "default")
    assert (default.project, default.currency) == ("default", "USD")
    assert (default.simulator_per_month, default.hardware_per_month) == (25.0, 0.0)
    assert default.approval_for_hardware


def test_several_projects_each_with_its_own(tmp_path: Path) -> None:
    path = tmp_path / "budgets.yaml"
    path.write_text("a: {simulator_per_month: 1}\nb: {hardware_per_month: 2.5, currency: EUR}\nc: {}\n")
    budgets = read_budgets(path)
    assert list(budgets) == ["a", "b", "c"]
    assert budgets["b"].hardware_per_month == 2.5
    assert (budgets["c"].project, budgets["c"].simulator_per_month) == ("c", 0.0)
    with pytest.raises(PlanError, match=r"project d: has no budget \(there are: a, b, c\)"):
        budget_of(budgets, "d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["holds no budgets"]),
        ("[1]", ["holds no budgets"]),
        ("a: {", ["is not YAML"]),
        ("a: 25", ["budgets.yaml: a", "is 25"]),
        ("a: {simulator_per_month: -1}", ["budgets.yaml: a", "simulator_per_month"]),
        ("a: {hardware_per_month: .inf}", ["budgets.yaml: a", "hardware_per_month"]),
        ("a: {hardware_per_month: .nan}", ["budgets.yaml: a", "hardware_per_month"]),
        ("a: {monthly: 3}", ["monthly", "Extra inputs"]),
        ("a: {approval_above_shots: 0}", ["approval_above_shots"]),
        ("a: {project: b}", ["names project b"]),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "budgets.yaml"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_budgets(path)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"Put budgets\.yaml in the defs folder"):
        read_budgets(tmp_path / "budgets.yaml")
