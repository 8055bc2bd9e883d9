"""Optimisation studies small enough to be decided inside a test, loaded through Dagster's own component loading."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.orchestration.execution import EXECUTION_KEY
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.stored import with_origin
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.storage import storage_without_courier

PROFILES: dict[str, Any] = {
    "ideal": {"mode": "ideal", "providers": ["statevector", "aer"]},
    "sampled": {"mode": "ideal", "estimator": "binomial", "providers": ["statevector", "aer"], "shots": 256, "seed": 5},
    "broken": {"mode": "ideal", "estimator": "binomial", "providers": ["nowhere"], "shots": 64},
    "saved": {
        "mode": "ideal",
        "estimator": "binomial",
        "providers": ["nowhere"],
        "shots": 64,
        "routing": {"fallback": "ideal"},
    },
    "noisy": {
        "mode": "noisy",
        "estimator": "circuits",
        "providers": ["aer"],
        "shots": 512,
        "seed": 5,
        "noise": {"depolarizing_2q": 0.05, "readout": 0.05},
        "guardrails": {"max_qubits": 7},
    },
}
QUANTUM: dict[str, Any] = {"layers": 1, "training": {"evaluations": 15}, "shots": 200}
ROUTES: dict[str, Any] = {
    "problem": {"kind": "delivery_routes", "cities": 6, "candidates": 8},
    "quantum": QUANTUM,
    "classical": {"seconds": 30},  # a cap that no busy machine reaches: the rivals end by their own budgets
    "profiles": ["ideal", "sampled", "broken", "saved"],
    "owner": "team:tests",
    "tags": {"domain": "test"},
}
PETERSEN: dict[str, Any] = {
    **ROUTES,
    "problem": {"kind": "max_cut", "graph": "petersen"},
    "quantum": {**QUANTUM, "most_variables": 8},
    "profiles": ["ideal", "noisy", "broken"],
}
"""Ten variables, of which eight are left for the quantum step, and seven under noise."""
STOCKS: dict[str, Any] = {
    "problem": {"kind": "portfolio", "choose": 2, "tickers": ["AAPL", "GE", "KO", "MSFT", "PG"], "look_back": 60},
    "periods": {"first": "2020-01", "last": "2020-03"},
    "quantum": {**QUANTUM, "mixer": "xy_ring"},
    "classical": {"seconds": 30},  # a cap that no busy machine reaches: the rivals end by their own budgets
    "profiles": ["ideal", "sampled"],
}


@dataclass(frozen=True)
class Decided:
    """A loaded study with a home and an instance of its own.

    Attributes:
        name: Of the study.
        defs: With storage and execution room.
        instance: Dagster's.
        home: Of store and ledger.
        folder: Where its `defs.yaml` is.
    """

    name: str
    defs: dg.Definitions
    instance: dg.DagsterInstance
    home: Path
    folder: Path

    def run(self, key: str, job: str = "job") -> dg.ExecuteInProcessResult:
        """Run one of its jobs for one partition in this process."""
        return self.defs.resolve_job_def(f"{self.name}_{job}").execute_in_process(
            instance=self.instance, partition_key=key, raise_on_error=False
        )

    @property
    def versions(self) -> dict[str, str]:
        """Digest of everything that is stored, by asset and partition."""
        store = Store(Home(self.home).store)
        return {
            f"{'/'.join(asset)} {dict(partition)}": store.find(asset, partition).version
            for asset, partition in store.assets()
        }

    def provenance(self, asset: str, **partition: str) -> dict[str, Any]:
        """How the newest version of an asset was made."""
        return dict(Store(Home(self.home).store).find((self.name, asset), partition).provenance)


Load = Callable[..., Decided]


@contextmanager
def loading(folder: Path) -> Iterator[Load]:
    """Gives a function that loads a study from attributes and further files beside it; `folder` holds its home.

    Events are kept in memory: SQLite costs a third of such a run, and kernel studies are tested with it.
    """
    with create_defs_folder_sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:

        def load(attributes: dict[str, Any], name: str = "small", files: dict[str, str] | None = None) -> Decided:
            document = {"type": "quantum_assets.components.OptimizationStudy", "attributes": attributes}
            path = sandbox.scaffold_component(
                component_cls=OptimizationStudy, defs_path=name, defs_yaml_contents=document
            )
            top = Path(sandbox.defs_folder_path)
            for file, text in (files or {}).items():
                (top / name / file).write_text(text)
            (top / "profiles.yaml").write_text(yaml.safe_dump(PROFILES, sort_keys=False))
            with sandbox.load_component_and_build_defs(defs_path=path) as (_component, found):
                resources = {
                    STORAGE_KEY: storage_without_courier(folder / "home"),
                    EXECUTION_KEY: room_in(folder / "home", top / "profiles.yaml"),
                }
                defs = dg.Definitions.merge(found, dg.Definitions(resources=resources))
                return Decided(name, defs, instance, folder / "home", top / name)

        yield load


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """The step that failed first, and what it said."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data: Any = event.event_specific_data
            described = data.user_failure_data
            return str(event.step_key), described.description if described else data.error.message
    return "", ""


def samples_table(*rows: tuple[str, int, float], **made: Any) -> pa.Table:
    """Stored samples of bits, count and violations, a line of history after them, and provenance."""
    lines = [
        {"part": "sample", "bits": bits, "count": count, "violations": violations} for bits, count, violations in rows
    ]
    lines.append({"part": "history", "bits": "", "count": 0, "violations": None})  # type: ignore[dict-item]
    return with_origin(pa.Table.from_pylist(lines), "v", {"path": "quantum", "maker": "qaoa", **made})
