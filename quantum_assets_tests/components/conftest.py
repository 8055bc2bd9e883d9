"""Fixtures: a small study loaded through Dagster's own component loading, with a store and an instance of its own.

A run of it takes seconds. Tests that only look at what a run left share one: `materialised`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Materialised:
    """A small study in a home of its own; each profile is run once, when a test first asks for it.

    Attributes:
        home: Where its store is.
        defs: Its definitions.
        instance: On SQLite, as users have.
    """

    home: Path
    defs: dg.Definitions
    instance: dg.DagsterInstance
    _results: dict[str, dg.ExecuteInProcessResult] = field(default_factory=dict)

    def under(self, profile: str) -> dg.ExecuteInProcessResult:
        """The first run under a profile."""
        if profile not in self._results:
            self._results[profile] = self.again(profile)
        return self._results[profile]

    def again(self, profile: str) -> dg.ExecuteInProcessResult:
        """One more run under a profile."""
        return self.defs.resolve_job_def("small_job").execute_in_process(
            instance=self.instance, partition_key=profile, raise_on_error=False
        )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where this test's store and outbox are."""
    return tmp_path / "home"


@pytest.fixture
def load_study(home: Path) -> Iterator[Loader]:
    """Load a small study with some attributes changed."""
    with _loading(home) as load:
        yield load


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance on SQLite, as users have."""
    with _instance_in(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def quick_instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory, for runs of which only the result is looked at."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(scope="module")
def materialised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Materialised]:
    """The small study and its runs, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("materialised")
    with _loading(folder / "home") as load, _instance_in(folder) as made:
        yield Materialised(folder / "home", load(), made)


@contextmanager
def _loading(home: Path) -> Iterator[Loader]:
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


@contextmanager
def _instance_in(folder: Path) -> Iterator[dg.DagsterInstance]:
    (folder / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(folder / "dagster"), overrides={"telemetry": {"enabled": False}}) as made:
        yield made
