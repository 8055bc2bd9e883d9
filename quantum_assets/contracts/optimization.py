"""An optimisation study as data: which problem, which ansatz and training, which rivals, which decision policy."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quantum_assets.contracts.profile import Frozen
from quantum_assets.contracts.qaoa import MOST_LAYERS, Mixer, Objective, TrainingBudget

ProblemKind = Literal[
    "portfolio", "max_cut", "independent_set", "delivery_routes", "shift_schedule", "qubo_file", "labs"
]
Path = Literal["quantum", "classical", "ensemble"]


class ProblemSpec(Frozen):
    """Which instance; fields that belong to another kind are refused."""

    kind: ProblemKind
    graph: str | None = Field(
        None, max_length=100, description="max_cut, independent_set: a named graph, for example karate."
    )
    path: str | None = Field(None, max_length=500, description="qubo_file: CSV or Parquet beside defs.yaml.")
    form: Literal["qubo", "ising"] | None = Field(None, description="qubo_file: whether values weigh bits or spins.")
    sense: Literal["minimise", "maximise"] | None = Field(None, description="qubo_file: which way the objective goes.")
    choose: Annotated[int, Field(ge=1)] | None = Field(None, description="portfolio: how many assets to hold.")
    tickers: tuple[str, ...] | None = Field(None, description="portfolio: assets to choose from; null: all.")
    risk_aversion: float | None = Field(None, ge=0, description="portfolio: return a year for one unit of variance.")
    turnover_cost: float | None = Field(
        None, ge=0, description="portfolio: return a year given up for exchanging everything once."
    )
    look_back: Annotated[int, Field(ge=2)] | None = Field(None, description="portfolio: daily returns in the window.")
    mean: str | None = Field(None, description="portfolio: skfolio's estimator of expected returns.")
    covariance: str | None = Field(None, description="portfolio: skfolio's estimator of the covariance.")
    cities: Annotated[int, Field(ge=3)] | None = Field(None, description="delivery_routes: number of cities.")
    capacity: Annotated[int, Field(ge=1)] | None = Field(None, description="delivery_routes: pallets in a truck.")
    candidates: Annotated[int, Field(ge=3, le=24)] | None = Field(
        None, description="delivery_routes: candidate routes to select from, one qubit each."
    )
    length: Annotated[int, Field(ge=3, le=24)] | None = Field(None, description="labs: bits of the sequence.")

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        allowed, needed = _FIELDS[self.kind]
        given = {name for name in type(self).model_fields if name != "kind" and getattr(self, name) is not None}
        if given - set(allowed):
            foreign = ", ".join(sorted(given - set(allowed)))
            raise ValueError(f"{foreign} is no field of a {self.kind}; it takes {', '.join(allowed) or 'none'}")
        if set(needed) - given:
            raise ValueError(f"a {self.kind} needs {', '.join(sorted(set(needed) - given))}")
        return self


_PORTFOLIO = ("choose", "tickers", "risk_aversion", "turnover_cost", "look_back", "mean", "covariance")
#: For each kind: fields it may have, fields it must have.
_FIELDS: dict[ProblemKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "portfolio": (_PORTFOLIO, ("choose",)),
    "max_cut": (("graph",), ("graph",)),
    "independent_set": (("graph",), ("graph",)),
    "delivery_routes": (("cities", "capacity", "candidates"), ()),
    "shift_schedule": ((), ()),
    "qubo_file": (("path", "form", "sense"), ("path",)),
    "labs": (("length",), ("length",)),
}


class Periods(Frozen):
    """Months decided for, first and last included."""

    first: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="For example 2020-01.")
    last: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="For example 2021-12.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last, {self.last}, is before first, {self.first}")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Every month, in order."""
        start, stop = (int(word[:4]) * 12 + int(word[5:]) - 1 for word in (self.first, self.last))
        return tuple(f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(start, stop + 1))


class QuantumSpec(Frozen):
    """The quantum step: circuit family, first angles, what is trained, how many samples."""

    mixer: Mixer = Field("x", description="xy mixers keep the number of ones of a problem that has one.")
    layers: int = Field(2, ge=1, le=MOST_LAYERS)
    start: Literal["fixed", "ramp", "random"] = Field("fixed", description="First angles.")
    objective: Objective = Objective()
    training: TrainingBudget = TrainingBudget(optimiser="nelder_mead", evaluations=80)
    most_variables: int = Field(
        16, ge=2, le=20, description="A larger instance is reduced exactly to so many before the quantum step."
    )
    shots: int = Field(1024, ge=1, le=1_000_000, description="Samples drawn where the profile names no shots.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of random angles and of draws.")


class ClassicalSpec(Frozen):
    """The rivals and their budget, the same for each."""

    seconds: float = Field(5.0, gt=0, le=3600, description="Wall-clock cap of each rival.")
    seed: int = Field(0, ge=0, lt=2**31)


class DecisionPolicy(Frozen):
    """Which path's answer is published, as data.

    Paths are looked at in `order`; the first that is allowed and has a feasible candidate is published. `ensemble` is
    the better of the quantum and the classical candidate, so it is never worse than either.
    """

    order: tuple[Path, ...] = Field(("ensemble", "classical"), min_length=1)
    max_gap: float | None = Field(
        None, ge=0, description="quantum: largest gap to the best classical objective, relative to its size."
    )
    min_feasible: float = Field(0.0, ge=0, le=1, description="quantum: least share of feasible raw samples.")
    min_samples: int = Field(1, ge=1, description="quantum: least number of samples.")
    deadline_seconds: float | None = Field(None, gt=0, description="From the first asset to the decision.")

    @model_validator(mode="after")
    def _ends_safely(self) -> Self:
        if "classical" not in self.order:
            raise ValueError("order must name classical, so that every period gets a decision")
        return self
