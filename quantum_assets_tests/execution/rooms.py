"""Execution rooms in a folder of the test's own, with the real providers and the real trust boundary."""

from collections.abc import Mapping
from pathlib import Path

from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.execution import ExecutionRoom, control_plane

DEFS = Path(__file__).resolve().parents[2] / "quantum_assets" / "defs"


def session_in(home: Path, profiles: Mapping[str, ExecutionProfile] | None = None) -> Session:
    """A session of study `toy` in a home."""
    return Session(control_plane(home, profiles=profiles), "toy", "p", "run-1", "run-1")


def room_in(home: Path, profiles_file: Path | None = None) -> ExecutionRoom:
    """The resource, with the shipped budgets and the given or the shipped profiles."""
    return ExecutionRoom(
        home=str(home),
        profiles_file=str(profiles_file or DEFS / "profiles.yaml"),
        budgets_file=str(DEFS / "budgets.yaml"),
    )
