import errno
import os
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError, StoreError
from quantum_assets.store.files import (
    STEPS,
    disk_errors,
    is_temp,
    link_or_copy,
    make_directory,
    no_op,
    put_if_absent,
    temp_file,
    write_bytes,
)


class NoLinks:
    """A file system without hard links."""

    def __init__(self, code: int = errno.EPERM) -> None:
        self.code = code

    def __call__(self, source: Path, target: Path) -> None:
        raise OSError(self.code, os.strerror(self.code), str(source))


def interrupted(folder: Path) -> None:
    with temp_file(folder) as temp:
        temp.write_text("half")
        assert is_temp(temp)
        assert temp.name.startswith(".")
        raise KeyboardInterrupt


def test_temporary_files_are_hidden_and_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("link", [os.link, NoLinks()])
def test_put_if_absent_never_replaces(tmp_path: Path, link) -> None:
    for content, name in ((b"first", "a"), (b"second", "b")):
        write_bytes(tmp_path / name, content)
    put_if_absent(tmp_path / "a", tmp_path / "final", link)
    with pytest.raises(FileExistsError):
        put_if_absent(tmp_path / "b", tmp_path / "final", link)
    assert (tmp_path / "final").read_bytes() == b"first"


def test_link_or_copy_links_where_it_can(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"x")
    link_or_copy(tmp_path / "a", tmp_path / "linked", os.link)
    link_or_copy(tmp_path / "a", tmp_path / "copied", NoLinks(errno.EXDEV))
    assert (tmp_path / "linked").samefile(tmp_path / "a")
    assert not (tmp_path / "copied").samefile(tmp_path / "a")
    assert (tmp_path / "copied").read_bytes() == b"x"


@pytest.mark.parametrize("act", [put_if_absent, link_or_copy])
def test_other_errors_of_links_are_not_swallowed(tmp_path: Path, act) -> None:
    write_bytes(tmp_path / "a", b"x")
    with pytest.raises(OSError, match="No space"):
        act(tmp_path / "a", tmp_path / "b", NoLinks(errno.ENOSPC))


def test_write_bytes_refuses_an_existing_name(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"x")
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "a", b"y")


def test_make_directory_is_idempotent(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b")
    make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize(("code", "mend"), [(errno.ENOSPC, "Free disk space"), (errno.EIO, "Check the disk")])
def test_disk_errors_name_culprit_and_mend(code: int, mend: str) -> None:
    with pytest.raises(StoreError) as caught, disk_errors("wine/k"):
        raise OSError(code, os.strerror(code))
    assert str(caught.value).startswith("wine/k: could not be written (E")
    assert mend in caught.value.mend
    assert "previous version stands" in caught.value.mend


def test_disk_errors_leave_our_own_alone() -> None:
    with pytest.raises(PlanError), disk_errors("wine/k"):
        raise PlanError("a", "b", "c")


def test_steps_are_named_once() -> None:
    assert len(set(STEPS)) == len(STEPS)
    for step in STEPS:
        no_op(step)
