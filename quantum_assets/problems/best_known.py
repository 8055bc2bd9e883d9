"""Best values known of published instances, each with the bits that show it.

Published tables of such values disagree now and then; a certificate ends the dispute, so a value that cannot be
recomputed is not here. The entries live in ``best_known.yaml`` beside this module and are found by the fingerprint of
the instance, whatever it is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Problem


@dataclass(frozen=True)
class BestKnown:
    """The best value known of one instance.

    Attributes:
        kind: Of the problem.
        name: Of the instance, as it is published.
        fingerprint: Of the problem.
        value: Objective, in original units.
        proven: Whether nothing better can exist.
        source: Where the value comes from, and the proof where there is one.
        n_variables: Number of bits of the certificate.
        certificate: A feasible row with that value, in hexadecimal: bit i is bit `i % 8` of byte `i // 8`.
    """

    kind: str
    name: str
    fingerprint: str
    value: float
    proven: bool
    source: str
    n_variables: int
    certificate: str

    @property
    def bits(self) -> Bits:
        """The certificate, shape `(n_variables,)`."""
        return unpacked(self.certificate, self.n_variables)


@cache
def registry() -> tuple[BestKnown, ...]:
    """Every entry, in the order of the file."""
    text = Path(__file__).with_name("best_known.yaml").read_text(encoding="utf-8")
    return tuple(BestKnown(**entry) for entry in yaml.safe_load(text))


def find(problem: Problem, entries: Sequence[BestKnown] | None = None) -> BestKnown | None:
    """The entry of an instance, by its fingerprint, recomputed from its certificate; None if there is none.

    Args:
        problem: The instance.
        entries: Where it is looked up; None: in the registry.

    Raises:
        PlanError: If its certificate does not give its value (`verify`).
    """
    listed = registry() if entries is None else entries
    entry = next((entry for entry in listed if entry.fingerprint == problem.fingerprint), None)
    if entry is not None:
        verify(entry, problem)
    return entry


def verify(entry: BestKnown, problem: Problem) -> None:
    """Recompute an entry from its certificate.

    Raises:
        PlanError: If it is of another instance, or the certificate is not feasible or has another value.
    """
    whose = f"best known of {entry.kind} {entry.name}"
    if entry.fingerprint != problem.fingerprint:
        raise PlanError(whose, f"is of another instance than {problem.name}", "Look entries up with `find`")
    row = entry.bits[None, :]
    if problem.violations(row)[0] > 0:
        raise PlanError(whose, f"has a certificate with violations {problem.violations(row)[0]:g}", "Correct the entry")
    value = float(problem.objective(row)[0])
    if abs(value - entry.value) > 1e-9 * abs(entry.value):
        raise PlanError(whose, f"claims {entry.value:.12g}, and its certificate has {value:.12g}", "Correct the entry")


def packed(bits: Bits) -> str:
    """A row of bits, shape `(n_variables,)`, as a certificate."""
    return np.packbits(np.asarray(bits, dtype=np.uint8), bitorder="little").tobytes().hex()


def unpacked(certificate: str, n_variables: int) -> Bits:
    """The row of a certificate.

    Raises:
        PlanError: For text that is not hexadecimal, or of another length.
    """
    try:
        data = bytes.fromhex(certificate)
    except ValueError as error:
        raise PlanError(f"certificate {certificate[:20]!r}", "is not hexadecimal", "Write `packed` bits") from error
    if len(data) != (n_variables + 7) // 8:
        raise PlanError(f"certificate {certificate[:20]!r}", f"does not hold {n_variables} bits", "Write `packed` bits")
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=n_variables, bitorder="little")
