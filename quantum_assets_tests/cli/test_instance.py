"""The Dagster instance of a home: the project's configuration, kept up to date and never taken from the user."""

import hashlib
import multiprocessing
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
import yaml

from quantum_assets.cli.instance import CONFIG, WORKSPACE, prepare_instance, project_file
from quantum_assets.contracts.errors import PlanError

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "quantum_assets" / "orchestration"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was prepared once; its databases take most of a second to make."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    prepare_instance(home)
    return home


@pytest.fixture
def home(fresh: Path, tmp_path: Path) -> Path:
    """This test's own copy of a prepared home."""
    return Path(shutil.copytree(fresh, tmp_path / "home"))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that three processes prepared at the same moment, and then once more."""
    home = tmp_path_factory.mktemp("crowded")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert set(pool.map(prepare_instance, [home] * 6, chunksize=1)) == {home / "dagster"}
    return home


@pytest.mark.parametrize("name", [CONFIG, WORKSPACE])
def test_the_packaged_copy_is_the_project_s_file(name: str) -> None:
    assert (PACKAGED / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("name", [CONFIG, WORKSPACE])
def test_a_checkout_s_file_comes_first_and_a_wheel_has_its_own(tmp_path: Path, name: str) -> None:
    assert project_file(name) == ROOT / name
    package = tmp_path / "site-packages" / "quantum_assets"
    assert project_file(name, package) == package / "orchestration" / name
    (tmp_path / "site-packages" / name).parent.mkdir()
    (tmp_path / "site-packages" / name).touch()  # somebody else's file among the installed packages
    assert project_file(name, package) == package / "orchestration" / name


def test_a_fresh_home_gets_the_project_s_configuration(tmp_path: Path) -> None:
    folder = prepare_instance(tmp_path / "home")
    assert folder == tmp_path / "home" / "dagster"
    assert (folder / CONFIG).read_bytes() == (ROOT / CONFIG).read_bytes()
    assert prepare_instance(tmp_path / "home") == folder


def test_a_copy_of_an_earlier_release_is_brought_up_to_date(home: Path) -> None:
    folder = home / "dagster"
    (folder / CONFIG).write_text("telemetry: {enabled: true}\n")
    (folder / ".dagster.yaml.sha256").write_text("f5d8a7b0a3c1c8ee3f0be5ee8d3e4e37")
    prepare_instance(home)
    assert (folder / CONFIG).read_text() == "telemetry: {enabled: true}\n"  # not what we had written: the user's
    ours = hashlib.sha256(b"telemetry: {enabled: true}\n").hexdigest()
    (folder / ".dagster.yaml.sha256").write_text(ours)
    prepare_instance(home)
    assert (folder / CONFIG).read_bytes() == (ROOT / CONFIG).read_bytes()


def test_a_copy_that_the_user_edited_is_left_alone(home: Path) -> None:
    folder = home / "dagster"
    edited = (folder / CONFIG).read_text().replace("max_concurrent_runs: 2", "max_concurrent_runs: 8")
    (folder / CONFIG).write_text(edited)
    prepare_instance(home)
    assert (folder / CONFIG).read_text() == edited


def test_a_crash_between_copy_and_mark_is_mended(home: Path) -> None:
    folder = home / "dagster"
    (folder / ".dagster.yaml.sha256").unlink()
    prepare_instance(home)
    assert (folder / ".dagster.yaml.sha256").exists()


def test_several_processes_prepare_one_home(crowded: Path) -> None:
    left = sorted(path.name for path in (crowded / "dagster").iterdir() if path.is_file())
    assert left == [".dagster.yaml.sha256", ".prepare.lock", CONFIG]


def test_the_databases_of_a_fresh_instance_have_one_schema_stamp_each(crowded: Path) -> None:
    """Two stamps in one database, as two first openers leave them, make every later opening fail."""
    databases = sorted((crowded / "dagster").rglob("*.db"))
    assert [path.name for path in databases] == ["index.db", "runs.db", "schedules.db"]
    for path in databases:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("select count(*) from alembic_version").fetchone() == (1,), path


def test_a_configuration_that_dagster_refuses_is_named(home: Path) -> None:
    (home / "dagster" / CONFIG).write_text("storage: {nothing: 1}\n")
    with pytest.raises(PlanError, match=r"instance .*dagster: cannot be opened: .*nothing.*Mend dagster.yaml there"):
        prepare_instance(home)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlanError, match=r"file: cannot be written: .*Name another with --home"):
        prepare_instance(tmp_path / "file")


def test_dagster_takes_the_configuration(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 86_400
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 2


def test_the_commented_postgres_block_is_valid_yaml_once_it_is_not_a_comment() -> None:
    lines = (ROOT / CONFIG).read_text().splitlines()
    start = lines.index("# storage:")
    block = yaml.safe_load("\n".join(line.removeprefix("# ") for line in lines[start:]))
    assert set(block["storage"]["postgres"]["postgres_db"]) == {"username", "password", "hostname", "db_name", "port"}
    assert all("env" in block["storage"]["postgres"]["postgres_db"][name] for name in ("username", "password"))


def test_the_workspace_names_the_definitions() -> None:
    (location,) = yaml.safe_load((ROOT / WORKSPACE).read_text())["load_from"]
    assert location == {
        "python_module": {"module_name": "quantum_assets.definitions", "location_name": "quantum_assets"}
    }
