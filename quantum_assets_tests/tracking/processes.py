"""Children of this room that die on the way, and a gate that holds them until all are there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

from quantum_assets_tests.processes import PATIENCE, account, clean, endings

OUTBOX = ("quantum_assets_tests.tracking.fakes", "quantum_assets.tracking.sync")
MLFLOW = (
    *OUTBOX,
    "alembic.command",
    "quantum_assets_tests.tracking.conftest",
    "quantum_assets_tests.tracking.warm",
    "sqlalchemy.dialects.sqlite",
)


@dataclass
class Gate:
    """Holds each of so many processes the first time it comes by, until all of them have come."""

    processes: int
    passed: bool = False
    barrier: Barrier = field(init=False)

    def __post_init__(self) -> None:
        self.barrier = clean(*OUTBOX).Barrier(self.processes, timeout=PATIENCE)

    def pass_once(self) -> None:
        if not self.passed:
            self.passed = True
            self.barrier.wait()


def in_child(work: Callable[..., object], *arguments: Any, modules: tuple[str, ...] = OUTBOX) -> int:
    """Run in a child; its exit code, negative for the signal that ended it.

    Raises:
        AssertionError: If it raised or hung.
    """
    (ending,) = ended = endings(work, [arguments], modules=modules)
    assert ending.exitcode not in (None, 1), account(ended)
    return ending.exitcode
