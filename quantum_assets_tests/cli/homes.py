"""Homes with small real ledgers, and the command called on them."""

from pathlib import Path

from click.testing import CliRunner, Result

from quantum_assets.cli.main import main
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import PATIENT, PROFILE, ask_for, guess, opened, walk

KEY = "a" * 32


def call(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--home", str(home)])


def ledger_in(home: Path) -> Ledger:
    """A new ledger, as commands find it."""
    ledger = Ledger.in_home(home)
    ledger.prepare()
    return ledger


def planned(ledger: Ledger, number: float, study: str = "wine", run_id: str = "") -> Ticket:
    """A ticket that waits to be submitted, of an asynchronous profile."""
    return ledger.ask(ask_for(number, PATIENT, study=study, partition="managed", run_id=run_id))[0]


def paid(ledger: Ledger, number: float = 1, key: str = KEY, micros: int = 300_000) -> Ticket:
    """A ticket that was answered and charged for."""
    ticket, _ = ledger.ask(ask_for(number, study="wine", partition="managed", correlation_id="c-1"))
    opened(ledger, key, [ticket], [guess(micros + 50_000, 1000)], provider="remote", backend="rehearsal")
    (named,) = ledger.name_job(key, f"job-{number}")
    ended = walk(ledger, named, State.RUNNING, State.COMPLETED, State.ACCEPTED)
    ledger.settle(key, Charge(micros))
    return ended


def retried(ledger: Ledger, number: float = 2) -> tuple[Ticket, Ticket]:
    """A try that failed, and the one after it."""
    failed = walk(ledger, ledger.ask(ask_for(number, study="wine"))[0], State.FAILED)
    again = ledger.again(failed, State.RETRIED, "503", profile=PROFILE, modification="512 shots instead of 1024")
    return ledger.ticket(failed.id), again
