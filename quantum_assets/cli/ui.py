"""`quantum-assets ui`: the Dagster webserver behind its guard, the Dagster daemon and the MLflow server, on loopback.

All three are wired to the stores of one home, and are up and down together.
"""

import ipaddress
import json
import os
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from quantum_assets.cli.options import home_option, tracking_option
from quantum_assets.cli.supervisor import Say, Service, supervise
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.redact import redact
from quantum_assets.orchestration.guard import GuardPolicy


@click.command(epilog="Example: quantum-assets ui --port 3001 --mlflow-port 5001")
@click.option(
    "--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Of the Dagster webserver."
)
@click.option("--mlflow-port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Of MLflow.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to answer on.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="Answer this Host name too, of a reverse proxy.")
@click.option("--read-only", is_flag=True, help="Dagster shows everything and changes nothing.")
@click.option(
    "--workspace", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another workspace.yaml."
)
@click.option("--logs", is_flag=True, help="Show what the servers write, too.")
@tracking_option
@home_option
def ui(
    port: int,
    mlflow_port: int,
    host: str,
    allow_host: tuple[str, ...],
    read_only: bool,
    workspace: Path | None,
    logs: bool,
    tracking_uri: str,
    home: Path,
) -> None:
    """Serve the Dagster and MLflow UIs on this machine.

    They read and write the stores of one home, are stopped together by Ctrl-C, and log to <home>/logs.
    """
    from quantum_assets.cli.instance import WORKSPACE, project_file

    plan = UiPlan(
        home=home,
        workspace=(workspace or project_file(WORKSPACE)).absolute(),
        host="127.0.0.1" if host == "localhost" else host,
        port=port,
        mlflow_port=mlflow_port,
        tracking_uri=tracking_uri,
        policy=GuardPolicy(hosts=allow_host, read_only=read_only),
    )
    sys.exit(run_ui(plan, click.echo, follow=logs))


@dataclass(frozen=True)
class UiPlan:
    """Where the servers answer and what they serve.

    Attributes:
        home: The home.
        workspace: `workspace.yaml` of the code locations.
        host: Loopback address, as a number.
        port: Of the Dagster webserver.
        mlflow_port: Of the MLflow server.
        tracking_uri: MLflow's database, or the URL of a server that runs elsewhere; empty: the database of `home`.
        policy: What the guard lets through; MLflow answers the same hosts.
    """

    home: Path
    workspace: Path
    host: str = "127.0.0.1"
    port: int = 3000
    mlflow_port: int = 5000
    tracking_uri: str = ""
    policy: GuardPolicy = field(default_factory=GuardPolicy)

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise PlanError(
                f"host {self.host}",
                "is not a loopback address, and neither Dagster nor MLflow asks who is there",
                "Stay on 127.0.0.1 and put a reverse proxy with authentication in front, named with --allow-host",
            )
        if self.serves_mlflow and self.port == self.mlflow_port:
            raise PlanError(f"port {self.port}", "is given to both servers", "Choose another with --mlflow-port")

    @property
    def serves_mlflow(self) -> bool:
        """Whether MLflow is served from here, or runs elsewhere."""
        return not self.tracking_uri.startswith(("http://", "https://"))

    @property
    def dagster_url(self) -> str:
        """Where a person opens Dagster."""
        return f"http://{self._authority}:{self.port}"

    @property
    def mlflow_url(self) -> str:
        """Where a person opens MLflow."""
        return f"http://{self._authority}:{self.mlflow_port}" if self.serves_mlflow else self.tracking_uri

    @property
    def _authority(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def run_ui(plan: UiPlan, say: Say, follow: bool = False) -> int:
    """Check everything, start the servers and keep them until the user stops them.

    Returns:
        0 when it was stopped, 1 when a server died.

    Raises:
        PlanError: Before anything is started, for a port or a home that is in use.
    """
    from quantum_assets.cli.instance import prepare_instance

    check_port(plan.host, plan.port, "--port")
    if plan.serves_mlflow:
        check_port(plan.host, plan.mlflow_port, "--mlflow-port")
    dagster_home = prepare_instance(plan.home)
    with only_one(plan.home):
        say(f"Starting on {plan.home}; logs in {plan.home / 'logs'} ...")
        if not plan.serves_mlflow:
            say(f"  mlflow     {redact(plan.mlflow_url)} (not started here)")
        return supervise(services(plan, dagster_home), say, follow=follow, done="Ready. Press Ctrl-C to stop.")


def services(plan: UiPlan, dagster_home: Path) -> tuple[Service, ...]:
    """What is started, in order."""
    from quantum_assets.cli.instance import PATIENCE
    from quantum_assets.cli.mlflow_server import ENVIRONMENT, TRACKING_VARIABLE
    from quantum_assets.tracking.database import local_uri

    logs = plan.home / "logs"
    environment = {
        "DAGSTER_HOME": str(dagster_home),
        "QUANTUM_ASSETS_HOME": str(plan.home),
        TRACKING_VARIABLE: plan.tracking_uri,
        "QUANTUM_ASSETS_DAGSTER_URL": os.environ.get("QUANTUM_ASSETS_DAGSTER_URL", plan.dagster_url),
        "QUANTUM_ASSETS_MLFLOW_URL": os.environ.get("QUANTUM_ASSETS_MLFLOW_URL", plan.mlflow_url),
        "PYTHONUNBUFFERED": "1",
        **PATIENCE,
        **{name: ENVIRONMENT[name] for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")},
    }
    python, workspace = (sys.executable, "-m"), ("--workspace", str(plan.workspace))
    address = ("--host", plan.host, "--port", str(plan.port))
    mlflow_address = ("--host", plan.host, "--port", str(plan.mlflow_port))
    hosts = tuple(part for name in plan.policy.hosts for part in ("--allow-host", name))
    read_only = ("--read-only",) if plan.policy.read_only else ()
    found = [
        Service(
            "webserver",
            (*python, "quantum_assets.cli.webserver", *address, *workspace, *hosts, *read_only),
            logs / "webserver.log",
            lambda: fetch(f"{plan.dagster_url}/server_info") is not None,
            plan.dagster_url,
            environment,
        ),
        Service(
            "daemon",
            (*python, "dagster._daemon", "run", *workspace),
            logs / "daemon.log",
            lambda: daemons_are_healthy(plan.dagster_url),
            "schedules, sensors and the run queue",
            environment,
        ),
    ]
    if plan.serves_mlflow:
        found.append(
            Service(
                "mlflow",
                (*python, "quantum_assets.cli.mlflow_server", *mlflow_address, "--home", str(plan.home), *hosts),
                logs / "mlflow.log",
                lambda: fetch(f"{plan.mlflow_url}/health") is not None,
                plan.mlflow_url,
                # Not on the command line: it may hold a password, and `ps` shows that to everybody
                {**environment, TRACKING_VARIABLE: plan.tracking_uri or local_uri(plan.home)},
                directory=plan.home,
            )
        )
    return tuple(found)


def check_port(host: str, port: int, option: str) -> None:
    """Refuse a port that somebody listens on.

    Raises:
        PlanError: If it cannot be bound; `option` is what chooses another.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PlanError(
                f"port {port} of {host}", f"cannot be used: {error.strerror}", f"Choose another with {option}"
            ) from error


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home against a second set of servers: two daemons would run every schedule twice."""
    from filelock import FileLock, Timeout

    lock = FileLock(home / "ui.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise PlanError(f"home {home}", "is served by another `quantum-assets ui`", "Stop that one first") from error
    try:
        yield
    finally:
        lock.release()


def fetch(url: str, query: str | None = None) -> Any:
    """The JSON or text that answers, or None; never through a proxy, for it is on this machine."""
    body = json.dumps({"query": query}).encode() if query is not None else None
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  http, our own
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=2) as answer:
            text = answer.read().decode()
            return json.loads(text) if query is not None else text
    except (OSError, ValueError):
        return None


def daemons_are_healthy(dagster_url: str) -> bool:
    """Whether every daemon that this instance needs has lately said that it is well."""
    query = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"
    found = fetch(f"{dagster_url}/graphql", query)
    try:
        statuses = found["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
    except (KeyError, TypeError):  # it is not up, or not yet itself
        return False
    return bool(statuses) and all(status["healthy"] for status in statuses if status["required"])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
