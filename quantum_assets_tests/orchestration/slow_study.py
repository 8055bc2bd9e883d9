"""The small study under profiles that a service of its own answers, and the ticks that follow its jobs."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster.components.testing import create_defs_folder_sandbox

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.tickets import build_tickets_sensor, collecting_jobs
from quantum_assets_tests.components.small import ATTRIBUTES, PROFILES, write_study
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.storage import storage_without_courier

SLOW: dict[str, Any] = {
    "mode": "managed",
    "estimator": "circuits",
    "providers": ["remote"],
    "backend": "rehearsal",
    "shots": 16,
    "seed": 5,
    "asynchronous": True,
    "guardrails": {"max_samples": 16, "max_circuits": 1000},
    "routing": {"fallback": "ideal"},
}
TINY: dict[str, Any] = {
    "feature_maps": [{"kind": "zz", "reps": 1, "bandwidths": [0.2]}],
    "baselines": ["majority"],
    "protocol": {"outer_folds": 2, "repeats": 1, "inner_folds": 2, "budget": 1, "c_grid": [1.0]},
}
#: Matrices that the study asks for: all rows; and two folds, each with and without entanglers.
MATRICES = 5
MOST_TICKS = 2000


@dataclass(frozen=True)
class Study:
    """A loaded study with an instance of its own.

    Attributes:
        defs: With storage, execution room and the tickets sensor.
        instance: Dagster's.
        home: Of store and ledger.
        room: The execution room.
    """

    defs: dg.Definitions
    instance: dg.DagsterInstance
    home: Path
    room: ExecutionRoom

    @property
    def ledger(self) -> Ledger:
        return Ledger.in_home(self.home)

    def run(self, job: str, profile: str = "slow", raises: bool = True) -> dg.ExecuteInProcessResult:
        """Run one of its jobs in this process."""
        return self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=profile, raise_on_error=raises
        )

    def tick(self, cursor: str | None = None) -> SensorExecutionData:
        """One tick of the sensor, as the daemon makes it; the room is opened anew, as in a new process."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            resources={EXECUTION_KEY: room_in(self.home, Path(self.room.profiles_file))},
            definitions=self.defs,
            sensor_name="quantum_tickets",
        )
        return self.defs.resolve_sensor_def("quantum_tickets").evaluate_tick(context)

    def ticks(self, cursor: str | None = None) -> SensorExecutionData:
        """Ticks until one asks for a run: the provider works meanwhile, as fast as it can."""
        for _ in range(MOST_TICKS):
            told = self.tick(cursor)
            if told.run_requests:
                return told
            cursor = told.cursor
            time.sleep(0.02)
        raise AssertionError(f"no run was asked for; the last tick said: {told.skip_message}")

    def made(self, run: dg.ExecuteInProcessResult) -> set[str]:
        """Names of the assets that a run made."""
        return {
            event.asset_key.path[-1]
            for event in run.all_events
            if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key is not None
        }


Load = Callable[..., Study]


@contextmanager
def loading(folder: Path, more: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[Load]:
    """Gives a function that loads the study with profile `slow` and `more` below a folder."""
    extra = {"slow": SLOW, **(more or {})}
    instance_home = folder / "dagster"
    instance_home.mkdir()
    with (
        create_defs_folder_sandbox() as sandbox,
        dg.DagsterInstance.local_temp(str(instance_home), overrides={"telemetry": {"enabled": False}}) as instance,
    ):

        def load(kind: type[ExecutionRoom] = ExecutionRoom, **changes: Any) -> Study:
            attributes = TINY | {"profiles": ["ideal", *extra]} | changes
            document = {"type": "quantum_assets.components.KernelStudy", "attributes": ATTRIBUTES | attributes}
            path = sandbox.scaffold_component(component_cls=KernelStudy, defs_path="small", defs_yaml_contents=document)
            write_study(Path(sandbox.defs_folder_path), "small", **attributes)
            profiles = Path(sandbox.defs_folder_path) / "profiles.yaml"
            profiles.write_text(yaml.safe_dump({**PROFILES, **extra}, sort_keys=False))
            with sandbox.load_component_and_build_defs(defs_path=path) as (_component, found):
                room = kind(**room_in(folder / "home", profiles).model_dump())
                ours = dg.Definitions(
                    resources={STORAGE_KEY: storage_without_courier(folder / "home"), EXECUTION_KEY: room},
                    sensors=[build_tickets_sensor(collecting_jobs(found))],
                )
                return Study(dg.Definitions.merge(found, ours), instance, folder / "home", room)

        yield load


def accepted_jobs(url: str) -> list[dict[str, Any]]:
    """What the provider accepted, by its own account."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/witness", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return list(found["jobs"])


def post_faults(url: str, *faults: Mapping[str, Any]) -> None:
    """Let the provider go wrong."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(f"{url}/faults", json.dumps(faults).encode(), method="POST")
    opener.open(asked, timeout=10).close()
