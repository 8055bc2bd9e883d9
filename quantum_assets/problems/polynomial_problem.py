"""A problem that is a polynomial and nothing else: what a user's own QUBO or Ising file becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Ising, Sense
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.descent import descend, flip_changes
from quantum_assets.problems.rows import matrix_of


@dataclass(frozen=True, eq=False)
class PolynomialProblem:
    """A problem that is nothing but a polynomial of bits: every row is feasible, the objective is the polynomial.

    Attributes:
        instance: Its name.
        polynomial: The objective, as spins.
        direction: ``minimise`` or ``maximise``.
        objective_unit: For people.
        names: Of the variables, all different; none: they are numbered.
    """

    instance: str
    polynomial: Ising
    direction: Sense = "minimise"
    objective_unit: str = "objective"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.direction not in get_args(Sense):
            raise PlanError(
                f"{self.kind} {self.instance}: sense", f"is {self.direction!r}", "Write 'minimise' or 'maximise'"
            )
        if not self.polynomial.terms:
            raise PlanError(
                f"{self.kind} {self.instance}", "does not depend on any variable", "Give at least one weight but 0"
            )

        if self.names and len(set(self.names)) != self.polynomial.n_variables:
            raise PlanError(
                f"{self.kind} {self.instance}: names",
                f"are {len(set(self.names))} different ones for {self.polynomial.n_variables} variables",
                "Give each variable a name of its own, or none at all",
            )

    @property
    def kind(self) -> str:
        """``qubo_file``."""
        return "qubo_file"

    @property
    def name(self) -> str:
        """As given."""
        return self.instance

    @property
    def sense(self) -> Sense:
        """As given."""
        return self.direction

    @property
    def unit(self) -> str:
        """As given."""
        return self.objective_unit

    @property
    def variables(self) -> tuple[str, ...]:
        """By name, or by number: ``x0``, ``x1`` and so on."""
        return self.names or tuple(f"x{i}" for i in range(self.polynomial.n_variables))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the polynomial and the sense."""
        return fingerprint("qubo_file/v1", self.polynomial.fingerprint, self.direction)

    def encode(self) -> Encoding:
        """The polynomial itself; minus it, where it is maximised."""
        if self.direction == "minimise":
            return Encoding(self.polynomial)
        given = self.polynomial
        return Encoding(Ising(given.n_variables, given.terms, -given.coefficients, -given.offset), energy_per_unit=-1.0)

    def objective(self, bits: Bits) -> FloatArray:
        """The polynomial's value."""
        return self.polynomial.energies(matrix_of(self, bits))

    def violations(self, bits: Bits) -> FloatArray:
        """0: there is nothing to break."""
        return np.zeros(len(matrix_of(self, bits)))

    def repair(self, bits: Bits) -> Bits:
        """The same rows."""
        return matrix_of(self, bits).copy()

    def greedy(self) -> Bits:
        """Steepest descent by single flips from the row of zeros."""
        return descend(self.encode().ising, np.zeros(self.polynomial.n_variables, dtype=np.uint8))

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line a variable: its value, and how much the objective would change if it alone were flipped."""
        row = matrix_of(self, bits)[0]
        changes = flip_changes(self.polynomial, row)
        return tuple(
            {"variable": name, "value": int(row[i]), "change_if_flipped": float(changes[i])}
            for i, name in enumerate(self.variables)
        )
