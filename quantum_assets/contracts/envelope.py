"""What came back: the raw claim of a provider, before anybody believes it.

Data and metadata never share a namespace: `data` holds the outcomes, everything else says how they were made. Only
`trust` turns an envelope into an `AdmittedResult`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.profile import EffectiveProfile
from quantum_assets.contracts.workload import FloatArray

ComplexArray = npt.NDArray[np.complex128]
PackedBits = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class States:
    """State vectors, one a binding: `amplitudes` has shape `(n_bindings, 2**n_qubits)`, little-endian qubit order."""

    amplitudes: ComplexArray

    @property
    def outcomes(self) -> ComplexArray:
        """The array of it, whatever the kind of data."""
        return self.amplitudes


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Estimates of P(0…0), one a pair: `p_zero` in [0, 1], shape `(n_pairs,)`; `shots` a pair (None: exact)."""

    p_zero: FloatArray
    shots: int | None

    @property
    def outcomes(self) -> FloatArray:
        """The array of it, whatever the kind of data."""
        return self.p_zero


@dataclass(frozen=True, eq=False)
class Samples:
    """Measured outcomes, one row a shot, eight qubits a byte.

    Qubit i is bit `i % 8` (the lowest is bit 0) of byte `i // 8`; bits past the last qubit are 0.

    Attributes:
        packed: uint8, shape `(n_bindings, shots, ceil(n_qubits / 8))`.
        shots: Shots a binding, as the provider says.
    """

    packed: PackedBits
    shots: int

    @property
    def outcomes(self) -> PackedBits:
        """The array of it, whatever the kind of data."""
        return self.packed


@dataclass(frozen=True)
class Timings:
    """Wall seconds of the stages of one execution."""

    transpile: float = 0.0
    run: float = 0.0
    queue: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """One try at a question, as it is told afterwards.

    Attributes:
        number: 1, 2, …
        provider: Who was asked.
        backend: Its device or simulator; empty where it has only one.
        outcome: The state in which the ticket ended, or stood when its asker's deadline passed.
        modification: What was changed from the try before, or, in try 1, the choice of another backend by the
            profile's own policy; empty for none.
        reason: Why it ended so.
        ticket: Id in the ledger.
        path: Which path it was a try of: quantum or classical.
    """

    number: int
    provider: str
    backend: str
    outcome: str
    modification: str = ""
    reason: str = ""
    ticket: str = ""
    path: str = "quantum"


@dataclass(frozen=True, eq=False)
class ResultEnvelope:
    """One provider's answer to one workload.

    Attributes:
        workload_fingerprint: The question it says it answers.
        profile_fingerprint: The profile it was given.
        effective: What it says it really did.
        data: The outcomes.
        crosscheck_difference: Largest absolute difference on the tile that was recomputed by an independent engine;
            None where the outcomes are random and `crosscheck_zscore` speaks instead.
        crosscheck_zscore: Largest |difference| in standard errors on the tile, for sampled outcomes.
        circuits_run: Circuits that were really executed (0 for matrix products and binomial draws).
        circuits_needed: Circuits that a device would have had to run for the same answer.
        timings: Stage durations.
        calibration_digest: Hash of the calibration in force; None for simulators without one.
        job: The provider's own id of the job; empty where it has none.
        attempts: Every try up to this answer, in order, with what was changed.
        cost: In `currency`; 0 for local simulators.
        currency: ISO code or unit.
        correlation_id: Follows one request through logs, metadata and MLflow.
        cache_hit: Whether this claim was read from the cache and nothing was run for it now.
        mocked: Whether the provider says that the outcomes are made up (a dry run): never believed, never cached.
        metrics: Further finite numbers; ``compiled_depth`` and ``compiled_two_qubit_gates`` where it was compiled.
    """

    workload_fingerprint: str
    profile_fingerprint: str
    effective: EffectiveProfile
    data: States | Overlaps | Samples
    crosscheck_difference: float | None
    crosscheck_zscore: float | None
    circuits_run: int
    circuits_needed: int
    timings: Timings = Timings()
    calibration_digest: str | None = None
    job: str = ""
    attempts: tuple[Attempt, ...] = ()
    cost: float = 0.0
    currency: str = "USD"
    correlation_id: str = ""
    cache_hit: bool = False
    mocked: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class AdmittedResult:
    """An envelope that passed every check of the trust boundary; `checks` names them. Made by `trust` only."""

    envelope: ResultEnvelope
    checks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RejectedResult:
    """An envelope that failed, with every reason. Made by `trust` only."""

    envelope: ResultEnvelope
    reasons: tuple[str, ...]
