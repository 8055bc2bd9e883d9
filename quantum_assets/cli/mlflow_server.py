"""MLflow's server on a home's database: ``python -m quantum_assets.cli.mlflow_server``, started by `quantum-assets ui`.

MLflow creates a fresh SQLite database without a lock, and of several processes that do so at once most die; so the
database is opened through `tracking.database` first, which takes the lock that every delivery takes. Then this process
becomes the server: one worker, no job runner, and no Host but those named.

The database's URL may hold a password, and every user of a machine can read every process's command line: so the URL
comes in the environment (`TRACKING_VARIABLE`) and goes on to MLflow in the environment.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from quantum_assets.tracking.database import connect

TRACKING_VARIABLE = "QUANTUM_ASSETS_TRACKING_URI"
"""Names the database to serve, for example sqlite:///…"""

#: MLflow's own name for it.
STORE_VARIABLE = "MLFLOW_BACKEND_STORE_URI"

#: One worker and no job runner are 2 processes instead of 15; telemetry is off by both of its switches.
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Open the database under the lock, then become the server."""
    parser = argparse.ArgumentParser(prog="python -m quantum_assets.cli.mlflow_server", description=__doc__)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--allow-host", action="append", default=[], help="further Host name to answer")
    options = parser.parse_args(arguments)
    tracking_uri = os.environ.get(TRACKING_VARIABLE, "")
    if not tracking_uri:
        parser.error(f"{TRACKING_VARIABLE} names no database")
    # Before `connect` sets what suits a client
    environment = {**os.environ, **ENVIRONMENT, STORE_VARIABLE: tracking_uri}
    connect(options.home, tracking_uri)
    command = server_command(options.home, options.host, options.port, options.allow_host)
    os.execve(command[0], command, environment)  # noqa: S606


def server_command(home: Path, host: str, port: int, hosts: Sequence[str] = ()) -> list[str]:
    """The command line of MLflow's server, without its database (`STORE_VARIABLE`).

    New experiments of HTTP clients keep their artifacts in the home too.
    """
    return [
        sys.executable, "-m", "mlflow", "server",
        "--artifacts-destination", str(home.absolute() / "mlflow" / "artifacts"),
        "--host", host,
        "--port", str(port),
        "--workers", "1",
        "--allowed-hosts", ",".join(allowed_hosts(hosts)),
    ]  # fmt: skip


def allowed_hosts(hosts: Sequence[str] = ()) -> list[str]:
    """Loopback names and `hosts`, each alone and with any port, in MLflow's pattern language ([ begins a set)."""
    names = ("127.0.0.1", "localhost", "[::1]", *hosts)
    return [pattern for name in names for pattern in (name, f"{name.replace('[', '[[]', 1)}:*")]


if __name__ == "__main__":
    main()
