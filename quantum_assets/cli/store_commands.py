"""Commands that look after a home: `history`, `verify`, `doctor`, `gc` and `sync`."""

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantum_assets.cli.options import home_option, partition_option, tracking_option
from quantum_assets.contracts.errors import PlanError

if TYPE_CHECKING:
    from quantum_assets.store.maintenance import Finding
    from quantum_assets.store.store import Store

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.command(epilog="Example: quantum-assets history wine/verdict --profile ideal")
@click.argument("name")
@partition_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Newest commits to show.")
@home_option
def history(name: str, profile: str | None, partition: dict[str, str], limit: int, home: Path) -> None:
    """List the versions of an asset and what changed.

    NAME is the asset's name with slashes. The oldest comes first. A version is the digest of the content: the same
    answer is the same version.
    """
    from quantum_assets.store.changes import what_changed

    store, asset = _store(home), tuple(name.split("/"))
    if not all(asset):
        raise PlanError(f"asset {name!r}", "is not a name", "Give its parts joined by slashes, like wine/verdict")
    keys = {**partition, **({"profile": profile} if profile else {})}
    store.find(asset, keys)  # says what there is, if not this
    commits = store.history(asset, keys)
    if len(commits) > limit:
        click.echo(f"({len(commits) - limit} older commits; --limit {len(commits)} shows all)")
    for before, commit in list(zip((None, *commits), commits, strict=False))[-limit:]:
        told = "removed by gc" if commit.removed else "" if commit.changed else "same content as before"
        size = f"{commit.rows:>7,} rows {size_of(commit.bytes):>8}"
        line = f"{commit.sequence:>4}  {commit.time:%Y-%m-%d %H:%M:%S} UTC  {commit.version[:12]}  {size}  {told}"
        click.echo(line.rstrip())
        click.echo(f"      {what_changed(before, commit)}")


@click.command(epilog="Example: quantum-assets verify")
@home_option
def verify(home: Path) -> None:
    """Read every stored version and compare its digests.

    Changes nothing; the exit status is 1 if a version does not load.
    """
    from quantum_assets.store.maintenance import verify as find_damage

    store = _store(home)
    _tell(find_damage(store), f"every version loads and is what was stored ({_counted(store)})")


@click.command(epilog="Example: quantum-assets doctor")
@home_option
def doctor(home: Path) -> None:
    """Look for damage, leftovers and waiting records.

    Everything `verify` finds, and more: also what the ledger of tickets, orders and money must never hold. Changes
    nothing; the exit status is 1 if something needs a hand.
    """
    import shutil

    from quantum_assets.store.maintenance import doctor as examine
    from quantum_assets.tracking.sync import pending_count

    store = _store(home)
    click.echo(f"home     {home}")
    click.echo(f"store    {_counted(store)}")
    click.echo(f"disk     {size_of(shutil.disk_usage(home).free)} free")
    waiting = pending_count(home)
    click.echo(
        f"outbox   {waiting} records wait for MLflow" + ("; `quantum-assets sync` delivers them" if waiting else "")
    )
    standing, broken = ledger_health(home)
    click.echo(f"ledger   {standing}")
    _tell((*examine(store), *broken), "nothing is wrong with store and ledger")


@click.command(epilog="Example: quantum-assets gc --keep 2 --older-than 8w")
@click.option("--keep", default=3, show_default=True, type=click.IntRange(1), help="Newest versions kept a partition.")
@click.option("--older-than", default="30d", show_default=True, metavar="AGE", help="Only what is older: 12h, 30d, 8w.")
@click.option("--yes", is_flag=True, help="Really remove; without it the command only tells.")
@home_option
def gc(keep: int, older_than: str, yes: bool, home: Path) -> None:
    """Tell which old versions could go, or remove them.

    The newest version of a partition always stays, and its history stays readable: removed versions are marked.
    """
    from quantum_assets.store.maintenance import collect_garbage

    removals = collect_garbage(_store(home), keep, age_of(older_than), dry_run=not yes)
    for removal in removals:
        click.echo(f"{removal.kind:<10} {removal.culprit}  {size_of(removal.bytes)}")
    total = size_of(sum(removal.bytes for removal in removals))
    if not removals:
        click.echo("Nothing to remove.")
    elif yes:
        click.echo(f"Removed {len(removals)} files, {total}.")
    else:
        click.echo(f"{len(removals)} files, {total}, would go. Nothing was removed; --yes removes them.")


@click.command(epilog="Example: quantum-assets sync --tracking-uri http://127.0.0.1:5000")
@tracking_option
@home_option
def sync(tracking_uri: str, home: Path) -> None:
    """Deliver waiting records to MLflow, each exactly once.

    Records wait in the outbox when MLflow did not answer in time. The exit status is 1 while records are left.
    """
    from quantum_assets.tracking.database import local_uri
    from quantum_assets.tracking.sync import pending_count
    from quantum_assets.tracking.sync import sync as deliver

    if not pending_count(home):
        click.echo("Nothing waits.")
        return
    report = deliver(home, tracking_uri or local_uri(home))
    for failure in report.failed:
        click.echo(f"{failure.key}: {failure.reason}", err=True)
    click.echo(f"Delivered {report.delivered}; {report.pending} left.")
    sys.exit(1 if report.pending else 0)


def ledger_health(home: Path) -> tuple[str, tuple[str, ...]]:
    """What is open in the ledger, in words, and every invariant of it that does not hold."""
    from quantum_assets.cli.ledger import find_ledger
    from quantum_assets.contracts.ticket import OUTCOMES, State

    ledger = find_ledger(home)
    if ledger is None:
        return "none yet", ()
    open_tickets = len(ledger.tickets(states=frozenset(State) - OUTCOMES))
    unsettled = len(ledger.orders(settled=False))
    standing = f"{open_tickets} tickets open, {unsettled} orders not settled"
    return standing, tuple(f"ledger: {sentence}" for sentence in ledger.check())


def size_of(count: int) -> str:
    """Bytes for people: 812 B, 4.1 kB, 2.0 GB."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def age_of(text: str) -> timedelta:
    """A span such as 90m, 12h, 30d or 8w.

    Raises:
        PlanError: For anything else.
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    if found is None:
        raise PlanError(f"--older-than {text}", "is not an age", "Write a number and m, h, d or w, for example 30d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _store(home: Path) -> "Store":
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    if not Home(home).store.is_dir():
        raise PlanError(f"home {home}", "holds no store", "Run `quantum-assets run` first, or name another with --home")
    return Store(Home(home).store)


def _counted(store: "Store") -> str:
    listed = store.assets()
    versions = sum(len({c.version for c in store.history(asset, keys)}) for asset, keys in listed)
    return f"{versions} versions in {len(listed)} partitions"


def _tell(findings: "tuple[Finding | str, ...]", sound: str) -> None:
    for finding in findings:
        click.echo(str(finding))
    if findings:
        click.echo(f"{len(findings)} findings.")
        sys.exit(1)
    click.echo(f"Sound: {sound}.")
