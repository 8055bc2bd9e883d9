"""Dagster's concurrency pools, one a provider and backend: how many steps may wait for a backend at the same time.

A pool in an asset's definition would be the same for every profile of its study. Which backend is asked depends on the
partition, so a step claims its slot where it asks, with what Dagster's own executor claims slots with. Limits are seen
and set like those of any pool: in the UI under Deployment, Concurrency, or with `dagster instance concurrency set`.

Simulators of the step's own process need no slot, and neither do asynchronous profiles, whose steps wait for nobody.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.execution.plane import ControlPlane

LOOK_SECONDS = 1.0
_NO_NAME = re.compile(r"[^A-Za-z0-9_/-]+")


def pool_of(profile: ExecutionProfile) -> str:
    """The pool of a profile's first provider: ``provider/backend``, or ``provider`` where it names no backend."""
    backend = _NO_NAME.sub("-", profile.backend or "").strip("-")
    return f"{profile.providers[0]}/{backend}" if backend else profile.providers[0]


@dataclass(frozen=True)
class Pools:
    """A step's way to its slots.

    Attributes:
        step: Its context: its instance keeps the pools, and Dagster frees what a run that died held.
        plane: Knows which providers are in this process.
    """

    step: dg.AssetExecutionContext
    plane: ControlPlane

    @contextmanager
    def slot(self, profile: ExecutionProfile, until: datetime | None) -> Iterator[None]:
        """Hold a slot of the profile's pool; wait for one, but not past `until`: then there is nothing to ask."""
        if not self._needs_one(profile):
            yield
            return
        clock, key = self.plane.clock, str(self.step.op_handle)
        with InstanceConcurrencyContext(self.step.instance, self.step.run) as claims:
            while not claims.claim(pool_of(profile), key) and (until is None or clock.now() < until):
                clock.sleep(LOOK_SECONDS)
            try:
                yield
            finally:
                claims.free_step(key)

    def _needs_one(self, profile: ExecutionProfile) -> bool:
        if profile.asynchronous:
            return False
        try:
            return self.plane.provider(profile.providers[0]).limits(profile).durable
        except Exception:  # noqa: BLE001 - it is missing or away: the control plane is about to find out, and says it
            return False
