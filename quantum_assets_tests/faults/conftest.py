"""What the room's tests share: a home of ours beside a sidecar with a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from quantum_assets.service.prices import Prices
from quantum_assets.service.server import Settings, running
from quantum_assets_tests.faults.place import PRICE, Place
from quantum_assets_tests.faults.worker import Task


@pytest.fixture(scope="module")
def kills() -> list[str]:
    """Where the processes of a module's tests were killed."""
    return []


@pytest.fixture
def place(tmp_path: Path, kills: list[str]) -> Iterator[Place]:
    with running(Settings(tmp_path / "vendor", prices=Prices(PRICE, 0), rehearsal=True)) as url:
        yield Place(Task(tmp_path / "ours", url), kills)
