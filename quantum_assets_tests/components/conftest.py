"""Fixtures: a small study loaded through Dagster's own component loading, with a store and an instance of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.orchestration.execution import EXECUTION_KEY
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets_tests.components.small import ATTRIBUTES, write_study
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.storage import storage_without_courier

Loader = Callable[..., dg.Definitions]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where this test's store and outbox are."""
    return tmp_path / "home"


@pytest.fixture
def load_study(home: Path) -> Iterator[Loader]:
    """Load a small study with some attributes changed."""
    with create_defs_folder_sandbox() as sandbox:

        def load(**changes: Any) -> dg.Definitions:
            document = {"type": "quantum_assets.components.KernelStudy", "attributes": ATTRIBUTES | changes}
            path = sandbox.scaffold_component(component_cls=KernelStudy, defs_path="small", defs_yaml_contents=document)
            write_study(Path(sandbox.defs_folder_path), "small", **changes)
            with sandbox.load_component_and_build_defs(defs_path=path) as (_component, defs):
                return dg.Definitions.merge(
                    defs,
                    dg.Definitions(
                        resources={
                            STORAGE_KEY: storage_without_courier(home),
                            EXECUTION_KEY: room_in(home, Path(sandbox.defs_folder_path) / "profiles.yaml"),
                        }
                    ),
                )

        yield load


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance on SQLite, as users have."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}}) as made:
        yield made
