"""Records, clocks and deliveries for the tests of this room."""

import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quantum_assets.contracts.record import DatasetInput, ModelRecord, RunRecord
from quantum_assets.tracking.clock import Clock
from quantum_assets.tracking.outbox import Delivered

COLUMNS = ("s0", "s1", "s2", "s3")


def model_bytes(**changes: Any) -> bytes:
    """Three classes, three support vectors out of four columns; decisions are easy to work out by hand."""
    arrays = {
        "classes": np.array(["ash", "birch", "cedar"]),
        "pairs": np.array([[0, 1], [0, 2], [1, 2]]),
        "rows": np.array([0, 1, 3]),
        "coefficients": np.array([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]),
        "intercepts": np.array([0.0, 0.0, 0.0]),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | changes))
    return buffer.getvalue()


def make_model(**changes: Any) -> ModelRecord:
    fields = {
        "name": "wine-kernel_model",
        "alias": "champion",
        "arrays": {"model.npz": model_bytes()},
        "input_schema": COLUMNS,
        "output_schema": ("label",),
    }
    return ModelRecord(**(fields | changes))


def make_record(number: int = 0, **changes: Any) -> RunRecord:
    """A record with something in every field; the number is in its key and its values."""
    fields = {
        "key": f"wine/quantum_kernel|ideal|{number:04d}",
        "experiment": "wine",
        "run_name": f"quantum_kernel {number}",
        "params": {"shots": 1024, "seed": number, "profile": "ideal", "exact": True},
        "metrics": {"rank": number + 0.5, "psd_defect": 0.0, "spread": float("inf")},
        "tags": {"asset": "wine/quantum_kernel", "dagster.url": "http://127.0.0.1:3000/runs/1"},
        "artifacts": {"circuit/map.qasm": b"OPENQASM 3;", "circuit/map.qpy": bytes(range(256)), "spectrum.json": b"[]"},
        "inputs": (DatasetInput("wine/dataset", f"{number:064d}", "store/wine/dataset"),),
        "started_at": 1_700_000_000_000 + number,
        "ended_at": 1_700_000_001_000 + number,
    }
    return RunRecord(**(fields | changes))


@dataclass
class FakeTime:
    """A clock that moves only when somebody sleeps on it; `events` run when their time has come."""

    now: float = 100.0
    events: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, sleep=self.sleep)

    def at(self, moment: float, event: Callable[[], None]) -> None:
        self.events.append((moment, event))

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        due = [event for moment, event in self.events if moment <= self.now]
        self.events = [(moment, event) for moment, event in self.events if moment > self.now]
        for event in due:
            event()


@dataclass
class FakeMlflow:
    """A delivery that keeps keys in memory, and fails as it is told to."""

    keys: list[str] = field(default_factory=list)
    failures: dict[str, list[Exception]] = field(default_factory=dict)

    def deliver(self, record: RunRecord) -> Delivered:
        waiting = self.failures.get(record.key) or self.failures.get("*")
        if waiting:
            raise waiting.pop(0)
        self.keys.append(record.key)
        return Delivered(record.key, f"run-{len(self.keys)}", "7")


@dataclass(frozen=True)
class Ledger:
    """A delivery that appends the key to a file which many processes share, then dawdles as it is told."""

    path: Path
    dawdle: Callable[[], None] = lambda: None

    def deliver(self, record: RunRecord) -> Delivered:
        with self.path.open("a") as file:
            file.write(f"{os.getpid()} {record.key}\n")
        self.dawdle()
        return Delivered(record.key, "run", "7")

    def lines(self) -> list[tuple[int, str]]:
        pairs = [line.split(" ", 1) for line in self.path.read_text().splitlines()] if self.path.exists() else []
        return [(int(pid), key) for pid, key in pairs]


class Saboteur:
    """Stands before a client and kills its own process, by SIGKILL, after so many calls.

    Args:
        client: The real one.
        calls: The call after which the process dies; the call itself is carried out.
        method: Counts calls of this method only, where it is given.
    """

    def __init__(self, client: Any, calls: int, method: str | None = None) -> None:
        self.client, self.left, self.method = client, calls, method

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = getattr(self.client, name)(*args, **kwargs)
            if self.method in (None, name):
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call


class HalfUpload(Saboteur):
    """Uploads one file of the artifacts and dies."""

    def __init__(self, client: Any) -> None:
        super().__init__(client, 1, "never")

    def log_artifacts(self, run_id: str, local_dir: str) -> None:
        first = min(path for path in Path(local_dir).rglob("*") if path.is_file())
        self.client.log_artifact(run_id, str(first), str(first.parent.relative_to(local_dir)))
        os.kill(os.getpid(), signal.SIGKILL)
