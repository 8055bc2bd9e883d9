"""What every narrower stand-in for a problem has in common: whatever is said of its rows is said of the original's."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from quantum_assets.contracts.problem import Bits, Problem, Sense
from quantum_assets.contracts.workload import FloatArray


class Narrowed(ABC):
    """A problem over fewer variables than another, each of whose rows means one row of that other.

    Attributes:
        original: The problem that it stands for.
    """

    original: Problem

    @abstractmethod
    def expand(self, bits: Bits) -> Bits:
        """The rows of the original that rows of this problem mean."""

    @property
    def kind(self) -> str:
        """The original's."""
        return self.original.kind

    @property
    def sense(self) -> Sense:
        """The original's."""
        return self.original.sense

    @property
    def unit(self) -> str:
        """The original's."""
        return self.original.unit

    def objective(self, bits: Bits) -> FloatArray:
        """The original's, of the expanded rows."""
        return self.original.objective(self.expand(bits))

    def violations(self, bits: Bits) -> FloatArray:
        """The original's, of the expanded rows."""
        return self.original.violations(self.expand(bits))

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """The original's table of the expanded row, variables that are not here included."""
        return self.original.interpret(self.expand(bits)[0])
