"""An optimisation study as data: which problem, which ansatz and training, which rivals, which decision policy."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quantum_assets.contracts.profile import Frozen
from quantum_assets.contracts.qaoa import MOST_LAYERS, Mixer, Objective, TrainingBudget

ProblemKind = Literal[
    "portfolio", "max_cut", "independent_set", "delivery_routes", "shift_schedule", "qubo_file", "labs"
]
Path = Literal["quantum", "classical", "ensemble"]
Narrowing = Literal["exact", "freeze"]
MeanName = Literal["EmpiricalMu", "EWMu", "ShrunkMu", "EquilibriumMu"]
CovarianceName = Literal[
    "EmpiricalCovariance", "EWCovariance", "LedoitWolf", "OAS", "ShrunkCovariance", "GerberCovariance"
]

MOST_VARIABLES = 20
"""No study lets more variables reach its quantum step: the exact engine holds an amplitude of every state."""

_MOST_KEPT = 120.0
_LONGEST_DEADLINE = 30 * 24 * 3600


class ProblemSpec(Frozen):
    """Which instance; fields that belong to another kind are refused."""

    kind: ProblemKind
    graph: str | None = Field(
        None, max_length=100, description="max_cut, independent_set: a named graph, for example karate."
    )
    path: str | None = Field(
        None, max_length=500, description="qubo_file: CSV, Parquet, or dimod's .coo and .bqm, beside defs.yaml."
    )
    form: Literal["qubo", "ising"] | None = Field(None, description="qubo_file: whether values weigh bits or spins.")
    sense: Literal["minimise", "maximise"] | None = Field(None, description="qubo_file: which way the objective goes.")
    n_variables: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="qubo_file: how many variables there are, some perhaps without a weight; null: one more than the "
        "largest index, and every index below it must appear.",
    )
    duplicates: Literal["refuse", "sum"] | None = Field(
        None,
        description="qubo_file: what a second row of one pair means; sum is for a full symmetric matrix. Null: refuse.",
    )
    choose: Annotated[int, Field(ge=1)] | None = Field(None, description="portfolio: how many assets to hold.")
    tickers: tuple[str, ...] | None = Field(None, description="portfolio: assets to choose from; null: all.")
    risk_aversion: float | None = Field(None, ge=0, description="portfolio: return a year for one unit of variance.")
    turnover_cost: float | None = Field(
        None, ge=0, description="portfolio: return a year given up for exchanging everything once."
    )
    look_back: Annotated[int, Field(ge=2)] | None = Field(None, description="portfolio: daily returns in the window.")
    mean: MeanName | None = Field(None, description="portfolio: skfolio's estimator of expected returns.")
    covariance: CovarianceName | None = Field(None, description="portfolio: skfolio's estimator of the covariance.")
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

    @model_validator(mode="after")
    def _tickers_leave_a_choice(self) -> Self:
        tickers = self.tickers
        if tickers is None:
            return self
        if len(tickers) < 2:
            raise ValueError(
                f"tickers names {len(tickers)} assets, which leaves nothing to choose; name at least 2, or leave it "
                "out for all"
            )
        twice = next((name for place, name in enumerate(tickers) if name in tickers[:place]), None)
        if twice is not None:
            raise ValueError(f"tickers names {twice!r} twice; keep one of the two")
        if self.choose is not None and self.choose > len(tickers):
            raise ValueError(
                f"choose is {self.choose}, and tickers names {len(tickers)} assets; hold from 1 to {len(tickers)}"
            )
        return self


_PORTFOLIO = ("choose", "tickers", "risk_aversion", "turnover_cost", "look_back", "mean", "covariance")
#: For each kind: fields it may have, fields it must have.
_FIELDS: dict[ProblemKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "portfolio": (_PORTFOLIO, ("choose",)),
    "max_cut": (("graph",), ("graph",)),
    "independent_set": (("graph",), ("graph",)),
    "delivery_routes": (("cities", "capacity", "candidates"), ()),
    "shift_schedule": ((), ()),
    "qubo_file": (("path", "form", "sense", "n_variables", "duplicates"), ("path",)),
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


class LoopSpec(Frozen):
    """What follows exact training under a profile that is not ideal: a few noisy evaluations, then the finalists.

    An ideal profile has no noise to account for, so the loop is left out there. Left empty, the exact angles are the
    only finalist.
    """

    profile: str | None = Field(
        None, max_length=64, description="Name in profiles.yaml: where noisy evaluations run; null: there are none."
    )
    evaluations: int = Field(0, ge=0, le=200, description="At most so many on that profile, 2 or more.")
    optimiser: Literal["cobyla", "nelder_mead", "powell"] = Field(
        "cobyla", description="cobyla gets furthest with few evaluations; one that needs gradients is of no use here."
    )
    step: float = Field(0.1, gt=0, le=3.2, description="Radians of the first trial steps.")
    patience: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Stop after this many noisy evaluations without an improvement; null: use them up."
    )
    finalists: int = Field(
        1,
        ge=1,
        le=8,
        description="Angle tables sampled under the profile asked for: the best exact ones, the best noisy ones, the "
        "start, other noisy ones by their value. Of several, half of the shots of each judge; of the one with the "
        "lowest objective the other half is published.",
    )
    max_shots: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Shots of a partition, noisy evaluations and finalists together; null: no limit."
    )
    max_cost: float | None = Field(
        None,
        ge=0,
        description="What noisy evaluations and finalists of a partition may cost together, in the currency of the "
        "profiles' budget; one finalist is sampled whatever it costs. Null: no limit but the budget.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.profile is None and self.evaluations:
            raise ValueError(f"{self.evaluations} evaluations have no profile to run on; name one, or leave them out")
        if self.profile is not None and self.evaluations < 2:
            raise ValueError(
                f"profile {self.profile} is to make {self.evaluations} evaluations; the first only measures the exact "
                "angles, so give 2 or more"
            )
        if self.profile is not None and self.finalists < 2:
            raise ValueError(
                "finalists is 1, the exact angles, so that noisy evaluations would change nothing; give 2 or more"
            )
        return self


class QuantumSpec(Frozen):
    """The quantum step: circuit family, first angles, what is trained, how many samples."""

    mixer: Mixer = Field("x", description="xy mixers keep the number of ones of a problem that has one.")
    layers: int = Field(2, ge=1, le=MOST_LAYERS)
    start: Literal["fixed", "ramp", "random", "transfer"] = Field(
        "fixed",
        description="First angles: tabulated, a linear ramp, random, or those trained on fewer variables of the same "
        "instance and carried over.",
    )
    transfer_variables: Annotated[int, Field(ge=2, le=19)] | None = Field(
        None,
        description="transfer: to how many variables the instance is reduced to find the first angles; an instance "
        "that has no more starts from tabulated ones.",
    )
    warm_start: Annotated[float, Field(gt=0, le=0.5)] | None = Field(
        None,
        description="Start near the greedy row instead of uniform bits (Egger et al. 2021): before the first layer "
        "each bit differs from that row with this probability; 0.5 is uniform. Null: uniform.",
    )
    objective: Objective = Objective()
    training: TrainingBudget = TrainingBudget(optimiser="nelder_mead", evaluations=80)
    most_variables: int = Field(
        16, ge=2, le=MOST_VARIABLES, description="A larger instance is narrowed to so many before the quantum step."
    )
    narrowing: Narrowing = Field(
        "exact",
        description="How an instance is made to fit most_variables and the profile's max_qubits. exact: variables are "
        "eliminated exactly, and what cannot be brought down so far is refused. freeze: what exact elimination cannot "
        "bring down is frozen at the greedy row, a heuristic; the optimum may lie outside.",
    )
    shots: int = Field(1024, ge=1, le=1_000_000, description="Samples drawn where the profile names no shots.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of random angles and of draws.")
    loop: LoopSpec = LoopSpec()

    @model_validator(mode="after")
    def _starts_fit(self) -> Self:
        if (self.start == "transfer") != (self.transfer_variables is not None):
            raise ValueError(
                "start transfer needs transfer_variables, to how many it is reduced; other starts take none"
            )
        if self.transfer_variables is not None and self.transfer_variables >= self.most_variables:
            raise ValueError(
                f"transfer_variables is {self.transfer_variables} and most_variables {self.most_variables}; angles are "
                "carried over from fewer variables to more"
            )
        if self.mixer != "x" and (self.start == "transfer" or self.warm_start is not None):
            what = "start transfer" if self.start == "transfer" else "warm_start"
            raise ValueError(f"{what} goes with mixer x only: {self.mixer} starts from rows of a fixed number of ones")
        return self


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
    min_samples: int = Field(
        1, ge=1, description="quantum: least number of published samples; of several finalists half of the shots are."
    )
    deadline_seconds: float | None = Field(
        None,
        gt=0,
        description="From the start of the run that made quantum_jobs to the decision, through retries and the run "
        "that collects; a run that only decides again starts a clock of its own. Bounds training and the wait for "
        "the quantum answer. Null: no limit.",
        json_schema_extra={"identity": False},
    )

    @model_validator(mode="after")
    def _ends_safely(self) -> Self:
        if "classical" not in self.order:
            raise ValueError("order must name classical, so that every period gets a decision")
        return self

    @model_validator(mode="after")
    def _ends_at_all(self) -> Self:
        if self.deadline_seconds is not None and self.deadline_seconds > _LONGEST_DEADLINE:
            raise ValueError(
                f"deadline_seconds is {self.deadline_seconds:g}, and 30 days, {_LONGEST_DEADLINE} s, are the most; "
                "give fewer, or leave it out for no limit"
            )
        return self

    @property
    def answer_seconds(self) -> float | None:
        """How long the quantum answer is waited for: the deadline without what collecting and deciding may take.

        A quarter of the deadline is kept for that, two minutes at most. None: no limit.
        """
        return None if self.deadline_seconds is None else _without_kept(self.deadline_seconds)

    @property
    def training_seconds(self) -> float | None:
        """How long training may go on: the answer's time without what asking at the trained angles may take.

        Again a quarter is kept, two minutes at most. None: no limit.
        """
        return None if self.answer_seconds is None else _without_kept(self.answer_seconds)


def _without_kept(seconds: float) -> float:
    return seconds - min(_MOST_KEPT, seconds / 4)
