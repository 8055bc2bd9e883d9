"""`dg scaffold defs quantum_assets.components.OptimizationStudy NAME`: a complete, commented `defs.yaml` that loads.

Without options it cuts Zachary's karate club in two, which runs at once; ``--path my_qubo.csv`` asks about the user's
own polynomial, ``--kind`` about any other problem. Every field that a study has is there, in use or as a comment.
"""

from dagster.components.scaffold.scaffold import Scaffolder, ScaffoldRequest
from pydantic import BaseModel, ConfigDict, Field

from quantum_assets.components.scaffolding import path_from, quoted, refusing
from quantum_assets.contracts.errors import PlanError


class OptimizationStudyParams(BaseModel):
    """What `dg scaffold defs` can be told on its command line."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(
        None, description="max_cut, independent_set, delivery_routes, shift_schedule, portfolio, labs or qubo_file."
    )
    path: str | None = Field(None, description="File of a QUBO or Ising polynomial, for qubo_file.")
    form: str | None = Field(None, description="qubo_file: whether values weigh bits (qubo) or spins (ising).")
    sense: str = Field("minimise", description="qubo_file: minimise or maximise.")
    graph: str = Field("karate", description="max_cut and independent_set: a named graph.")
    owner: str = Field("team:data-science", description="team:name or an e-mail address.")


class OptimizationStudyScaffolder(Scaffolder[OptimizationStudyParams]):
    """Writes the `defs.yaml` of a new optimisation study."""

    @classmethod
    def get_scaffold_params(cls) -> type[OptimizationStudyParams]:
        """The parameters above, which `dg` turns into options."""
        return OptimizationStudyParams

    def scaffold(self, request: ScaffoldRequest[OptimizationStudyParams]) -> None:
        """Write the file.

        Raises:
            PlanError: For an unknown kind, a path that does not go with the kind or leads nowhere, or a format other
                than YAML; as a ScaffoldRefused.
        """
        with refusing(request.target_path):
            text = self._text(request)
        (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")

    def _text(self, request: ScaffoldRequest[OptimizationStudyParams]) -> str:
        """The whole file."""
        if request.scaffold_format != "yaml":
            raise PlanError("--format python", "an OptimizationStudy is YAML", "Leave the option out")
        params = request.params
        kind = params.kind or ("max_cut" if params.path is None else "qubo_file")
        if kind not in _PROBLEMS:
            raise PlanError(f"--kind {kind}", "is not a problem that is known", f"Choose from {', '.join(_PROBLEMS)}")
        if (params.path is not None) != (kind == "qubo_file"):
            raise PlanError("--path", f"{_fault(params.path)} a {kind}", "Give it with kind qubo_file, and only there")
        problem = _PROBLEMS[kind].format(
            path=quoted(path_from(request.target_path, params.path) if params.path else ""),
            form="# form: qubo" if params.form is None else f"form: {quoted(params.form)}",
            sense=quoted(params.sense),
            graph=quoted(params.graph),
        )
        return _TEMPLATE.format(
            type=request.type_name,
            problem=problem,
            periods=_PERIODS if kind == "portfolio" else _NO_PERIODS,
            owner=quoted(params.owner),
        )


def _fault(path: str | None) -> str:
    return "is missing for" if path is None else "does not go with"


#: The problem of each kind, in use.
_PROBLEMS = {
    "max_cut": """\
    kind: max_cut       # cut a graph in two so that as many edges as possible are cut
    graph: {graph}     # desargues, heawood, karate, pappus or petersen""",
    "independent_set": """\
    kind: independent_set  # the largest group of nodes without an edge between them
    graph: {graph}     # desargues, heawood, karate, pappus or petersen""",
    "delivery_routes": """\
    kind: delivery_routes  # which generated tours serve every city once
    cities: 12
    capacity: 33        # pallets in a truck
    candidates: 16      # tours to select from, one qubit each""",
    "shift_schedule": """\
    kind: shift_schedule   # who works which shift of a small ward""",
    "portfolio": """\
    kind: portfolio     # which of the bundled stocks to hold in equal parts, decided anew every month
    choose: 5           # how many
    tickers: [AAPL, BAC, CVX, GE, JNJ, KO, LLY, MSFT, PG, WMT]   # to choose from; left out: all that are bundled
    risk_aversion: 5.0  # return a year given up for one unit of variance
    turnover_cost: 0.012   # return a year given up for exchanging everything once
    look_back: 252      # daily returns in the window before the month
    # mean: ShrunkMu           # skfolio's estimator of expected returns
    # covariance: LedoitWolf   # and of the covariance""",
    "labs": """\
    kind: labs          # low autocorrelation binary sequence
    length: 10          # bits""",
    "qubo_file": """\
    kind: qubo_file
    # Beside this file, or absolute: CSV or Parquet with the columns i, j and value, or dimod's .coo and .bqm.
    path: {path}
    {form}      # values weigh bits (qubo) or spins (ising); dimod's files say so themselves
    sense: {sense}      # or maximise
    # n_variables: 12     # where some have no weight; left out: one more than the largest index
    # duplicates: sum     # for a full symmetric matrix; left out: a second row of one pair is refused""",
}

_PERIODS = """\
  periods:              # months decided for, first and last included
    first: 2020-01
    last: 2020-12
"""
_NO_PERIODS = """\
  # periods:            # of a portfolio, and of nothing else
  #   first: 2020-01
  #   last: 2020-12
"""

_TEMPLATE = """\
# An optimisation study: a feasible decision for every partition, and what the quantum step added to it.
# Check it with `quantum-assets check`, look at it with `quantum-assets ui`, run it with `quantum-assets run <name>`.
type: {type}
attributes:
  description: What this study decides, in a sentence or two.

  # Other problems: max_cut and independent_set (graph:), delivery_routes (cities:, capacity:, candidates:),
  # shift_schedule, labs (length:), qubo_file (path:, form:, sense:, n_variables:, duplicates:), portfolio (choose:,
  # tickers:, risk_aversion:, turnover_cost:, look_back:, mean:, covariance:; it needs periods).
  problem:
{problem}

{periods}
  quantum:
    mixer: x            # xy_ring and xy_complete keep the number of ones, of a portfolio
    layers: 3           # of the ansatz, QAOA
    start: fixed        # first angles: fixed (tabulated), ramp, random, transfer (from fewer variables)
    # transfer_variables: 8   # start transfer: to how many variables the instance is reduced for them
    # warm_start: 0.25  # begin near the greedy row: each bit differs from it with this probability; left out: uniform
    objective:          # what training minimises
      kind: cvar        # or mean
      alpha: 0.25       # cvar: the lowest quarter of the distribution counts; leave out with mean
    training:           # on the exact engine, whatever the profile
      optimiser: nelder_mead   # or cobyla, powell, bfgs
      evaluations: 80   # of the objective, the first angles among them
      step: 0.1         # radians of the first trial steps
      tolerance: 1.0e-6 # a smaller relative improvement is none
      # patience: 20    # stop after so many evaluations without an improvement
      # shots: 1024     # samples an evaluation; left out: the exact distribution
      seed: 0           # of those samples
    most_variables: 16  # a larger instance is narrowed to so many before the quantum step; at most 20
    narrowing: exact    # or freeze: what exact elimination cannot bring down is frozen at the greedy row
    shots: 1024         # samples drawn where the profile names no shots
    seed: 0             # of random angles and of draws
    # loop:             # after exact training, under profiles that are not ideal
    #   profile: noisy  # where noisy evaluations run; left out: there are none
    #   evaluations: 10 # at most so many there, 2 or more
    #   optimiser: cobyla   # or nelder_mead, powell
    #   step: 0.1       # radians of its first trial steps
    #   patience: 4     # stop after so many noisy evaluations without an improvement
    #   finalists: 2    # angle tables sampled under the profile asked for; the best is published
    #   max_shots: 100000   # of a partition, noisy evaluations and finalists together
    #   max_cost: 5.0   # the same in the currency of the profiles' budget

  classical:            # simulated annealing, tabu, greedy descent, and solvers that prove
    seconds: 5.0        # wall-clock cap of each rival
    seed: 0

  policy:               # whose answer is published: the first path in order that may answer
    order: [ensemble, classical]   # or [quantum, classical]; classical must be there
    # max_gap: 0.01     # quantum: at most so much worse than the best classical objective, relative
    min_feasible: 0.0   # quantum: least share of feasible raw samples
    min_samples: 1      # quantum: least number of samples
    # deadline_seconds: 3600  # to the decision; it bounds the wait for the quantum answer

  profiles: [ideal, sampled]   # from defs/profiles.yaml; the partitions of the study

  owner: {owner}
  tags: {{}}
  # name: my_study      # key prefix of the assets; left out: the folder's name
  # schedule: "0 4 1 * *"  # off until switched on in the UI
  # code_version: v1    # raise it when the study should be seen as out of date
"""
