"""kill -9 while writing, at every named step and at random moments, judged by one checker for us and for the naive way.

A trial: the old version lies there; a forked process writes the new one and is killed; then the checker reads, a fresh
process writes again, and the checker reads once more.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.digest import table_digest
from quantum_assets.store.files import STEPS, no_op
from quantum_assets.store.maintenance import doctor
from quantum_assets.store.store import Store
from quantum_assets_tests.store.subjects import NaiveSubject, StoreSubject, Subject, forked


def answers(seed: int) -> pa.Table:
    values = np.random.default_rng(seed).random(ROWS * WIDTH)
    kind = pa.list_(pa.field("element", pa.float64(), nullable=False), WIDTH)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values), type=kind)
    ids = [f"s{i}" for i in range(ROWS)]
    return pa.table({"row": pa.array(range(ROWS), pa.int32()), "sample_id": ids, "k": vectors})


ROWS, WIDTH = 530, 30  # two row groups of short vectors: what counts is the steps, not the bytes
OLD, NEW = answers(1), answers(2)
OLD_VERSION, NEW_VERSION = table_digest(OLD, GRAM), table_digest(NEW, GRAM)
A_STEP, AT_RANDOM = 6, 60


@dataclass
class Tally:
    """What the checker counted over its trials."""

    trials: int = 0
    kills: int = 0
    torn: int = 0
    lost: int = 0
    unhealed: int = 0
    left: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"trials {self.trials}, killed {self.kills}, torn {self.torn}, lost {self.lost}, "
            f"not healed by a rerun {self.unhealed}, left behind {dict(self.left)}"
        )


def reads(read: Callable[[], pa.Table], *allowed: pa.Table) -> bool:
    """Whether a read gives exactly one of the tables allowed."""
    try:
        table = read().replace_schema_metadata()
    except Exception:  # whatever a reader meets, it has not got the table
        return False
    return any(table.equals(other) for other in allowed)


def judge(subject: Subject, killed: bool, tally: Tally) -> None:
    """Count what a reader finds after a writer has died, and after another has written again."""
    tally.trials += 1
    tally.kills += killed
    tally.torn += not (reads(subject.visible, OLD, NEW) and reads(lambda: subject.load(None), OLD, NEW))
    tally.lost += not reads(lambda: subject.load(OLD_VERSION), OLD)
    os.waitpid(forked(lambda: subject.write(NEW, no_op)), 0)
    healed = reads(subject.visible, NEW) and reads(lambda: subject.load(NEW_VERSION), NEW)
    tally.unhealed += not (healed and subject.versions() - {OLD_VERSION} == {NEW_VERSION})


def kill_at(subject: Subject, step: str, occurrence: int) -> bool:
    """Write in a process that kills itself at the n-th time it passes a step; says whether it did."""
    passed = Counter()

    def die(name: str) -> None:
        passed[name] += 1
        if name == step and passed[name] == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    _, status = os.waitpid(forked(lambda: subject.write(NEW, die)), 0)
    return os.WIFSIGNALED(status)


def kill_after(subject: Subject, seconds: float) -> bool:
    """Write in a process that is killed from outside after a while; says whether it was still at work."""
    child = forked(lambda: subject.write(NEW, no_op))
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def seconds_of_a_write(subject: Subject) -> float:
    start = time.perf_counter()
    os.waitpid(forked(lambda: subject.write(NEW, no_op)), 0)
    return time.perf_counter() - start


def ours(folder: Path) -> StoreSubject:
    subject = StoreSubject(folder)
    subject.write(OLD, no_op)
    return subject


def naive(folder: Path) -> NaiveSubject:
    subject = NaiveSubject(folder)
    subject.write(OLD, no_op)
    return subject


def count_left(root: Path, tally: Tally) -> None:
    """What `doctor` finds of the crashes, at whatever age."""
    tally.left.update(finding.kind for finding in doctor(Store(root), stale=-timedelta(hours=1)))


@pytest.mark.slow
def test_no_kill_tears_or_loses_anything(tmp_path: Path, report_figures: Any) -> None:
    tally, sure = Tally(), Tally()
    for step in STEPS:
        for trial in range(A_STEP):
            occurrence = 1 + trial % 2 if step == "object-band-written" else 1
            subject = ours(tmp_path / f"{step}-{trial}")
            killed = kill_at(subject, step, occurrence)
            assert killed, step
            judge(subject, killed, sure)
            count_left(subject.root, sure)
    longest = seconds_of_a_write(ours(tmp_path / "timed"))
    rng = random.Random(20260301)
    for trial in range(AT_RANDOM):
        subject = ours(tmp_path / f"random-{trial}")
        judge(subject, kill_after(subject, rng.uniform(0, 0.8 * longest)), tally)
        count_left(subject.root, tally)
    report_figures(f"at named steps {sure}; at random {tally}")
    assert sure.trials + tally.trials >= 100
    assert tally.kills > 0
    for one in (sure, tally):
        assert (one.torn, one.lost, one.unhealed) == (0, 0, 0)
        assert set(one.left) <= {"stale temporary file"}


def test_the_same_checker_fails_the_naive_way(tmp_path: Path, report_figures: Any) -> None:
    tally = Tally()
    for trial in range(12):
        subject = naive(tmp_path / str(trial))
        killed = kill_at(subject, "written", trial) if trial else kill_at(subject, "opened", 1)
        assert killed
        judge(subject, killed, tally)
    report_figures(f"naive overwriting {tally}")
    assert tally.torn > 0
    assert tally.lost > 0
