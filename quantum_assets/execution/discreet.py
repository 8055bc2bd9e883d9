"""A provider whose words carry no secret: whatever text a vendor writes into an answer is redacted as it comes in.

This is the one door through which the control plane reaches a provider, so what stands behind it (ledger, cache, judge,
metadata, MLflow, Parquet) never holds more than was let in here. Numbers pass as they are. Exceptions do too: what they
mean is decided by their class and their codes, and `classify` redacts what is told of them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.redact import redact
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import Provider

T = TypeVar("T")

#: Most of what an answer holds; to leave it out at once saves half of the time that looking takes.
_NO_TEXT = frozenset({bool, int, float, complex, bytes, type(None), np.ndarray})


@dataclass(frozen=True)
class Discreet:
    """A provider as the control plane sees it; see `providers.base.Provider` for every method.

    A job's id is a handle: one with a secret in it is known here by another, and asked for by its own. Another process,
    which cannot know its own, finds the job by its order's key or gives it up as unknown; nothing is submitted twice.

    Attributes:
        behind: The provider itself.
    """

    behind: Provider
    _jobs: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name that profiles use."""
        return self.behind.name

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """Why not, in words without secrets."""
        return without_secrets(self.behind.supports(workload, profile))

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        """Versions of packages."""
        return without_secrets(self.behind.versions(profile))

    def limits(self, profile: ExecutionProfile) -> Limits:
        """Numbers, as they are."""
        return self.behind.limits(profile)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """The calibration in force."""
        return without_secrets(self.behind.calibration(profile))

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        """What is known of backends."""
        return without_secrets(self.behind.backends(profile))

    def submit(self, order: Order) -> str:
        """Hand an order in; the id by which this control plane knows its job."""
        known: str = self._known(self.behind.submit(order))
        return known

    def find(self, order: Order) -> str | None:
        """Look an order up; the id by which this control plane knows its job."""
        known: str | None = self._known(self.behind.find(order))
        return known

    def status(self, job: str) -> JobStatus:
        """How the job is doing."""
        return without_secrets(self.behind.status(self._jobs.get(job, job)))

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        """The claims of a job."""
        claims: Any = self.behind.fetch(self._jobs.get(job, job), order)
        return without_secrets(tuple(claims) if isinstance(claims, Iterable) else claims)

    def cancel(self, job: str) -> None:
        """Ask that the job be ended."""
        self.behind.cancel(self._jobs.get(job, job))

    def _known(self, job: Any) -> Any:
        clean = without_secrets(job)
        if clean is job or not isinstance(job, str):
            return clean
        # Two such ids must not become one
        alias = f"{clean}-{hashlib.sha256(job.encode()).hexdigest()[:12]}"
        self._jobs[alias] = job
        return alias


def without_secrets(value: T) -> T:
    """The same value with every text in it redacted, at any depth; the very same object where no text holds a secret.

    Looks into mappings (keys too), lists, tuples, dataclasses, pydantic values and our errors; everything else, arrays
    among them, stays as it is.
    """
    told = "\n".join(_texts(value))
    return value if not told or redact(told) == told else _redacted(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif type(value) not in _NO_TEXT:
        for _, part in _parts(value):
            yield from _texts(part)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value is made of, by name where it has names."""
    if isinstance(value, Mapping):
        yield from (("", part) for pair in value.items() for part in pair)
    elif isinstance(value, list | tuple):
        yield from (("", part) for part in value)
    elif isinstance(value, ProviderError):
        yield from ((name, getattr(value, name)) for name in ("culprit", "problem", "mend"))
    elif isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from ((one.name, getattr(value, one.name)) for one in fields(value) if one.init)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {_redacted(key): _redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        parts = map(_redacted, value)
        return list(parts) if isinstance(value, list) else tuple(parts)
    clean = {name: _redacted(part) for name, part in _parts(value)}
    if isinstance(value, ProviderError):
        return type(value)(**clean, retry=value.retry)
    if isinstance(value, BaseModel):
        return value.model_copy(update=clean)
    return replace(value, **clean) if clean else value
