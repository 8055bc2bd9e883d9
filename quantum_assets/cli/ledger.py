"""The ledger and the control plane of a home, for commands; and who is at the keyboard."""

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import quantum_assets
from quantum_assets.contracts.errors import PlanError

if TYPE_CHECKING:
    from quantum_assets.contracts.money import Budget
    from quantum_assets.execution.ledger.ledger import Ledger
    from quantum_assets.execution.plane import ControlPlane

#: As `definitions` names it; written again because importing that one loads Dagster. It may hold a password.
LEDGER_VARIABLE = "QUANTUM_ASSETS_LEDGER_URL"
DEFS = Path(quantum_assets.__file__).parent / "defs"


def find_ledger(home: Path) -> "Ledger | None":
    """The ledger of a home, or the one that the environment names; None where nothing was ever written."""
    from quantum_assets.execution.ledger.ledger import Ledger

    url = os.environ.get(LEDGER_VARIABLE, "")
    return Ledger.in_home(home, url) if url or (home / "ledger.db").is_file() else None


def open_ledger(home: Path) -> "Ledger":
    """The ledger of a home that has one.

    Raises:
        PlanError: If it has none: looking must not make one.
    """
    found = find_ledger(home)
    if found is None:
        raise PlanError(
            f"home {home}", "holds no ledger", "Run `quantum-assets run` first, or name another with --home"
        )
    return found


def new_ledger(home: Path) -> "Ledger":
    """The ledger of a home, made at its first use."""
    from quantum_assets.execution.ledger.ledger import Ledger

    return Ledger.in_home(home, os.environ.get(LEDGER_VARIABLE, ""))


def open_plane(home: Path) -> "ControlPlane":
    """The control plane of a home that has a ledger, with the shipped profiles and budgets.

    Raises:
        PlanError: If it has no ledger.
    """
    from quantum_assets.orchestration.execution import control_plane
    from quantum_assets.orchestration.profiles import FILE_NAME, read_profiles

    open_ledger(home)
    return control_plane(
        home,
        ledger_url=os.environ.get(LEDGER_VARIABLE, ""),
        profiles=read_profiles(DEFS / FILE_NAME),
        budgets=shipped_budgets(),
    )


def shipped_budgets(file: Path | None = None) -> "Mapping[str, Budget]":
    """The budgets in the defs folder, or of another file."""
    from quantum_assets.governance.budgets import FILE_NAME, read_budgets

    return read_budgets(file or DEFS / FILE_NAME)


def person() -> str:
    """The name of whoever gives the command, for the record.

    Raises:
        PlanError: Where the operating system knows none.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise PlanError("who you are", "is not known to this system", "Set LOGNAME to your name") from error
