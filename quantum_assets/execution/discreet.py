"""A provider whose words carry no secret: whatever text a vendor writes into an answer is redacted as it comes in.

This is the one door through which the control plane reaches a provider, so what stands behind it (ledger, cache, judge,
metadata, MLflow, Parquet) never holds more than was let in here. Numbers pass as they are. Exceptions do too: what they
mean is decided by their class and their codes, and `classify` redacts what is told of them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.redact import redact
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import Provider, remains_of

T = TypeVar("T")

#: Most of what an answer holds; to leave it out at once saves half of the time that looking takes.
_NO_TEXT = frozenset({bool, int, float, complex, bytes, type(None), np.ndarray})

_MOST_PLACES = 2**31  # of a PostgreSQL integer
_MOST_MICROS = 2**63  # of a bigint


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

    def remains(self, order: Order) -> str | None:
        """Look for a part of an order; the id by which this control plane knows the job that stands for it."""
        known: str | None = self._known(remains_of(self.behind, order))
        return known

    def status(self, job: str) -> JobStatus:
        """How the job is doing."""
        return _storable(without_secrets(self.behind.status(self._jobs.get(job, job))))

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


def _storable(status: JobStatus) -> JobStatus:
    """The same without numbers that no ledger holds: a place or a charge beyond belief counts as not told."""
    place, charge = status.queue_position, status.charge
    if place is not None and not 0 <= place < _MOST_PLACES:
        status = replace(status, queue_position=None)
    return status if charge is None or charge.micros < _MOST_MICROS else replace(status, charge=None)


def without_secrets(value: T) -> T:
    """The same value with every text in it redacted, at any depth; the very same object where no text holds a secret.

    Looks into mappings (keys too), lists, tuples, dataclasses, pydantic values and our errors; everything else, arrays
    among them, stays as it is.
    """
    texts: list[str] = []
    _gather(value, texts)
    told = "\n".join(texts)
    return value if not told or redact(told) == told else _redacted(value)


def _gather(value: Any, texts: list[str]) -> None:
    """Add every text in a value."""
    if isinstance(value, str):
        texts.append(value)
    elif type(value) not in _NO_TEXT:
        for _, part in _parts(value):
            _gather(part, texts)


def _parts(value: Any) -> Sequence[tuple[str, Any]]:
    """What a value is made of, by name where it has names."""
    kind: Any = type(value)  # mypy takes no class for hashable
    names = _names(kind)
    if names is not None:
        return [(name, getattr(value, name)) for name in names]
    return [("", part) for part in (chain.from_iterable(value.items()) if isinstance(value, Mapping) else value)]


@lru_cache(maxsize=256)  # asking every value anew what it is takes most of the time of looking
def _names(kind: type) -> tuple[str, ...] | None:
    """Names of what values of a type are made of; None where the parts have no names."""
    if issubclass(kind, Mapping | list | tuple):
        return None
    if issubclass(kind, ProviderError):
        return ("culprit", "problem", "mend")
    if issubclass(kind, BaseModel):
        return tuple(kind.model_fields)
    if is_dataclass(kind):
        return tuple(one.name for one in fields(kind) if one.init)
    return ()


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
