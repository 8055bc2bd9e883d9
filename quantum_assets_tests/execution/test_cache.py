"""A cache answers only what was asked, keeps only what is true, and stays within its bound."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.circuits.archive import archive
from quantum_assets.contracts.envelope import Attempt, Overlaps, ResultEnvelope, Samples, States, Timings
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile, Transpilation
from quantum_assets.contracts.wire import pack_envelope
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.cache import Cache, cache_key, refusal
from quantum_assets_tests.processes import results
from quantum_assets_tests.trust.honest import (
    BINOMIAL,
    CIRCUITS,
    EXACT,
    NOISY,
    envelope_for,
    overlaps_workload,
    samples_workload,
    states_workload,
)

KEY = "ab" * 32
FORCE = {"provider": "fake", "versions": {"sdk": "1.0"}, "calibration_digest": "monday", "replicate": 0}


def answered(**changes: Any) -> ResultEnvelope:
    claim = dataclasses.replace(
        envelope_for(overlaps_workload(), CIRCUITS),
        calibration_digest="monday",
        job="job-7",
        cost=1.25,
        correlation_id="first-asked",
        timings=Timings(1.0, 2.0, 3.0),
        attempts=(Attempt(1, "fake", "", "failed"), Attempt(2, "fake", "", "completed")),
    )
    return dataclasses.replace(claim, **changes)


def flipped(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))


def entry(cache: Cache, key: str) -> Path:
    (path,) = cache.root.glob(f"*/{key}.frame")
    return path


def test_a_hit_says_so_and_tells_of_the_run_behind_it(tmp_path: Path) -> None:
    cache, claim = Cache(tmp_path / "cache"), answered()
    assert cache.get(KEY) is None
    assert not cache.has(KEY)
    assert cache.put(KEY, claim, CIRCUITS)
    assert cache.has(KEY)
    hit = cache.get(KEY)
    assert hit is not None
    assert (hit.cache_hit, hit.cost) == (True, 0.0)
    assert isinstance(hit.data, Overlaps)
    assert isinstance(claim.data, Overlaps)
    assert np.array_equal(hit.data.p_zero, claim.data.p_zero)
    assert (hit.timings, hit.job, hit.effective) == (claim.timings, claim.job, claim.effective)
    assert hit.calibration_digest == "monday"
    assert hit.attempts[:2] == claim.attempts
    last = hit.attempts[2]
    assert (last.number, last.outcome) == (3, "cached")
    assert "first-asked" in last.reason
    assert "job-7" in last.reason
    assert "1.25 USD" in last.reason


def test_samples_are_kept_to_the_bit(tmp_path: Path) -> None:
    cache, claim = Cache(tmp_path / "cache"), envelope_for(samples_workload(), CIRCUITS)
    assert cache.put(KEY, claim, CIRCUITS)
    hit = cache.get(KEY)
    assert hit is not None
    assert isinstance(hit.data, Samples)
    assert hit.data.packed.dtype == np.uint8
    assert np.array_equal(hit.data.packed, claim.data.outcomes)
    assert hit.data.shots == 100


def key_of(workload: Workload = overlaps_workload(), profile: ExecutionProfile = CIRCUITS, **changes: Any) -> str:  # noqa: B008
    return cache_key(workload.fingerprint, profile, **(FORCE | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"workload": overlaps_workload(rows=4)},
        {"profile": CIRCUITS.model_copy(update={"seed": 6})},
        {"profile": CIRCUITS.model_copy(update={"shots": 101})},
        {"profile": CIRCUITS.model_copy(update={"backend": "garnet"})},
        {"profile": CIRCUITS.model_copy(update={"transpilation": Transpilation(optimization_level=2)})},
        {"profile": NOISY},
        {"provider": "other"},
        {"versions": {"sdk": "1.1"}},
        {"versions": {"sdk": "1.0", "more": "1"}},
        {"calibration_digest": "tuesday"},
        {"calibration_digest": None},
        {"replicate": 1},
    ],
)
def test_whatever_may_change_an_answer_changes_its_key(changes: dict[str, Any]) -> None:
    assert key_of(**changes) != key_of()


@pytest.mark.parametrize("changes", [{"description": "said otherwise"}, {"priority": 7}, {"project": "other"}])
def test_whoever_asks_or_pays_does_not(changes: dict[str, Any]) -> None:
    assert key_of(profile=CIRCUITS.model_copy(update=changes)) == key_of()
    assert key_of(versions=dict(reversed({"b": "2", "a": "1"}.items()))) == key_of(versions={"b": "2", "a": "1"})


def test_a_recalibration_is_a_miss_and_a_renamed_register_is_not(tmp_path: Path) -> None:
    from qiskit import QuantumCircuit, QuantumRegister
    from qiskit.circuit import Parameter

    def workload(register: str) -> Workload:
        circuit = QuantumCircuit(QuantumRegister(2, register))
        circuit.h(0)
        circuit.rz(Parameter("x"), 0)
        circuit.cx(0, 1)
        pairs = np.array([[0, 1]], dtype=np.int64)
        return Workload(archive(circuit, f"named {register}"), np.array([[0.1], [0.2]]), "overlaps", pairs)

    cache, asked, renamed = Cache(tmp_path), workload("q"), workload("renamed")
    assert asked.circuit.qpy != renamed.circuit.qpy
    assert cache.put(key_of(asked), envelope_for(asked, CIRCUITS), CIRCUITS)
    assert cache.get(key_of(renamed)) is not None
    assert cache.get(key_of(asked, calibration_digest="tuesday")) is None
    assert cache.get(key_of(asked, versions={"sdk": "1.1"})) is None


def lying(**changes: Any) -> ResultEnvelope:
    claim = answered()
    return dataclasses.replace(claim, effective=claim.effective.model_copy(update=changes))


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (answered(mocked=True), "made up"),
        (answered(cache_hit=True), "came from a cache"),
        (answered(profile_fingerprint=BINOMIAL.fingerprint), "another profile"),
        (lying(shots=99), "shots: asked for 100, ran with 99"),
        (lying(seed=None), "seed: asked for 5"),
        (lying(mode="noisy"), "mode: asked for ideal"),
        (lying(provider="else"), "ran on else"),
        (answered(data=Overlaps(np.array([0.5, np.nan]), 100)), "NaN or infinite"),
        (answered(data=States(np.array([[np.inf + 0j]]))), "NaN or infinite"),
    ],
)
def test_what_is_not_true_is_not_kept(tmp_path: Path, claim: ResultEnvelope, reason: str) -> None:
    cache = Cache(tmp_path)
    assert reason in refusal(claim, CIRCUITS)
    assert not cache.put(KEY, claim, CIRCUITS)
    assert cache.get(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_a_hit_is_not_kept_again_as_if_it_had_been_run(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.put(KEY, answered(), CIRCUITS)
    hit = cache.get(KEY)
    assert hit is not None
    assert not cache.put(KEY, hit, CIRCUITS)
    again = cache.get(KEY)
    assert again is not None
    assert len(again.attempts) == 3


def test_every_flipped_bit_is_a_miss(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    size = len(pack_envelope(answered()))
    for place in range(0, size, 37):
        assert cache.put(KEY, answered(), CIRCUITS)
        flipped(entry(cache, KEY), place)
        assert cache.get(KEY) is None
    assert cache.stats().quarantined == len(range(0, size, 37))
    assert cache.stats().entries == 0


def states(number: int, rows: int = 40) -> ResultEnvelope:
    claim = envelope_for(states_workload(rows=rows), EXACT)
    return dataclasses.replace(claim, correlation_id=f"{number:06d}")


def keyed(number: int) -> str:
    return f"{number:064x}"


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    size = len(pack_envelope(states(0)))
    cache = Cache(tmp_path, max_bytes=10 * size + 5)
    for number in range(10):
        assert cache.put(keyed(number), states(number), EXACT)
        os.utime(entry(cache, keyed(number)), ns=(number, number))
    assert cache.get(keyed(0)) is not None  # used again: now the last to go
    assert cache.put(keyed(10), states(10), EXACT)
    kept = {number for number in range(11) if cache.get(keyed(number))}
    assert kept == {0, 3, 4, 5, 6, 7, 8, 9, 10}  # the bound, and a tenth to spare
    assert cache.stats().entries == 9
    assert cache.stats().bytes == 9 * size
    assert cache.clear() == 9
    assert cache.stats().entries == 0


def test_another_process_finds_a_full_cache_full(tmp_path: Path) -> None:
    size = len(pack_envelope(states(0)))
    for number in range(12):
        assert Cache(tmp_path, max_bytes=5 * size).put(keyed(number), states(number), EXACT)
        assert Cache(tmp_path, max_bytes=5 * size).stats().bytes <= 5 * size


def test_an_answer_too_large_is_not_kept(tmp_path: Path) -> None:
    size = len(pack_envelope(states(0)))
    assert not Cache(tmp_path, max_entry_bytes=size - 1).put(KEY, states(0), EXACT)
    assert not Cache(tmp_path, max_bytes=size - 1).put(KEY, states(0), EXACT)
    assert Cache(tmp_path, max_bytes=size, max_entry_bytes=size).put(KEY, states(0), EXACT)
    with pytest.raises(PlanError, match="bounded to nothing"):
        Cache(tmp_path, max_bytes=0)


def test_what_crashed_writers_and_bad_disks_left_goes_when_room_is_made(tmp_path: Path) -> None:
    size = len(pack_envelope(states(0)))
    day = 24 * 3600 * 10**9
    cache = Cache(tmp_path, max_bytes=2 * size, now_ns=lambda: 3 * day)
    assert cache.put(keyed(0), states(0), EXACT)
    flipped(entry(cache, keyed(0)), 70)
    assert cache.get(keyed(0)) is None
    for name, age in ((".temp-old.tmp", 1), (".temp-new.tmp", 3)):
        path = tmp_path / keyed(0)[:2] / name
        path.write_bytes(b"half")
        os.utime(path, ns=(age * day, age * day))
    for number in range(1, 4):
        assert cache.put(keyed(number), states(number), EXACT)
    assert cache.stats().quarantined == 0
    assert [path.name for path in tmp_path.glob("*/.temp-*")] == [".temp-new.tmp"]


def test_a_disk_that_refuses_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file")
    assert not cache.put(KEY, answered(), CIRCUITS)
    assert cache.get(KEY) is None
    assert "ENOTDIR" in caplog.text


def _hammer(root: Path, number: int, max_bytes: int) -> tuple[int, int]:
    rng, cache, hits, kept = np.random.default_rng(number), Cache(root, max_bytes=max_bytes), 0, 0
    for _ in range(40):
        key, asked = (int(n) for n in rng.integers(12, size=2))
        kept += cache.put(keyed(key), states(key), EXACT)
        found = cache.get(keyed(asked))
        if found is not None:
            assert found.correlation_id == f"{asked:06d}"
            hits += 1
    return hits, kept


def test_many_processes_hammer_it_and_nobody_reads_half_a_file(tmp_path: Path, report_figures: Any) -> None:
    n_processes, size = 8, len(pack_envelope(states(0)))
    bound = 6 * size
    told = results(_hammer, [(tmp_path, number, bound) for number in range(n_processes)])
    assert sum(kept for _, kept in told) == 40 * n_processes
    stats = Cache(tmp_path, max_bytes=bound).stats()
    assert stats.quarantined == 0
    assert stats.bytes <= bound
    assert stats.entries > 0
    hits = sum(hit for hit, _ in told)
    assert hits > 0
    report_figures(
        f"{n_processes} processes, {40 * n_processes} puts and gets: {hits} hits, none half, "
        f"{stats.bytes} of at most {bound} bytes"
    )
