"""Where processes are killed: a home of ours beside a sidecar, and what must hold between their two sets of books."""

from dataclasses import dataclass, field, replace

import httpx

from quantum_assets.contracts.ticket import OUTCOMES
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.chaos.checker import compare
from quantum_assets_tests.chaos.witness import WitnessJob, read_witness
from quantum_assets_tests.faults.worker import Task, Told, started

PRICE = 290_000  #: Of an order, in millionths. Our price book says more: an estimate must not pass for the bill


@dataclass(frozen=True)
class Place:
    """A home of ours and a sidecar with a home of its own.

    Attributes:
        task: What processes do here, unless told otherwise.
        kills: Where processes were killed, in all tests of a module.
    """

    task: Task
    kills: list[str] = field(default_factory=list)

    def go_wrong(self, *faults: dict[str, object]) -> None:
        """What the sidecar does wrong from now on."""
        with httpx.Client(trust_env=False) as client:
            client.post(f"{self.task.url}/faults", json=faults).raise_for_status()

    def left(self) -> list[dict[str, object]]:
        """Faults whose call never came."""
        with httpx.Client(trust_env=False) as client:
            faults: list[dict[str, object]] = client.get(f"{self.task.url}/faults").json()["faults"]
        return faults

    def killed(self, stop: str, **more: object) -> None:
        """Start a process, and kill it when it has come to its stop."""
        child = started(replace(self.task, stop=stop, **more))  # type: ignore[arg-type]
        assert child.reached() == stop
        child.kill()
        self.kills.append(stop)

    def finished(self, **more: object) -> tuple[Told, ...]:
        """Let a process go to its end."""
        return started(replace(self.task, **more)).told()  # type: ignore[arg-type]

    def at_rest(self, **more: object) -> None:
        """Let a sensor's process take turns until every order is settled."""
        assert started(replace(self.task, rows=(), profile="later", **more)).told() == ()  # type: ignore[arg-type]

    @property
    def ledger(self) -> Ledger:
        return Ledger.in_home(self.task.home)

    def jobs(self) -> tuple[WitnessJob, ...]:
        """What the sidecar accepted, after everything that must hold was seen to hold."""
        jobs, ledger = read_witness(self.task.url), self.ledger
        assert ledger.check() == ()
        assert compare(jobs, ledger) == ()
        for ticket in ledger.tickets():
            ends = [move.after for move in ledger.transitions(ticket.id) if move.after in OUTCOMES]
            assert len(ends) == 1, (ticket.state, ticket.reason)
        return jobs
