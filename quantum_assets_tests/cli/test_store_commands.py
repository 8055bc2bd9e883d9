"""Commands that look after a home, on small real stores."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quantum_assets.cli.store_commands import age_of, size_of
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.record import RunRecord
from quantum_assets.contracts.tables import DIAGNOSTICS
from quantum_assets.store.log import Commit
from quantum_assets.store.store import Store
from quantum_assets.tracking.outbox import Outbox
from quantum_assets_tests.cli.homes import call, ledger_in, paid, planned
from quantum_assets_tests.execution.ledger.materials import opened, raw


def commit(home: Path, value: float, profile: str = "ideal") -> Commit:
    columns: dict[str, Sequence[object]] = {
        "kernel": ["zz"],
        "metric": ["defect"],
        "value": [value],
        "meaning": ["none"],
    }
    provenance = {"code": f"v{value:g}"}
    return Store(home / "store").commit(
        ("wine", "diagnostics"), {"profile": profile}, pa.table(columns), DIAGNOSTICS, provenance
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with three commits of two versions."""
    for value in (1.0, 2.0, 2.0):
        commit(tmp_path, value)
    return tmp_path


def test_history_lists_versions_oldest_first_and_says_what_changed(home: Path) -> None:
    answer = call(home, "history", "wine/diagnostics", "--profile", "ideal")
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    versions = [line.split()[4] for line in lines[::2]]
    assert versions[1] == versions[2] == commit(home, 2.0).version[:12]
    assert versions[0] != versions[1]
    assert lines[1].strip() == "first version"
    assert lines[3].strip() == "code: v1 → v2"
    assert lines[4].endswith("same content as before")


def test_history_takes_a_partition_by_name_and_a_limit(home: Path) -> None:
    answer = call(home, "history", "wine/diagnostics", "--partition", "profile=ideal", "--limit", "1")
    assert answer.output.splitlines()[0] == "(2 older commits; --limit 3 shows all)"
    assert len(answer.output.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["wine/diagnostics", "--profile", "noisy"], "noisy"),
        (["wine/verdict"], "wine/verdict"),
        (["wine/../../etc", "--profile", "ideal"], ".."),
        (["wine//diagnostics"], "wine//diagnostics"),
    ],
)
def test_history_of_what_is_not_there_is_one_line(home: Path, arguments: list[str], told: str) -> None:
    answer = call(home, "history", *arguments)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: ")
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_home_without_a_store_is_named(tmp_path: Path) -> None:
    for command in (["history", "wine/verdict"], ["verify"], ["doctor"], ["gc"]):
        answer = call(tmp_path / "elsewhere", *command)
        assert answer.exit_code == 2
        assert "elsewhere: holds no store" in answer.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_verify_and_doctor_of_a_sound_home(home: Path) -> None:
    verified, examined = call(home, "verify"), call(home, "doctor")
    assert (verified.exit_code, examined.exit_code) == (0, 0)
    assert verified.output == "Sound: every version loads and is what was stored (2 versions in 1 partitions).\n"
    assert "outbox   0 records wait for MLflow\n" in examined.output


def test_verify_and_doctor_name_damage_and_fail(home: Path) -> None:
    broken = commit(home, 1.0)
    content = bytearray(broken.path.read_bytes())
    content[len(content) // 3] ^= 1
    broken.path.chmod(0o644)
    broken.path.write_bytes(content)
    for command in ("verify", "doctor"):
        answer = call(home, command)
        assert answer.exit_code == 1
        assert f"corrupt object: wine/diagnostics [profile=ideal] version {broken.version[:12]}" in answer.output
        assert answer.output.endswith("1 findings.\n")


def test_doctor_counts_what_waits_for_mlflow(home: Path) -> None:
    Outbox(home / "outbox").put(RunRecord(key="k", experiment="wine", run_name="verdict"))
    assert "1 records wait for MLflow; `quantum-assets sync` delivers them" in call(home, "doctor").output


def test_doctor_tells_what_is_open_in_the_ledger(home: Path) -> None:
    assert "ledger   none yet\n" in call(home, "doctor").output
    assert not (home / "ledger.db").exists()
    ledger = ledger_in(home)
    planned(ledger, 1)
    paid(ledger, 2)
    opened(ledger, "b" * 32, [planned(ledger, 3)])
    answer = call(home, "doctor")
    assert answer.exit_code == 0, answer.output
    assert "ledger   2 tickets open, 1 orders not settled\n" in answer.output
    assert answer.output.endswith("Sound: nothing is wrong with store and ledger.\n")


def test_doctor_names_every_broken_invariant_of_the_ledger_and_fails(home: Path) -> None:
    ledger = ledger_in(home)
    paid(ledger)
    with raw(ledger) as connection:
        connection.execute("UPDATE orders SET micros = 99")
    answer = call(home, "doctor")
    assert answer.exit_code == 1
    assert "ledger: order " in answer.output
    assert "was settled with 0.000099 USD and is booked with 0.30 USD\n" in answer.output
    assert answer.output.endswith("1 findings.\n")


def test_gc_tells_and_removes_only_when_told_to(home: Path) -> None:
    dry = call(home, "gc", "--keep", "1", "--older-than", "0m")
    assert dry.exit_code == 0
    assert "1 files" in dry.output
    assert "Nothing was removed" in dry.output
    assert call(home, "verify").output.startswith("Sound")
    assert len(_objects(home)) == 2
    done = call(home, "gc", "--keep", "1", "--older-than", "0m", "--yes")
    assert "Removed 1 files" in done.output
    assert len(_objects(home)) == 1
    assert "removed by gc" in call(home, "history", "wine/diagnostics", "--profile", "ideal").output
    assert call(home, "gc", "--keep", "1", "--older-than", "0m").output == "Nothing to remove.\n"


def test_gc_keeps_what_is_young(home: Path) -> None:
    assert call(home, "gc", "--keep", "1").output == "Nothing to remove.\n"


@pytest.mark.parametrize("age", ["", "30", "d", "-3d", "1y", "3.5d", "9999999d"])
def test_gc_refuses_what_is_no_age(home: Path, age: str) -> None:
    answer = call(home, "gc", "--older-than", age)
    assert answer.exit_code == 2
    assert "is not an age" in answer.stderr


def test_ages_and_sizes_read_as_people_write_them() -> None:
    assert [age_of(text) for text in ("90m", "12h", "30d", " 8w ")] == [
        timedelta(minutes=90),
        timedelta(hours=12),
        timedelta(days=30),
        timedelta(weeks=8),
    ]
    assert [size_of(n) for n in (0, 999, 1000, 4_100_000, 2_000_000_000, 5_000_000_000_000)] == [
        "0 B", "999 B", "1.0 kB", "4.1 MB", "2.0 GB", "5000.0 GB",
    ]  # fmt: skip
    with pytest.raises(PlanError):
        age_of("soon")


def test_sync_with_nothing_to_do_says_so_at_once(tmp_path: Path) -> None:
    answer = call(tmp_path, "sync")
    assert (answer.exit_code, answer.output) == (0, "Nothing waits.\n")


@pytest.mark.slow
def test_sync_delivers_once_and_says_what_is_left(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(RunRecord(key="k", experiment="wine", run_name="verdict", metrics={"score": 0.9}))
    down = call(tmp_path, "sync", "--tracking-uri", "http://127.0.0.1:9")
    assert down.exit_code == 1
    assert "Delivered 0; 1 left." in down.output
    assert "k: " in down.stderr
    delivered = call(tmp_path, "sync")
    assert (delivered.exit_code, delivered.stdout) == (0, "Delivered 1; 0 left.\n")
    assert outbox.receipt("k") is not None
    assert call(tmp_path, "sync").output == "Nothing waits.\n"


def _objects(home: Path) -> list[Path]:
    current = set((home / "store" / "current").rglob("*.parquet"))
    return [path for path in (home / "store").rglob("*.parquet") if path not in current]
