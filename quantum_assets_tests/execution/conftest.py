"""A home with an empty ledger that was migrated once, and the processes that meet in it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.engine import engine_for
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.plane import ControlPlane
from quantum_assets_tests.execution.fakes import World

_NEIGHBOUR = "from quantum_assets.execution.owner import Owner; print(Owner.current(), flush=True); input()"


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger that holds nothing."""
    file = tmp_path_factory.mktemp("home") / "ledger.db"
    Ledger(f"sqlite:///{file}").prepare()
    engine_for(parse(f"sqlite:///{file}")).dispose()
    return file


@pytest.fixture
def world(tmp_path: Path, empty_ledger: Path) -> Iterator[World]:
    """One home; its planes play several processes."""
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    yield World(tmp_path)
    engine_for(parse(f"sqlite:///{tmp_path / 'ledger.db'}")).dispose()


@pytest.fixture
def plane(world: World) -> ControlPlane:
    """This process."""
    return world.plane()


@pytest.fixture(scope="session")
def neighbour() -> Iterator[str]:
    """Owner text of another process, which lives as long as the tests do."""
    with subprocess.Popen(
        [sys.executable, "-c", _NEIGHBOUR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("\n")
