"""Full disks, failing disks and flipped bits: the previous version stands, and no wrong number is ever returned."""

import errno
import os
import resource
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.errors import CorruptObject, StoreError
from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.files import STEPS
from quantum_assets.store.gram import gram_table, read_gram
from quantum_assets.store.log import Commit
from quantum_assets.store.maintenance import doctor
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, gram, matrix
from quantum_assets_tests.store.subjects import forked

FLIPS = 300


class FailingDisk:
    """Answers the step it is told with an error of the operating system."""

    def __init__(self, step: str, code: int) -> None:
        self.step, self.code = step, code

    def __call__(self, step: str) -> None:
        if step == self.step:
            raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_fails_at_any_step_costs_nothing_that_was_there(tmp_path: Path, step: str, code: int) -> None:
    store = Store(tmp_path)
    old = store.commit(ASSET, IDEAL, gram(20, 0), GRAM, {})
    with pytest.raises(StoreError) as caught:
        Store(tmp_path, steps=FailingDisk(step, code)).commit(ASSET, IDEAL, gram(20, 1), GRAM, {})
    assert f"wine/quantum_kernel [profile=ideal]: could not be written ({errno.errorcode[code]}" in str(caught.value)
    assert store.read(ASSET, IDEAL, old.version).replace_schema_metadata().equals(gram(20, 0))
    assert store.place(old).temps() == ()
    new = store.commit(ASSET, IDEAL, gram(20, 1), GRAM, {})
    assert {c.version for c in store.history(ASSET, IDEAL)} == {old.version, new.version}
    assert store.place(new).current.samefile(new.path)
    assert doctor(store) == ()


@pytest.mark.parametrize("limit", [0, 100, 3000, 100_000, 600_000])
def test_a_file_size_limit_is_an_error_and_not_a_torn_file(tmp_path: Path, limit: int) -> None:
    store = Store(tmp_path)
    old = store.commit(ASSET, IDEAL, gram(20, 0), GRAM, {})

    said = tmp_path / "said.txt"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        with pytest.raises(StoreError) as caught:
            store.commit(ASSET, IDEAL, gram(320, 1), GRAM, {})
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        said.write_text(str(caught.value))

    os.waitpid(forked(limited), 0)
    assert "(EFBIG: File too large). Raise the file size limit" in said.read_text()
    assert store.find(ASSET, IDEAL) == old
    assert store.read(ASSET, IDEAL).replace_schema_metadata().equals(gram(20, 0))
    assert store.place(old).temps() == ()
    assert store.commit(ASSET, IDEAL, gram(320, 1), GRAM, {}).sequence == 2
    assert doctor(store) == ()


def flip(made: Commit, raw: bytes, at: int, bit: int) -> None:
    """Put a copy with one bit flipped in the object's place."""
    content = bytearray(raw)
    content[at] ^= 1 << bit
    other = made.path.with_suffix(".flipped")
    other.write_bytes(content)
    other.replace(made.path)


def places_to_flip(raw: bytes, count: int) -> list[tuple[int, int]]:
    """Byte and bit: a third anywhere, a third in the footer, a third among the first page headers."""
    rng = np.random.default_rng(0)
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    regions = [(0, len(raw)), (footer, len(raw)), (4, 500)]
    return [(int(rng.integers(*regions[n % 3])), int(rng.integers(8))) for n in range(count)]


def outcome(read, expected) -> str:
    try:
        got = read()
    except CorruptObject as error:
        return str(error)
    return "right" if expected(got) else "wrong"


def test_every_flipped_bit_is_detected_and_named(tmp_path: Path, report_figures: Any) -> None:
    store = Store(tmp_path)
    source = matrix(60)
    table = gram_table(source)
    made = store.commit(ASSET, IDEAL, table, GRAM, {"note": "provenance is bytes too"})
    raw = made.path.read_bytes()
    named = f"wine/quantum_kernel [profile=ideal] version {made.version[:12]}"
    reads = {
        "whole": lambda: outcome(lambda: store.read(ASSET, IDEAL), table.equals),
        "columns": lambda: outcome(lambda: store.read(ASSET, IDEAL, columns=["row"]), table.select(["row"]).equals),
        "slices": lambda: outcome(
            lambda: read_gram(store, ASSET, IDEAL).to_numpy(slice(0, 50)),
            lambda got: np.array_equal(got, source.values[:50]),
        ),
    }
    counts = {name: Counter() for name in reads}
    for at, bit in places_to_flip(raw, FLIPS):
        flip(made, raw, at, bit)
        for name, read in reads.items():
            said = read()
            counts[name]["detected" if named in said else said] += 1
    report_figures(
        f"{FLIPS} flipped bits of {len(raw)} bytes: { ({name: dict(count) for name, count in counts.items()}) }"
    )
    assert counts["whole"] == {"detected": FLIPS}
    assert counts["columns"] == {"detected": FLIPS}
    assert set(counts["slices"]) <= {"detected", "right"}  # a bit of a page header may mean nothing to a reader
    assert counts["slices"]["detected"] > FLIPS * 0.8


@pytest.mark.parametrize("keep", [0, 1, 8, 5000, -1])
def test_a_truncated_or_empty_object_is_detected(tmp_path: Path, keep: int) -> None:
    store = Store(tmp_path)
    made = store.commit(ASSET, IDEAL, gram(40, 0), GRAM, {})
    content = made.path.read_bytes()
    made.path.unlink()
    made.path.write_bytes(content[:keep])
    for read in (lambda: store.read(ASSET, IDEAL), lambda: read_gram(store, ASSET, IDEAL)):
        with pytest.raises(CorruptObject, match=made.version[:12]):
            read()
