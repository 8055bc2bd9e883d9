"""Which ledger a command means, and who gives it."""

import getpass
from pathlib import Path

import pytest

from quantum_assets import definitions
from quantum_assets.cli.ledger import (
    DEFS,
    LEDGER_VARIABLE,
    find_ledger,
    new_ledger,
    open_ledger,
    open_plane,
    person,
    shipped_budgets,
)
from quantum_assets.contracts.errors import PlanError
from quantum_assets_tests.cli.homes import ledger_in


@pytest.fixture(autouse=True)
def no_ledger_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LEDGER_VARIABLE, raising=False)


def test_the_variable_and_the_folder_are_those_that_dagster_reads() -> None:
    assert (LEDGER_VARIABLE, DEFS) == (definitions.LEDGER_VARIABLE, definitions.DEFS)


def test_looking_makes_no_ledger(tmp_path: Path) -> None:
    assert find_ledger(tmp_path) is None
    for door in (open_ledger, open_plane):
        with pytest.raises(PlanError, match="holds no ledger"):
            door(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_home_s_ledger_is_found(tmp_path: Path) -> None:
    made = ledger_in(tmp_path)
    assert open_ledger(tmp_path).url == new_ledger(tmp_path).url == made.url
    assert open_plane(tmp_path).ledger.url == made.url


def test_the_environment_names_another_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger_in(tmp_path)
    elsewhere = f"sqlite:///{tmp_path / 'shared.db'}"
    monkeypatch.setenv(LEDGER_VARIABLE, elsewhere)
    assert {door(tmp_path).url for door in (open_ledger, new_ledger)} == {elsewhere}
    assert open_plane(tmp_path).ledger.url == elsewhere


def test_the_plane_has_the_shipped_budgets_and_profiles(tmp_path: Path) -> None:
    ledger_in(tmp_path)
    plane = open_plane(tmp_path)
    assert plane.budgets == shipped_budgets()
    assert "ideal" in plane.profiles


def test_a_person_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    assert person() == "ada" == getpass.getuser()
