"""The error tree: every failure says whose it is, what is wrong and what mends it.

::

    QuantumAssetsError
    ├── PlanError            the caller's: bad data, YAML, key or profile; raised before anything is spent or written
    │   └── GuardrailError   nothing is wrong but the size: it is more than the profile's limits allow
    ├── ProviderError        the provider's: it did not run, or not what was asked (``retry`` says whether again helps)
    │   └── UnderWay         nothing is wrong: the answer was submitted for and is still on its way
    ├── LedgerError          the ledger's: an illegal or lost move, or a database that does not answer
    ├── BudgetError          the purse's: a budget or a missing approval forbids it; never tried again as it is
    ├── RejectedError        nobody's: the answer came and the trust boundary refused it, with every reason
    ├── StoreError           the store's
    │   ├── VersionNotFound  no such asset, partition or version
    │   └── CorruptObject    stored bytes do not match their checksum or digest
    └── TrackingError        MLflow's: never raised on the path of a result, only by explicit delivery

Two questions each answers: the machine's (*try again?*) and the person's (*which culprit, what to do?*).
"""

from collections.abc import Sequence


class QuantumAssetsError(Exception):
    """The root: catch it to catch every error this package raises on purpose.

    Args:
        culprit: The thing at fault as its owner would name it, for example ``wine/defs.yaml: feature_maps[0].reps``.
        problem: What is wrong with it, numbers included.
        mend: What to do about it; an imperative sentence without the final stop.
    """

    def __init__(self, culprit: str, problem: str, mend: str) -> None:
        self.culprit = culprit
        self.problem = problem
        self.mend = mend
        super().__init__(f"{culprit}: {problem}. {mend}.")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Survive a process pool: exceptions are rebuilt from the three parts, not from the message."""
        return type(self), (self.culprit, self.problem, self.mend)


class PlanError(QuantumAssetsError):
    """The question itself is wrong: refused before compute, before submission and before any write."""


class GuardrailError(PlanError):
    """A well-formed question is larger than a profile's limits allow; under another profile it may be answered."""


class ProviderError(QuantumAssetsError):
    """A provider did not answer, or says that it cannot run this workload under this profile.

    Args:
        culprit: The provider's name.
        problem: What it said.
        mend: What to do about it.
        retry: Whether the same request may succeed later.
    """

    def __init__(self, culprit: str, problem: str, mend: str, retry: bool = False) -> None:
        super().__init__(culprit, problem, mend)
        self.retry = retry

    def __reduce__(self) -> tuple[type, tuple[str, str, str, bool]]:  # type: ignore[override]
        """Keep ``retry`` across processes."""
        return type(self), (self.culprit, self.problem, self.mend, self.retry)


class UnderWay(ProviderError):
    """The answer is on its way: nothing is wrong, and whoever asked comes back later."""


class RejectedError(QuantumAssetsError):
    """The trust boundary refused an envelope; ``reasons`` holds every one of them, not only the first."""

    def __init__(self, culprit: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(
            culprit,
            "the result was rejected: " + "; ".join(self.reasons),
            "Look at the reasons, mend the profile or the provider, and materialise again; nothing was stored",
        )

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...]]]:  # type: ignore[override]
        """Keep the reasons across processes."""
        return type(self), (self.culprit, self.reasons)


class LedgerError(QuantumAssetsError):
    """The ledger refused a move, or could not be reached; what it held before still stands."""


class StaleTicket(LedgerError):
    """Another process moved the ticket first: read it again and decide anew."""


class BudgetError(QuantumAssetsError):
    """A budget would be exceeded, or an approval is missing; nothing was submitted."""


class StoreError(QuantumAssetsError):
    """The store could not do what was asked; what it held before still stands."""


class VersionNotFound(StoreError):
    """No such asset, partition or version in the store."""


class CorruptObject(StoreError):
    """Stored bytes fail their checksum or digest: never returned, always named by asset, partition and version."""


class TrackingError(QuantumAssetsError):
    """MLflow could not be reached or refused a record; the record stays in the outbox."""
