"""The parts of a QAOA run as values: ansatz, angles with their convention, objective and training budget.

The house convention: `U = Π_l exp(-i β_l M) exp(-i γ_l E)`, layers in the order of time, with E the Ising energy
without its offset (minimised) and M the mixer; angles in radians.

- `x`: `M = Σ X_i`, one RX(2β) a qubit. With a warm start `M = Σ sin θ_i X_i + cos θ_i Z_i`, `θ_i = 2 arcsin √c_i`: the
  mixer of Egger, Marecek and Woerner (Quantum 5, 479, 2021) with its sign turned, so that c = 1/2 gives `x` exactly.
- `xy_ring`, `xy_complete`: the product of `exp(-i β (X_i X_j + Y_i Y_j) / 2)` over `mixer_edges`, in that order. The
  product is the definition; it is no approximation of something else, and circuit and engine agree on it.

Energies fall from the start where γ > 0 and β < 0: every start is the highest state of its mixer.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import Frozen
from quantum_assets.contracts.workload import FloatArray

Mixer = Literal["x", "xy_ring", "xy_complete"]
Initial = Literal["uniform", "dicke", "warm"]
Optimiser = Literal["cobyla", "nelder_mead", "powell", "bfgs"]
Edge = tuple[int, int]

MOST_LAYERS = 16


def _floats(values: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(float(value) for value in values)


class AnsatzSpec(Frozen):
    """Which circuit family; its width comes from the problem."""

    mixer: Mixer = "x"
    layers: Annotated[int, Field(ge=1, le=MOST_LAYERS)] = 1
    initial: Initial = Field(
        "uniform", description="Left out: dicke for xy mixers, warm where probabilities are given."
    )
    cardinality: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Number of ones that an xy mixer keeps; null with mixer x."
    )
    probabilities: Sequence[float] | None = Field(
        None, description="Warm start: chance of a one for each variable, in [0, 1]; null with other starts."
    )
    epsilon: float = Field(
        0.25, gt=0, le=0.5, description="Warm start: probabilities are moved into [epsilon, 1 - epsilon]."
    )

    _immutable = field_validator("probabilities")(_floats)

    @model_validator(mode="before")
    @classmethod
    def _natural_start(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("initial") is None:
            warm = values.get("probabilities") is not None
            constrained = str(values.get("mixer", "x")).startswith("xy")
            values = {**values, "initial": "warm" if warm else "dicke" if constrained else "uniform"}
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.initial == "dicke") != self.constrained:
            raise ValueError(
                f"mixer {self.mixer} does not go with the start {self.initial}; xy mixers take dicke, x not"
            )
        if self.constrained != (self.cardinality is not None):
            raise ValueError("xy mixers need cardinality, the number of ones that they keep; mixer x takes none")
        if (self.initial == "warm") != (self.probabilities is not None):
            raise ValueError("the start warm needs probabilities, one a variable; other starts take none")
        outside = [value for value in self.probabilities or () if not 0 <= value <= 1]
        if outside:
            raise ValueError(f"probabilities hold {outside[0]:g}; they lie in [0, 1]")
        return self

    @property
    def constrained(self) -> bool:
        """Whether the mixer keeps the number of ones."""
        return self.mixer != "x"

    def check_width(self, n_variables: int) -> None:
        """Make sure that a problem of this width fits.

        Raises:
            PlanError: For another number of probabilities than variables, or more ones than variables.
        """
        if self.probabilities is not None and len(self.probabilities) != n_variables:
            raise PlanError(
                "ansatz.probabilities",
                f"are {len(self.probabilities)} for {n_variables} variables",
                "Give one probability a variable",
            )
        if self.cardinality is not None and self.cardinality > n_variables:
            raise PlanError(
                "ansatz.cardinality",
                f"asks for {self.cardinality} ones among {n_variables} variables",
                "Ask for at most as many ones as there are variables",
            )

    def tilts(self, n_variables: int) -> FloatArray:
        """Angle θ of every qubit's start `RY(θ)|0⟩` in radians, shape `(n_variables,)`; π/2 without a warm start."""
        self.check_width(n_variables)
        if self.probabilities is None:
            return np.full(n_variables, np.pi / 2)
        chance = np.clip(np.array(self.probabilities), self.epsilon, 1.0 - self.epsilon)
        return np.asarray(2.0 * np.arcsin(np.sqrt(chance)))


def mixer_edges(mixer: Mixer, n_variables: int) -> tuple[Edge, ...]:
    """Pairs of an xy mixer in the order in which they act.

    The ring: pairs that begin at an even variable, then at an odd one, then the closing pair (0, n - 1) from three
    variables on. Complete: rounds of a round-robin tournament (circle method), so that pairs of one round share no
    qubit and the circuit is as shallow as it can be.
    """
    if mixer == "x":
        return ()
    if mixer == "xy_ring":
        steps = tuple(pairwise(range(n_variables)))
        return steps[::2] + steps[1::2] + (((0, n_variables - 1),) if n_variables > 2 else ())
    seats = n_variables + n_variables % 2  # an odd field has an empty seat, the last; whoever meets it rests
    found: list[Edge] = []
    for turn in range(seats - 1):
        pairs = [(turn, seats - 1)]
        pairs += [((turn + step) % (seats - 1), (turn - step) % (seats - 1)) for step in range(1, seats // 2)]
        found += [(min(pair), max(pair)) for pair in pairs if max(pair) < n_variables]
    return tuple(found)


class Convention(StrEnum):
    """What the numbers of an angle table multiply; published tables differ, sometimes inside one folder."""

    HOUSE = "house"
    CUT = "cut"
    HALF_CUT = "half_cut"
    DOUBLE_CUT = "double_cut"
    HALF_ENERGY = "half_energy"

    @property
    def statement(self) -> str:
        """The circuit of one layer in a formula, with M = Σ X_i."""
        return _CONVENTIONS[self][0]

    @property
    def factors(self) -> tuple[float, float]:
        """What γ and β are multiplied by to come to the house convention.

        Where C = -E is maximised the state becomes its complex conjugate: same probabilities, and γ stays positive.
        """
        return _CONVENTIONS[self][1]


_CONVENTIONS: dict[Convention, tuple[str, tuple[float, float]]] = {
    Convention.HOUSE: ("exp(-i beta M) exp(-i gamma E), energy E minimised", (1.0, 1.0)),
    Convention.CUT: ("exp(-i beta M) exp(-i gamma C), cut C = -E maximised (Farhi et al. 2014)", (1.0, -1.0)),
    Convention.HALF_CUT: ("exp(-i beta M) exp(-i gamma C / 2), cut C = -E maximised", (0.5, -1.0)),
    Convention.DOUBLE_CUT: ("exp(-i beta M) exp(-2i gamma C), cut C = -E maximised", (2.0, -1.0)),
    Convention.HALF_ENERGY: ("exp(-i beta M) exp(-i gamma E / 2), energy E minimised", (0.5, 1.0)),
}


class AngleTable(Frozen):
    """Angles of every layer in radians, with what they mean and where they come from."""

    gammas: Sequence[float] = Field(min_length=1, max_length=MOST_LAYERS)
    betas: Sequence[float] = Field(min_length=1, max_length=MOST_LAYERS)
    convention: Convention = Convention.HOUSE
    source: str = Field(min_length=1, description="One sentence: paper, solved instance or rule.")
    flip_scale: float | None = Field(
        None, gt=0, description="`flip_scale` of the polynomial that the angles were found for; transfer needs it."
    )

    _immutable = field_validator("gammas", "betas")(_floats)

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.gammas) != len(self.betas):
            raise ValueError(f"{len(self.gammas)} gammas for {len(self.betas)} betas; give one of each a layer")
        return self

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.gammas)

    def house(self) -> "AngleTable":
        """The same angles in the house convention; itself where they are in it already."""
        if self.convention is Convention.HOUSE:
            return self
        by_gamma, by_beta = self.convention.factors
        return self.model_copy(
            update={
                "gammas": tuple(by_gamma * gamma for gamma in self.gammas),
                "betas": tuple(by_beta * beta for beta in self.betas),
                "convention": Convention.HOUSE,
                "source": f"{self.source} Converted from {self.convention.value}: {self.convention.statement}.",
            }
        )

    @property
    def vector(self) -> FloatArray:
        """House angles in one row, all gammas and then all betas, shape `(2 * layers,)`."""
        table = self.house()
        return np.array([*table.gammas, *table.betas])

    @classmethod
    def of(cls, vector: FloatArray, source: str, flip_scale: float | None = None) -> "AngleTable":
        """The table of a row of house angles, all gammas and then all betas."""
        half = len(vector) // 2
        return cls(gammas=tuple(vector[:half]), betas=tuple(vector[half:]), source=source, flip_scale=flip_scale)


class Objective(Frozen):
    """What training minimises: the mean energy, or the mean of its lowest `alpha` part (Barkoutsos et al. 2020)."""

    kind: Literal["mean", "cvar"] = "mean"
    alpha: float = Field(1.0, gt=0, le=1, description="cvar: fraction of the distribution that counts; 1 is the mean.")

    @model_validator(mode="after")
    def _alpha_counts(self) -> Self:
        if self.kind == "mean" and self.alpha != 1.0:
            raise ValueError("alpha counts for cvar only; write kind: cvar")
        return self


class TrainingBudget(Frozen):
    """How long to train, and when to stop early."""

    optimiser: Optimiser = "cobyla"
    evaluations: int = Field(100, ge=1, le=100_000, description="Of the objective, the starting point among them.")
    shots: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        None, description="Samples an evaluation; null: the exact distribution."
    )
    step: float = Field(0.1, gt=0, le=3.2, description="Radians of the first trial steps of cobyla and nelder_mead.")
    tolerance: float = Field(1e-6, ge=0, description="An improvement below tolerance * max(1, |best|) is none.")
    patience: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Stop after this many evaluations without an improvement; null: use the budget up."
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Of the draws; evaluation number k draws from (seed, k).")

    @property
    def fingerprint(self) -> str:
        """Hash of the budget."""
        return fingerprint("training/v1", self)
