"""The execution room as a Dagster resource: one control plane a process, opened at its first use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from quantum_assets.contracts.envelope import RejectedResult, ResultEnvelope
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.logs import mind_the_logs
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.session import Session
from quantum_assets.governance.budgets import read_budgets
from quantum_assets.orchestration.profiles import read_profiles
from quantum_assets.providers import PROVIDERS
from quantum_assets.trust.admit import admit

EXECUTION_KEY = "quantum_assets_execution"
"""Resource key of the execution room."""


class ExecutionRoom(dg.ConfigurableResource[Any]):
    """The way from assets, sensors and the command line into the execution room.

    Attributes:
        home: Folder that holds ledger, spool, answers and cache.
        ledger_url: SQLAlchemy URL of the ledger; empty: SQLite in `home`. It may hold a password: give an `EnvVar`.
        profiles_file: Execution profiles, for fallbacks.
        budgets_file: What projects may spend.
    """

    home: str
    ledger_url: str = Field("", repr=False)
    profiles_file: str
    budgets_file: str
    _plane: ControlPlane | None = PrivateAttr(default=None)

    @property
    def plane(self) -> ControlPlane:
        """This process's control plane; nothing is opened before it is used."""
        if self._plane is None:
            self._plane = control_plane(
                Path(self.home),
                ledger_url=self.ledger_url,
                profiles=read_profiles(Path(self.profiles_file)),
                budgets=read_budgets(Path(self.budgets_file)),
            )
        return self._plane

    def session(self, study: str, partition: str = "", run_id: str = "") -> Session:
        """A session in a study's name; the run's id is the correlation id."""
        return Session(self.plane, study, partition, run_id, correlation_id=run_id)


def control_plane(
    home: Path,
    *,
    ledger_url: str = "",
    profiles: Mapping[str, ExecutionProfile] | None = None,
    budgets: Mapping[str, Budget] | None = None,
) -> ControlPlane:
    """The control plane of a home with every provider and the trust boundary; for notebooks and scripts too."""
    mind_the_logs()
    return ControlPlane.in_home(
        home, PROVIDERS, trust_reasons, ledger_url=ledger_url, profiles=profiles, budgets=budgets
    )


def trust_reasons(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
    """Why the trust boundary refuses a claim; empty when it admits it."""
    verdict = admit(envelope, workload, profile)
    return verdict.reasons if isinstance(verdict, RejectedResult) else ()
