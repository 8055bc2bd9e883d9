"""From what a study's YAML says to the instance of one period; reads files and prices, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ProblemKind, ProblemSpec
from quantum_assets.contracts.problem import Problem

if TYPE_CHECKING:
    from quantum_assets.datasets.prices import Prices
    from quantum_assets.problems.portfolio import Portfolio

#: Where the portfolio's defaults stand, so that the problem and the outcome use the same.
LOOK_BACK, RISK_AVERSION, TURNOVER_COST = 252, 2.0, 0.012


def build(spec: ProblemSpec, base: Path, period: str = "") -> Problem:
    """The instance of a period.

    Args:
        spec: The study's problem.
        base: Folder that relative paths start from.
        period: The month decided for; empty where the problem has no periods.

    Raises:
        PlanError: For whatever the instance's own checks refuse; a period given to, or missing from, a problem.
    """
    if (spec.kind == "portfolio") != bool(period):
        raise PlanError(
            f"problem {spec.kind}",
            f"is asked for period {period!r}",
            "Give periods to a portfolio, and to no other problem",
        )
    return _portfolio(spec, period) if spec.kind == "portfolio" else _BUILDERS[spec.kind](spec, base)


def _portfolio(spec: ProblemSpec, period: str) -> Problem:
    """Moments of the window before the month; held before: what the greedy rule chose a month earlier.

    That rule needs no other partition, so that any month can be decided at any time, in any order. What a path really
    had to trade is told by the outcome.
    """
    from quantum_assets.datasets import sp500

    prices = sp500.read()
    asked = _from_cash(spec, period, prices)  # what is wrong with the study or the month is told of this month
    earlier = _month_before(spec, period, prices)
    held = earlier.greedy()
    names = tuple(name for name, bit in zip(earlier.variables, held, strict=True) if bit)
    return replace(asked, previous=names)


def _month_before(spec: ProblemSpec, period: str, prices: "Prices") -> "Portfolio":
    try:
        return _from_cash(spec, _previous_month(period), prices)
    except PlanError as error:
        raise PlanError(
            f"period {period}",
            f"needs what was held in the month before it, and {error.culprit} {error.problem}",
            f"Begin a month later, or look at that: {error.mend}",
        ) from error


def _from_cash(spec: ProblemSpec, period: str, prices: "Prices") -> "Portfolio":
    """The month's portfolio with nothing held before."""
    from quantum_assets.problems.moments import estimate
    from quantum_assets.problems.portfolio import Portfolio
    from quantum_assets.problems.price_window import look_back

    window = look_back(prices, period, spec.look_back or LOOK_BACK, spec.tickers)
    k, n = spec.choose or 1, len(window.tickers)
    if k > n:
        raise PlanError("problem.choose", f"is {k}, and there are {n} assets", f"Hold from 1 to {n} of them")
    moments = estimate(window, spec.mean or "ShrunkMu", spec.covariance or "LedoitWolf")
    return Portfolio(
        name=f"sp500 {period}",
        tickers=window.tickers,
        mean=moments.mean,
        covariance=moments.covariance,
        k=k,
        risk_aversion=RISK_AVERSION if spec.risk_aversion is None else spec.risk_aversion,
        turnover_cost=TURNOVER_COST if spec.turnover_cost is None else spec.turnover_cost,
    )


def _previous_month(period: str) -> str:
    import numpy as np

    from quantum_assets.problems.price_window import month_of

    return str(month_of(period) - np.timedelta64(1, "M"))


def _max_cut(spec: ProblemSpec, base: Path) -> Problem:
    from quantum_assets.problems.graphs import named
    from quantum_assets.problems.max_cut import MaxCut

    del base
    return MaxCut(named(spec.graph or ""))


def _independent_set(spec: ProblemSpec, base: Path) -> Problem:
    from quantum_assets.problems.graphs import named
    from quantum_assets.problems.independent_set import IndependentSet

    del base
    return IndependentSet(named(spec.graph or ""), completes="all")


def _routes(spec: ProblemSpec, base: Path) -> Problem:
    from quantum_assets.problems.cities import CITIES, TRUCK_PALLETS, german_deliveries
    from quantum_assets.problems.routes import route_bundle

    del base
    if (spec.cities or 0) > len(CITIES):
        raise PlanError("problem.cities", f"are {spec.cities}, and {len(CITIES)} are known", f"Take 3 to {len(CITIES)}")
    deliveries = german_deliveries(spec.cities or len(CITIES), spec.capacity or TRUCK_PALLETS)
    return route_bundle(deliveries, spec.candidates or 16)


def _shifts(spec: ProblemSpec, base: Path) -> Problem:
    from quantum_assets.problems.ward import ward

    del spec, base
    return ward()


def _file(spec: ProblemSpec, base: Path) -> Problem:
    from quantum_assets.problems.qubo_file import read

    path = base / (spec.path or "")
    if not path.is_file():
        raise PlanError(f"qubo_file {spec.path}", "is not there", f"Put it into {base.name}, or correct path")
    return read(
        path,
        spec.form,
        spec.sense or "minimise",
        n_variables=spec.n_variables,
        duplicates=spec.duplicates or "refuse",
    )


def _labs(spec: ProblemSpec, base: Path) -> Problem:
    from quantum_assets.problems.labs import Labs

    del base
    return Labs(spec.length or 10)


_BUILDERS: dict[ProblemKind, Callable[[ProblemSpec, Path], Problem]] = {
    "max_cut": _max_cut,
    "independent_set": _independent_set,
    "delivery_routes": _routes,
    "shift_schedule": _shifts,
    "qubo_file": _file,
    "labs": _labs,
}
