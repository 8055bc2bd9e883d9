"""A planted secret stays in the environment: no log, event, row, record, exception, footer or command shows it."""

import io
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster.components.core.component_tree import ComponentTreeException
from dagster_shared.serdes import serialize_value

from quantum_assets import definitions
from quantum_assets.cli.main import main
from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import LedgerError, PlanError, QuantumAssetsError
from quantum_assets.contracts.jobs import JobStatus
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.redact import secrets
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution import answering
from quantum_assets.execution.cost import read_prices
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.plane import ControlPlane, Patience
from quantum_assets.execution.policy import read_policy
from quantum_assets.governance.budgets import read_budgets
from quantum_assets.orchestration.execution import ExecutionRoom, control_plane
from quantum_assets.orchestration.profiles import read_profiles
from quantum_assets.providers import PROVIDERS
from quantum_assets.providers.aer import AerProvider
from quantum_assets.providers.remote import TOKEN_VARIABLE, URL_VARIABLE, RemoteProvider
from quantum_assets.service.server import Settings
from quantum_assets_tests.execution.conftest import empty_ledger
from quantum_assets_tests.execution.fakes import SAFE, VENDOR, World, question, request
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.gossip import Blabber, Echo, echoing, exceptions, talkative
from quantum_assets_tests.leaks import Planted, files_below
from quantum_assets_tests.orchestration.slow_study import SLOW, Study, loading

__all__ = ["empty_ledger"]

STRICT = {**SLOW, "asynchronous": False, "routing": {}}
PLACES = ("submit", "status", "job", "lost", "fetch", "find", "versions", "calibration", "cancel")
ERRORS = tuple(exceptions(""))
SHORT = Patience(unknown=20.0, fetch=20.0, stranger=1.0, longest_pause=5.0)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Planted]:
    """Secrets in the environment; afterwards no log record holds one, whoever wrote it and however low its level."""
    caplog.set_level(logging.DEBUG)
    found = Planted()
    for name in ("QISKIT_IBM_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", TOKEN_VARIABLE):
        monkeypatch.setenv(name, found.plant(name))
    yield found
    assert logged(found, caplog) == []


def logged(planted: Planted, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Log records with a secret in them."""
    told = []
    for record in (*caplog.get_records("setup"), *caplog.get_records("call")):
        line = logging.Formatter("%(name)s %(message)s").format(record) + repr(record.args)
        told += [f"{record.name} {record.levelname}: {name}" for name in planted.in_text(line)]
    return sorted(set(told))


def secret_of(name: str) -> str:
    """A planted value."""
    return os.environ[name]


# The search itself


def test_the_search_finds_what_is_leaked_on_purpose(
    tmp_path: Path, planted: Planted, caplog: pytest.LogCaptureFixture
) -> None:
    secret = planted.plant("LEAK")
    (tmp_path / "plain.txt").write_text(f"… {secret} …")
    (tmp_path / "quoted.json").write_text(json.dumps({"url": f"http://h/?t={secret.replace('/', '%2F')}"}))
    (tmp_path / "half.log").write_text(f"cut at {secret[:25]}")
    pq.write_table(pa.table({"a": ["x", f"y{secret}"]}), tmp_path / "column.parquet", compression="zstd")
    table = pa.table({"a": [1]}).replace_schema_metadata({"provenance": json.dumps({"reason": secret})})
    pq.write_table(table, tmp_path / "footer.parquet")
    connection = sqlite3.connect(tmp_path / "rows.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE log (line TEXT)")
    connection.execute("INSERT INTO log VALUES (?)", ("x" * 4070 + secret,))  # across the end of a page
    connection.commit()
    found = planted.below(tmp_path)
    connection.close()
    files = {line.partition(":")[0] for line in found}
    assert {"plain.txt", "quoted.json", "half.log", "column.parquet", "footer.parquet", "rows.db"} <= files
    assert {line.partition(": ")[2] for line in found} == {"LEAK"}
    harmless = RuntimeError("harmless")
    harmless.__cause__ = ValueError(secret)
    assert planted.in_error(harmless) == ["LEAK"]
    logging.getLogger("somebody").debug("%s", {"header": secret})
    assert logged(planted, caplog) == ["somebody DEBUG: LEAK"]
    caplog.clear()


def test_the_planted_secrets_are_known_to_be_secrets(planted: Planted) -> None:
    assert set(planted.cores) == {name for name in planted.cores if secret_of(name) in secrets()}


# The control plane, with vendors' real exceptions at every place where a vendor is called


def scripted(vendor: Blabber, place: str, error: Exception, secret: str) -> None:
    """Let the vendor tell the secret at one place."""
    if place == "submit":
        vendor.before = [error] * 20
    elif place == "status":
        vendor.statuses = [error] * 20
    elif place == "job":
        vendor.statuses = [
            JobStatus("unknown", f"state {secret}"),
            JobStatus("queued", secret, 1, message=f"Authorization: Bearer {secret}"),
            JobStatus("running", "RUNNING", message=secret),
            JobStatus("failed", secret, code=secret, message=f"{secret}: {error}"),
        ] * 5
        vendor.results = [error] * 20
    elif place == "lost":  # until patience ends, and an alert tells what it said last
        vendor.statuses = [JobStatus("unknown", f"state {secret}")] * 100
    elif place == "fetch":
        vendor.results = [error] * 20
    elif place == "find":
        vendor.after, vendor.finds = [TimeoutError("cut off")] * 20, [error] * 20
    elif place == "cancel":
        vendor.statuses = [JobStatus("unknown", "lost")] * 40
        vendor.asides["cancel"] = error
    else:
        vendor.asides[place] = error


@pytest.mark.parametrize("place", PLACES)
def test_vendors_exceptions_leave_nothing_behind(
    tmp_path: Path, planted: Planted, empty_ledger: Path, place: str
) -> None:
    secret, outcomes = secret_of("QISKIT_IBM_TOKEN"), []
    for number, (name, make) in enumerate(exceptions(secret).items()):
        home = tmp_path / name
        home.mkdir()
        shutil.copy(empty_ledger, home / "ledger.db")
        world = World(home)
        world.vendor = Blabber(world.clock)
        scripted(world.vendor, place, make(), secret)
        plane = world.plane(patience=SHORT)
        for profile in (VENDOR, SAFE):
            outcomes.append(outcome(plane, request(question(number), profile), planted))
        answering.turn_ledger(plane)
        assert planted.in_text(repr(plane.ledger) + repr(plane.breakers)) == []
        told_of(plane, planted)
    assert outcomes  # whatever they are: nothing hung, and nothing foreign was raised
    assert files_below(tmp_path) > len(ERRORS)
    assert planted.below(tmp_path) == []


def outcome(plane: ControlPlane, asked: Request, planted: Planted) -> str:
    """The path that answered; or that none did, in an error of ours that holds no secret."""
    try:
        answer = answering.answer(plane, asked)
    except QuantumAssetsError as error:
        shown, path = planted.in_error(error), "refused"
    else:
        shown, path = planted.in_text(repr(answer)), answer.path
    assert shown == []
    return path


def told_of(plane: ControlPlane, planted: Planted) -> None:
    """Nothing that the ledger tells has a secret in it."""
    ledger = plane.ledger
    told: list[Any] = [ledger.tickets(), ledger.orders(), ledger.alerts(), ledger.breakers(), ledger.partitions()]
    told += [ledger.transitions(ticket.id) for ticket in ledger.tickets()]
    assert planted.in_text(repr(told)) == []


# A whole study in Dagster, against a service that says back what it hears


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The small study with rows and columns made; everything that it ever writes is below one folder."""
    with loading(tmp_path_factory.mktemp("study"), {"strict": STRICT}) as load:
        found = load()
        made = found.defs.resolve_job_def("small_job").execute_in_process(
            instance=found.instance,
            partition_key="slow",
            asset_selection=[dg.AssetKey(["small", name]) for name in ("dataset", "features", "classical_kernels")],
        )
        assert made.success
        yield found


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> Iterator[Echo]:
    """The service; it was sent the token, or the test proves nothing."""
    with echoing() as service:
        monkeypatch.setenv(URL_VARIABLE, service.url)
        yield service
    assert f"Bearer {secret_of(TOKEN_VARIABLE)}" in service.heard


def asked(study: Study, profile: str) -> dg.ExecuteInProcessResult:
    """The asset that submits, under a profile."""
    return study.defs.resolve_job_def("small_job").execute_in_process(
        instance=study.instance,
        partition_key=profile,
        asset_selection=[dg.AssetKey(["small", "quantum_jobs"])],
        raise_on_error=False,
    )


def shown_by(study: Study) -> str:
    """What the commands print, and the records of all runs."""
    home = str(study.home)
    lines = [CliRunner().invoke(main, [*words, "--home", home]).output for words in (["tickets"], ["alerts"])]
    for ticket in study.ledger.tickets(asynchronous=True):
        lines.append(CliRunner().invoke(main, ["tickets", ticket.id, "--home", home]).output)
    for run in study.instance.get_runs():
        lines += [serialize_value(entry) for entry in study.instance.all_logs(run.run_id)]
    return "\n".join(lines)


@pytest.mark.parametrize("manner", ["denies", "fails"])
def test_a_run_that_fails_tells_why_without_the_secret(study: Study, planted: Planted, echo: Echo, manner: str) -> None:
    echo.manner = manner
    result = asked(study, "strict")
    assert not result.success
    (failed,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "was not answered after" in serialize_value(failed)
    assert planted.in_text(shown_by(study)) == []
    assert planted.below(study.home.parent) == []


@pytest.mark.parametrize("manner", ["breaks", "mumbles", "prattles", "redirects"])
def test_ticks_that_get_nowhere_tell_nothing_either(study: Study, planted: Planted, echo: Echo, manner: str) -> None:
    echo.manner = manner
    asked(study, "slow")
    told = study.tick()
    told = study.tick(told.cursor)
    assert planted.in_text(repr(told)) == []
    assert planted.in_text(shown_by(study)) == []
    assert planted.below(study.home.parent) == []
    for ticket in study.ledger.tickets(asynchronous=True):  # the next test asks anew
        if not ticket.ended:
            answering.cancel(study.room.plane, [ticket], "the test")


@pytest.mark.slow
def test_a_study_that_falls_back_keeps_the_secret_out_of_everything_it_writes(
    study: Study, planted: Planted, echo: Echo
) -> None:
    echo.manner = "fails"
    assert asked(study, "slow").success
    (due,) = study.ticks().run_requests
    collected = study.run(str(due.job_name))
    assert collected.success
    (event,) = collected.asset_materializations_for_node("small__verdict")
    assert "your key" in serialize_value(event)  # the vendor's message is there, and is the reason
    assert "[removed]" in serialize_value(event)
    assert any(path.suffix == ".parquet" for path in study.home.rglob("*"))
    assert any("outbox" in path.parts for path in study.home.rglob("*"))
    assert planted.in_text(shown_by(study)) == []
    assert planted.below(study.home.parent) == []


class Rude(RemoteProvider):
    """Raises what no provider should, where none should, with the token in it."""

    def supports(self, workload: object, profile: object) -> str | None:
        cause = ConnectionError(f"Bearer {secret_of(TOKEN_VARIABLE)}")
        raise RuntimeError(f"handshake with {secret_of(TOKEN_VARIABLE)}") from cause


class RudeRoom(ExecutionRoom):
    """A room in which `remote` is rude."""

    @property
    def plane(self) -> ControlPlane:
        plane = control_plane(Path(self.home))
        return ControlPlane.in_home(Path(self.home), {**PROVIDERS, "remote": Rude}, plane.judge)


def test_what_nobody_foresaw_reaches_dagster_without_the_secret(tmp_path: Path, planted: Planted) -> None:
    with loading(tmp_path) as load:
        study = load(RudeRoom)
        result = study.run("small_job", raises=False)
        assert not result.success
        failed = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
        assert "RuntimeError: handshake with [removed]" in serialize_value(failed)
        assert planted.in_text(shown_by(study)) == []
        assert planted.below(tmp_path) == []


class Talker(AerProvider):
    """Answers honestly, with the token in every text of its answers."""

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        return talkative(super().run(workload, profile, replicate), secret_of("QISKIT_IBM_TOKEN"))


class TalkersRoom(ExecutionRoom):
    """A room in which `aer` talks."""

    @property
    def plane(self) -> ControlPlane:
        plane = control_plane(Path(self.home))
        profiles = read_profiles(Path(self.profiles_file))
        providers = {**PROVIDERS, "aer": Talker}
        return ControlPlane.in_home(Path(self.home), providers, plane.judge, profiles=profiles)


@pytest.mark.slow
def test_what_a_vendor_writes_into_its_answers_is_written_nowhere(
    tmp_path: Path, planted: Planted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "qiskit")  # its compiler logs every pass, a million lines
    drawn = {"mode": "ideal", "estimator": "circuits", "providers": ["aer"], "shots": 16, "seed": 5}
    with loading(tmp_path, {"drawn": drawn | {"guardrails": SLOW["guardrails"]}}) as load:
        study = load(TalkersRoom)
        made = study.defs.resolve_job_def("small_job").execute_in_process(
            instance=study.instance,
            partition_key="drawn",
            asset_selection=[
                dg.AssetKey(["small", name]) for name in ("dataset", "features", "quantum_jobs", "quantum_kernel")
            ],
        )
        assert made.success
        (event,) = made.asset_materializations_for_node("small__quantum_kernel")
        told = serialize_value(event)
        assert "engine [removed]" in told
        assert "backend [removed]" in told
        assert "digest [removed]" in told
        assert list(study.home.rglob("*.parquet"))
        assert any("outbox" in path.parts for path in study.home.rglob("*"))
        assert planted.in_text(shown_by(study)) == []
        assert planted.below(tmp_path) == []


# Files that people edit

READERS: dict[str, Callable[[Path], object]] = {
    "profiles.yaml": read_profiles,
    "budgets.yaml": read_budgets,
    "failure_policy.yaml": read_policy,
    "prices.yaml": read_prices,
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_with_a_credential_is_refused_by_field_whoever_reads_it(
    tmp_path: Path, planted: Planted, name: str
) -> None:
    path, password = tmp_path / name, quote(planted.plant("FILE"), safe="")
    for line, field in (
        (f"vendor_token: {secret_of('QISKIT_IBM_TOKEN')}x", "vendor_token"),
        (f"some: {{description: 'with {secret_of('AWS_SESSION_TOKEN')}'}}", "some.description"),
        (f"some: [{{url: 'https://me:{password}@host/'}}]", "some[0].url"),
    ):
        path.write_text(line)
        with pytest.raises(PlanError, match="looks like a credential") as refused:
            READERS[name](path)
        assert refused.value.culprit == f"{name}: {field}"
        assert planted.in_error(refused.value) == []
    path.write_text(f"a: [\nb: {secret_of('QISKIT_IBM_TOKEN')}: c")
    with pytest.raises(PlanError, match="is not YAML") as refused:
        READERS[name](path)
    assert planted.in_error(refused.value) == []


def test_a_study_with_a_credential_is_refused_by_field(tmp_path: Path, planted: Planted) -> None:
    secret = secret_of("AWS_SECRET_ACCESS_KEY")
    with loading(tmp_path) as load, pytest.raises(ComponentTreeException) as refused:
        load(description=f"read with {secret}")
    assert isinstance(refused.value.__cause__, PlanError)
    assert refused.value.__cause__.culprit == "small/defs.yaml: attributes.description"
    assert planted.in_error(refused.value) == []


# Passwords in URLs


def test_the_ledgers_password_is_shown_nowhere(
    tmp_path: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = quote(planted.plant("PASSWORD"), safe="")
    url = f"postgresql://someone:{password}@127.0.0.1:1/ledger?connect_timeout=1"
    monkeypatch.setenv(definitions.LEDGER_VARIABLE, url)
    room = room_in(tmp_path / "home")
    opened = ExecutionRoom(
        home=room.home, ledger_url=url, profiles_file=room.profiles_file, budgets_file=room.budgets_file
    )
    with pytest.raises(LedgerError) as refused:
        opened.plane.ledger.tickets()
    assert planted.in_error(refused.value) == []
    shown = [repr(opened), str(opened), repr(opened.plane), repr(Ledger(url)), repr(definitions.execution(tmp_path))]
    for words in (["tickets"], ["alerts"], ["budget"], ["breakers"], ["poll"]):
        answer = CliRunner().invoke(main, [*words, "--home", str(tmp_path / "home")])
        assert answer.exit_code != 0
        shown.append(answer.output)
        if answer.exception is not None:
            assert planted.in_error(answer.exception) == []
    assert planted.in_text("\n".join(shown)) == []
    assert planted.below(tmp_path) == []


def test_dagster_is_told_the_names_of_variables_and_not_their_values(
    tmp_path: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (definitions.LEDGER_VARIABLE, "QUANTUM_ASSETS_TRACKING_URI"):
        monkeypatch.setenv(variable, f"postgresql://someone:{planted.plant(variable)}@host/name")
    monkeypatch.setenv(URL_VARIABLE, f"https://someone:{planted.plant(URL_VARIABLE)}@host")
    found = definitions.build_defs(tmp_path)
    snap = serialize_value(RepositorySnap.from_def(found.get_repository_def()))
    assert definitions.LEDGER_VARIABLE in snap
    assert planted.in_text(snap) == []
    shown = [repr(resource) for resource in (found.resources or {}).values()]
    shown += [repr(make()) for make in PROVIDERS.values()]
    shown.append(repr(Settings(tmp_path, token=secret_of(TOKEN_VARIABLE))))
    assert planted.in_text("\n".join(shown)) == []
    tracker = definitions.storage(tmp_path).new_tracker()  # and yet whoever needs the value gets it
    assert tracker.tracking_uri == secret_of("QUANTUM_ASSETS_TRACKING_URI")


def test_an_address_with_a_password_is_refused_unused(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("http://me:{}@127.0.0.1:1", "me:{}@127.0.0.1:1"):
        password = quote(planted.plant(address), safe="")
        monkeypatch.setenv(URL_VARIABLE, address.format(password))
        with pytest.raises(PlanError, match=URL_VARIABLE) as refused:
            RemoteProvider().status("job-1")
        assert planted.in_error(refused.value) == []


def test_output_streams_are_silent(planted: Planted, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    world = World(tmp_path)
    world.vendor = Blabber(world.clock)
    world.vendor.before = [make() for make in exceptions(secret_of("QISKIT_IBM_TOKEN")).values()] * 3
    with pytest.raises(QuantumAssetsError):
        answering.answer(world.plane(patience=SHORT), request(question(), VENDOR))
    shown = io.StringIO()
    for stream in capfd.readouterr():
        shown.write(stream)
    assert planted.in_text(shown.getvalue()) == []
