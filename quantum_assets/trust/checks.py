"""The checks of the trust boundary: each is a generator of reasons to refuse; yielding none is passing.

Every check stands alone: it looks at malformed data without failing and leaves to its neighbours what is theirs (a
wrong shape is `shapes`' reason and nobody else's), so that all reasons can be collected from one envelope.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray, Overlaps, PackedBits, ResultEnvelope, Samples, States
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec
from quantum_assets.contracts.workload import FloatArray, Workload

NORM_TOLERANCE = 1e-9
PROBABILITY_TOLERANCE = 1e-9
DIFFERENCE_TOLERANCE = 1e-8
ZSCORE_LIMIT = 6.0
COUNT_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Claim:
    """An answer laid beside its question.

    Attributes:
        envelope: What came back.
        workload: What was asked.
        profile: How it was to be run.
    """

    envelope: ResultEnvelope
    workload: Workload
    profile: ExecutionProfile

    @property
    def asked(self) -> "Kind":
        """What the measure promises."""
        return KINDS[self.workload.measure]

    @cached_property
    def outcomes(self) -> ComplexArray | FloatArray | PackedBits | None:
        """The array of outcomes, if there is one and of the kind that was asked for; whatever its shape and dtype."""
        if type(self.envelope.data) is not self.asked.data:
            return None
        array = self.envelope.data.outcomes
        return array if isinstance(array, np.ndarray) and array.dtype.kind in self.asked.numbers else None

    @property
    def expected_shape(self) -> tuple[int, ...]:
        """One row of 2^n amplitudes a binding, one probability a pair, or the profile's shots a binding, in bytes."""
        workload, width = self.workload, self.workload.circuit.n_qubits
        if workload.pairs is not None:
            return (len(workload.pairs),)
        if workload.measure == "samples":
            return (workload.n_bindings, self.profile.shots or 0, -(-width // 8))
        return (workload.n_bindings, 2**width)

    @cached_property
    def squared_norms(self) -> FloatArray | None:
        """Of each row of amplitudes; None where the outcomes are no matrix of complex128.

        The only pass over honest states, which takes most of a judgement's time: a row that holds NaN or infinity has a
        norm that is not finite either.
        """
        if self.outcomes is None or self.outcomes.ndim != 2 or self.outcomes.dtype != np.complex128:
            return None
        parts = np.ascontiguousarray(self.outcomes).view(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is infinite, and judged so
            squared: FloatArray = np.vecdot(parts, parts)
        return squared

    @cached_property
    def not_finite(self) -> int:
        """How many outcomes are NaN or infinite; counted only where there can be any."""
        if self.outcomes is None or self.outcomes.dtype.kind == "u":
            return 0
        if self.squared_norms is not None and np.isfinite(self.squared_norms).all():
            return 0
        return self.outcomes.size - int(np.count_nonzero(np.isfinite(self.outcomes)))

    @cached_property
    def well_formed(self) -> bool:
        """Whether the outcomes are of the kind, shape and finiteness that the other checks need to speak."""
        return not any(True for check in (kind, shapes, finite) for _ in check(self))

    @property
    def p_zero(self) -> FloatArray | None:
        """Well-formed overlap probabilities; None where there are none, or another check has the reason."""
        data = self.envelope.data
        return data.p_zero if isinstance(data, Overlaps) and self.well_formed and data.p_zero.size else None

    @property
    def packed(self) -> PackedBits | None:
        """Well-formed samples; None where there are none, or another check has the reason."""
        data = self.envelope.data
        return data.packed if isinstance(data, Samples) and self.well_formed and data.packed.size else None


@dataclass(frozen=True)
class Kind:
    """What the outcomes of one measure are: their class, their dtype, and which numbers a lesser claim may be made of.

    Attributes:
        data: Class of the envelope's data.
        dtype: Of its array.
        numbers: NumPy's letters of the dtypes that the other checks can speak about.
        words: The same for people.
    """

    data: type[States | Overlaps | Samples]
    dtype: str
    numbers: str
    words: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "states": Kind(States, "complex128", "fc", "floating-point numbers"),
        "overlaps": Kind(Overlaps, "float64", "fc", "floating-point numbers"),
        "samples": Kind(Samples, "uint8", "u", "unsigned integers"),
    }
)


def answers_this_workload(claim: Claim) -> Iterator[str]:
    """The envelope names the fingerprint of the workload that was asked."""
    named, asked = claim.envelope.workload_fingerprint, claim.workload.fingerprint
    if named != asked:
        yield f"it answers workload {named[:12]}, asked was {asked[:12]}"


def ran_this_profile(claim: Claim) -> Iterator[str]:
    """The envelope names the fingerprint of the profile that was asked."""
    named, asked = claim.envelope.profile_fingerprint, claim.profile.fingerprint
    if named != asked:
        yield f"it was given profile {named[:12]}, asked was {asked[:12]}"


def honours_profile(claim: Claim) -> Iterator[str]:
    """What really ran, as read back, is what the profile requested."""
    yield from claim.envelope.effective.differences(claim.profile)


def really_ran(claim: Claim) -> Iterator[str]:
    """The provider does not say that the outcomes are made up, as those of a dry run are."""
    if claim.envelope.mocked:
        yield "the provider says that the outcomes are made up"


def kind(claim: Claim) -> Iterator[str]:
    """States come back for `states`, overlaps for `overlaps`, samples for `samples`, in arrays of the promised type."""
    asked = claim.asked
    if type(claim.envelope.data) is not asked.data:
        yield f"asked for {asked.data.__name__}, got {type(claim.envelope.data).__name__}"
    elif claim.outcomes is None:
        yield f"the outcomes are no array of {asked.words}"
    elif claim.outcomes.dtype != asked.dtype:
        yield f"the outcomes have dtype {claim.outcomes.dtype}, not {asked.dtype}"


def shapes(claim: Claim) -> Iterator[str]:
    """One row of 2^n amplitudes a binding, one probability a pair, or the profile's shots a binding in whole bytes."""
    if claim.outcomes is not None and claim.outcomes.shape != claim.expected_shape:
        yield f"the outcomes have shape {claim.outcomes.shape}, expected {claim.expected_shape}"


def finite(claim: Claim) -> Iterator[str]:
    """No NaN and no infinity among the outcomes."""
    if claim.not_finite and claim.outcomes is not None:
        yield f"{claim.not_finite} of {claim.outcomes.size} outcomes are NaN or infinite"


def normalised(claim: Claim) -> Iterator[str]:
    """Every state has norm 1 within `NORM_TOLERANCE`."""
    if claim.squared_norms is None or not claim.well_formed:
        return
    defects = np.abs(claim.squared_norms - 1.0)
    worst = int(np.argmax(defects))
    if not defects[worst] <= NORM_TOLERANCE:
        yield f"state {worst} has a squared norm off by {defects[worst]:.3g}, allowed is {NORM_TOLERANCE:.0e}"


def probabilities(claim: Claim) -> Iterator[str]:
    """Every P(0…0) lies in [0, 1] up to rounding."""
    if claim.p_zero is None:
        return
    low, high = float(claim.p_zero.min()), float(claim.p_zero.max())
    if low < -PROBABILITY_TOLERANCE or high > 1 + PROBABILITY_TOLERANCE:
        yield f"probabilities span [{low:.6g}, {high:.6g}], outside [0, 1]"


def padding(claim: Claim) -> Iterator[str]:
    """Bits of samples past the last qubit are 0, as the contract has it."""
    used = claim.workload.circuit.n_qubits % 8
    if claim.packed is None or not used:
        return
    wrong = int(np.count_nonzero(claim.packed[..., -1] >> used))
    if wrong:
        yield f"{wrong} shots have bits set past the last of {claim.workload.circuit.n_qubits} qubits"


def shot_counts(claim: Claim) -> Iterator[str]:
    """The outcomes are of as many shots as the profile asks for; sampled probabilities are whole counts over them."""
    data, asked = claim.envelope.data, claim.profile.shots
    if isinstance(data, States) or type(data) is not claim.asked.data:
        return
    if data.shots != asked:
        yield f"the profile asks for {asked} shots, the outcomes were estimated from {data.shots}"
    if claim.p_zero is None or data.shots is None:
        return
    counts = claim.p_zero * data.shots
    worst = float(np.abs(counts - np.rint(counts)).max())
    if worst > COUNT_TOLERANCE:
        yield f"probabilities times {data.shots} shots miss whole counts by up to {worst:.3g}: they were not counted"


def crosschecked(claim: Claim) -> Iterator[str]:
    """An independent engine agrees on a tile: to 1e-8 where exact, to 6 standard errors where sampled.

    Of overlaps the probabilities are compared, of samples the parities of one and two qubits (`providers.samples`).
    What a device returns has no exact value to be held against; there the circuit that was sent must be the workload's
    to 1e-8 on the tile, and the outcomes are judged by the checks beside this one.
    """
    envelope = claim.envelope
    if claim.profile.mode == "hardware":
        name, value, limit = (
            "of the compiled circuit",
            envelope.metrics.get("compiled_difference"),
            DIFFERENCE_TOLERANCE,
        )
    elif claim.workload.sampled and claim.profile.shots is not None:
        name, value, limit = "z-score", envelope.crosscheck_zscore, ZSCORE_LIMIT
    else:
        name, value, limit = "difference", envelope.crosscheck_difference, DIFFERENCE_TOLERANCE
    if value is None:
        yield f"the cross-check {name} is missing: no tile was recomputed independently"
    elif not 0 <= value <= limit:
        yield f"the cross-check {name} is {value:.3g}, allowed is 0 to {limit:g}"


def diagonal(claim: Claim) -> Iterator[str]:
    """A state overlaps itself with probability 1 on an ideal machine, and cannot in every shot under plenty of noise.

    Managed simulators and devices bring noise of their own that no profile describes: nothing is known there.

    The second half catches compilers that cancel U† U on the pairs (i, i), which fakes a noiseless diagonal.
    """
    p_zero, pairs, noise = claim.p_zero, claim.workload.pairs, claim.profile.noise
    if p_zero is None or pairs is None:
        return
    own = p_zero[pairs[:, 0] == pairs[:, 1]]
    if not own.size:
        return
    if claim.profile.mode == "ideal":
        worst = float(np.abs(own - 1.0).max())
        if worst > DIFFERENCE_TOLERANCE:
            yield f"the overlap of a state with itself is off 1 by {worst:.3g} on a noiseless profile"
    elif noise is not None and (own == 1.0).all() and _failures_due(noise, claim, own.size) > 20:
        yield "every overlap of a state with itself is exactly 1 under noise: the compiler cancelled the circuit"


def accounts(claim: Claim) -> Iterator[str]:
    """Counts, durations, cost and metrics are finite, none is negative, and circuits ran where they were asked for."""
    envelope, timings = claim.envelope, claim.envelope.timings
    numbers = {
        "circuits_run": envelope.circuits_run,
        "circuits_needed": envelope.circuits_needed,
        "cost": envelope.cost,
        "transpile seconds": timings.transpile,
        "run seconds": timings.run,
        "queue seconds": timings.queue,
    }
    yield from (f"{name} is {n}" for name, n in numbers.items() if not (math.isfinite(n) and n >= 0))
    yield from (f"metric {name} is {n}" for name, n in envelope.metrics.items() if not math.isfinite(n))
    if claim.profile.estimator == "circuits" and envelope.circuits_run < 1:
        yield f"the profile asks for circuits, and {envelope.circuits_run} were run"


Check = Callable[[Claim], Iterator[str]]
CHECKS: tuple[Check, ...] = (
    answers_this_workload,
    ran_this_profile,
    honours_profile,
    really_ran,
    kind,
    shapes,
    finite,
    normalised,
    probabilities,
    padding,
    shot_counts,
    crosschecked,
    diagonal,
    accounts,
)


def _failures_due(noise: NoiseSpec, claim: Claim, circuits: int) -> float:
    """How many shots of so many U† U circuits noise must move away from 0…0; a cautious estimate.

    Counts the larger of readout flips and two-qubit depolarising, the latter at 3/8 of its probability: a quarter of a
    depolarised pair stays as it was, and of the errors about half go unseen by a measurement in one basis.
    """
    circuit = claim.workload.circuit
    readout = 1 - (1 - noise.readout) ** circuit.n_qubits
    gates = 1 - (1 - 0.375 * noise.depolarizing_2q) ** (2 * circuit.two_qubit_gates)
    return circuits * (claim.profile.shots or 1_000_000) * max(readout, gates)
