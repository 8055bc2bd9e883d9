"""`quantum-assets rehearse`: submit a study to a slow provider, kill everything on our side, start again, and count.

The provider is the sandbox, a process of its own with an account of its own. What is killed, with SIGKILL and at a
moment when jobs wait in its queue, is the Dagster daemon with the run that submitted. Then the daemon is started again
and nothing else is done: the sensor finds the tickets, the partition is collected, and the two accounts are compared.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from quantum_assets.cli.options import home_option
from quantum_assets.cli.rehearsal_tools import daemon, environment_of, kill, start, until
from quantum_assets.contracts.errors import PlanError, VersionNotFound
from quantum_assets.contracts.ticket import AT_PROVIDER

PROFILE = "slow"


@click.command(epilog="Example: quantum-assets rehearse iris --home .rehearsal")
@click.argument("study", default="ad_hoc")
@click.option("--queue-seconds", default=8.0, show_default=True, type=click.FloatRange(0), help="Wait of a job.")
@click.option("--patience", default=900.0, show_default=True, help="Seconds after which it gives up.")
@home_option
def rehearse(study: str, queue_seconds: float, patience: float, home: Path) -> None:
    """Prove on this machine that a killed platform loses nothing and submits nothing twice.

    STUDY must have the profile `slow` and no months. Takes a few minutes.
    """
    deadline = time.monotonic() + patience
    with provider(home / "sandbox", queue_seconds) as url:
        environment = environment_of(home) | {"QUANTUM_ASSETS_REMOTE_URL": url}
        click.echo(f"1. A slow provider answers at {url}; each job waits {queue_seconds:g} s in its queue.")
        with daemon(home, environment) as first:
            _launch(study, environment)
            click.echo(f"2. {study} was launched under profile {PROFILE}; its run hands in and ends.")
            until(lambda: _waiting(home, study) > 0, deadline, "no ticket reached the provider", environment)
            kill(first)
        before = witness(url)
        click.echo(f"3. Killed the daemon and its run with SIGKILL; the provider has {len(before)} jobs.")
        with daemon(home, environment):
            click.echo("4. Started the daemon again, and nothing else.")
            until(lambda: _answer(home, study) is not None, deadline, "the partition was not completed", environment)
        until(lambda: not _unsettled(home), deadline, "an order was not settled")
        sys.exit(_report(home, study, url))


@contextmanager
def provider(home: Path, queue_seconds: float) -> Iterator[str]:
    """The sandbox as a process of its own, which nothing here kills before the end; its URL."""
    address = home / "service.url"
    address.unlink(missing_ok=True)
    command = [sys.executable, "-m", "quantum_assets.service", "--home", str(home), "--rehearsal"]
    child = start([*command, "--queue-seconds", str(queue_seconds)], dict(os.environ), home.parent / "sandbox.log")
    try:
        until(address.is_file, time.monotonic() + 60, f"the provider did not start; see {home.parent / 'sandbox.log'}")
        yield address.read_text().strip()
    finally:
        kill(child)


def witness(url: str) -> list[dict[str, Any]]:
    """What the provider accepted, by its own account."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/witness", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return list(found["jobs"])


def _launch(study: str, environment: dict[str, str]) -> None:
    """Put one run into the instance's queue, as the UI's button does."""
    from quantum_assets.cli.instance import WORKSPACE, project_file

    tags = json.dumps({"dagster/partition": PROFILE})
    command = [sys.executable, "-m", "dagster", "job", "launch", "--workspace", str(project_file(WORKSPACE))]
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--job", f"{study}_job", "--tags", tags],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise PlanError(
            f"study {study}",
            f"could not be launched: {told[-1].strip()}",
            f"Name a study that has the profile {PROFILE}",
        )


def _waiting(home: Path, study: str) -> int:
    """Tickets of the partition that the provider has."""
    from quantum_assets.execution.ledger.ledger import Ledger

    return len(Ledger.in_home(home).tickets(study=study, partition=PROFILE, states=AT_PROVIDER))


def _unsettled(home: Path) -> bool:
    from quantum_assets.execution.ledger.ledger import Ledger

    return bool(Ledger.in_home(home).orders(settled=False))


def _answer(home: Path, study: str) -> str | None:
    """The stored verdict or decision of the partition, in a few words; None while there is none."""
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    for asset, told in (("verdict", _told_of_verdict), ("decision", told_of_decision)):
        try:
            return told(Store(Home(home).store).read((study, asset), {"profile": PROFILE}).to_pylist())
        except VersionNotFound:
            continue
    return None


def _told_of_verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    return str(rows[0]["verdict"])


def told_of_decision(rows: Sequence[Mapping[str, Any]]) -> str:
    """What was published, in a few words, from the rows of a decision."""
    row = next(row for row in rows if row["published"])
    rules = "every rule kept" if row["violations"] == 0 else f"rules broken by {row['violations']:g}"
    return f"{row['path']} path published, objective {row['objective']:g}, {rules}"


def _report(home: Path, study: str, url: str) -> int:
    """Lay the provider's account beside the ledger's; 0 when they agree and nothing was submitted twice."""
    from quantum_assets.execution.ledger.ledger import Ledger

    ledger, jobs = Ledger.in_home(home), witness(url)
    orders = [order for order in ledger.orders() if order.provider == "remote"]
    keys = [job["key"] for job in jobs]
    theirs, ours = sum(job["micros"] for job in jobs), sum(order.micros or 0 for order in orders)
    twice = len(keys) - len(set(keys))
    click.echo(f"5. {study} under {PROFILE} is complete: {_answer(home, study)}.")
    click.echo(
        f"   accepted by the provider: {len(jobs)} jobs, {twice} of them twice; orders in the ledger: {len(orders)}"
    )
    click.echo(f"   billed: {theirs / 1e6:.6f} USD by the provider's account, {ours / 1e6:.6f} USD by the ledger's")
    wrong = [
        *ledger.check(),
        *([] if set(keys) == {order.key for order in orders} else ["the accounts name other orders"]),
    ]
    for sentence in wrong:
        click.echo(f"   WRONG: {sentence}")
    return int(bool(twice or theirs != ours or wrong))
