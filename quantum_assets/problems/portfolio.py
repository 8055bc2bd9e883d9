"""Choose k of n assets in equal parts: expected return against risk, and against what changing the holdings costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Sense
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.prices import check_tickers
from quantum_assets.datasets.wording import choices, shown
from quantum_assets.problems.penalty import by_flip
from quantum_assets.problems.polynomial import Term, from_bits, squared
from quantum_assets.problems.rows import matrix_of


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Mean-variance choice under a cardinality rule; bit i says whether asset i is held.

    With weights `w = x / k` the objective, to be maximised, is

    `Σ_i μ_i w_i - risk_aversion · Σ_ij w_i Σ_ij w_j - turnover_cost · Σ_i w_i (1 - h_i)`.

    The first two terms are Markowitz's (1952, "Portfolio selection", Journal of Finance 7), as one number: a
    certainty-equivalent return. The third is linear in x: `h_i` is 1 for an asset held before, so the sum is the share
    of the new holding that has to be bought. Between two holdings of k assets in equal parts that is the one-way
    turnover `½ Σ |w_i - h_i / k|`.

    Energy: minus the objective, plus `weight · (Σ x_i - k)²`, weight by the *flip* rule (one flip always brings the
    number of ones nearer to k). A mixer that keeps the number of ones needs no penalty: on its rows it is 0.

    Attributes:
        name: The instance, for example ``sp500 2020-01``.
        tickers: Names of the assets.
        mean: Expected return a year, shape `(n,)`.
        covariance: Of returns a year, symmetric, positive semi-definite, shape `(n, n)`.
        k: How many to hold.
        risk_aversion: Return a year given up for one unit of variance, at least 0.
        turnover_cost: Return a year given up for exchanging everything once, at least 0. Monthly decisions with a cost
            of 0.001 a trade are 12 · 0.001.
        previous: Tickers held before, in equal parts; empty: none, and the third term is the same for every choice.
    """

    name: str
    tickers: tuple[str, ...]
    mean: FloatArray
    covariance: FloatArray
    k: int
    risk_aversion: float = 1.0
    turnover_cost: float = 0.0
    previous: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, whose = len(self.tickers), f"portfolio {self.name}"
        check_tickers(self.tickers, whose)
        check_tickers(self.previous, f"{whose}: previous holding")
        if not 1 <= self.k <= n:
            raise PlanError(f"{whose}: k", f"is {self.k}, and there are {n} assets", f"Hold from 1 to {n} of them")
        for what, value in (("risk_aversion", self.risk_aversion), ("turnover_cost", self.turnover_cost)):
            if not (np.isfinite(value) and value >= 0):
                raise PlanError(f"{whose}: {what}", f"is {value}", "Give a finite number of 0 or more")
        for ticker in self.previous:
            if ticker not in self.tickers:
                mend = f"Write {choices(ticker, self.tickers)}"
                raise PlanError(f"{whose}: previous holding {shown(ticker)}", "is not among the assets", mend)
        self._check_moments(whose)

    def _check_moments(self, whose: str) -> None:
        n = len(self.tickers)
        if self.mean.shape != (n,) or self.covariance.shape != (n, n):
            shapes = f"mean {self.mean.shape} and covariance {self.covariance.shape}"
            raise PlanError(whose, f"has {shapes} for {n} assets", f"Give shapes ({n},) and ({n}, {n})")
        for ticker, mean, row in zip(self.tickers, self.mean, self.covariance, strict=True):
            if not (np.isfinite(mean) and np.isfinite(row).all()):
                raise PlanError(f"{whose}: {ticker}", "has a mean or covariance that is not finite", "Estimate it anew")
        for ticker, variance in zip(self.tickers, self.covariance.diagonal(), strict=True):
            if not variance > 0:
                raise PlanError(f"{whose}: {ticker}", f"has variance {variance:g}", "Leave a constant asset out")
        if not np.allclose(self.covariance, self.covariance.T, rtol=1e-9, atol=0):
            raise PlanError(f"{whose}: covariance", "is not symmetric", "Average it with its transpose")
        lowest, highest = np.linalg.eigvalsh(self.covariance)[[0, -1]]
        if lowest < -1e-8 * highest:
            problem = f"has the negative eigenvalue {lowest:.3g}: some holding would have negative variance"
            raise PlanError(f"{whose}: covariance", problem, "Choose an estimator that is positive semi-definite")

    @property
    def kind(self) -> str:
        """``portfolio``."""
        return "portfolio"

    @property
    def sense(self) -> Sense:
        """More is better."""
        return "maximise"

    @property
    def unit(self) -> str:
        """Of the objective: 0.08 is eight per cent a year."""
        return "return per year"

    @property
    def variables(self) -> tuple[str, ...]:
        """The tickers."""
        return self.tickers

    @cached_property
    def fingerprint(self) -> str:
        """Hash of assets, moments, k, both weights and what was held before."""
        return fingerprint(
            "portfolio/v1",
            self.tickers,
            self.mean,
            self.covariance,
            self.k,
            self.risk_aversion,
            self.turnover_cost,
            sorted(self.previous),
        )

    @cached_property
    def _linear(self) -> FloatArray:
        new = np.array([ticker not in self.previous for ticker in self.tickers], dtype=np.float64)
        return np.asarray((self.mean - self.turnover_cost * new) / self.k)

    @cached_property
    def _quadratic(self) -> FloatArray:
        return np.asarray(-self.risk_aversion * (self.covariance + self.covariance.T) / (2 * self.k**2))

    def encode(self) -> Encoding:
        """Energy is minus the objective, with the penalty for another number of ones than k."""
        n = len(self.tickers)
        worth: list[Term] = [((i,), -float(self._linear[i] + self._quadratic[i, i])) for i in range(n)]
        worth += [((i, j), -2 * float(self._quadratic[i, j])) for i in range(n) for j in range(i + 1, n)]
        penalty = by_flip(from_bits(n, worth))
        number = squared(dict.fromkeys(range(n), 1.0), -self.k, penalty.weight)
        ising = from_bits(n, worth + number)
        return Encoding(ising, penalty.weight, penalty.rule, cardinality=self.k, energy_per_unit=-1.0)

    def objective(self, bits: Bits) -> FloatArray:
        """Certainty-equivalent return a year, less the cost of turnover; weights are `x / k` in every row."""
        rows = matrix_of(self, bits).astype(np.float64)
        return np.asarray(rows @ self._linear + ((rows @ self._quadratic) * rows).sum(axis=1))

    def violations(self, bits: Bits) -> FloatArray:
        """How far the number of assets held is from k."""
        return np.asarray(np.abs(matrix_of(self, bits).sum(axis=1, dtype=np.float64) - self.k))

    def repair(self, bits: Bits) -> Bits:
        """Drop, or add, one asset at a time until exactly k are held; rows that hold k stay as they are.

        Each time the asset goes whose loss lowers the objective least, or comes that raises it most; among equals the
        first in order.
        """
        rows = matrix_of(self, bits).copy()
        for step in (1, -1):
            while len(wrong := np.flatnonzero(step * (rows.sum(axis=1, dtype=np.int64) - self.k) > 0)):
                chosen = self._cheapest(rows[wrong], dropping=step > 0)
                rows[wrong, chosen] = 0 if step > 0 else 1
        return rows

    def greedy(self) -> Bits:
        """From an empty portfolio, add the asset that raises the objective most, k times."""
        return np.asarray(self.repair(np.zeros((1, len(self.tickers)), dtype=np.uint8))[0])

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line an asset: whether it is held, its weight, and whether it was held before."""
        row = matrix_of(self, bits)[0]
        return tuple(
            {
                "ticker": ticker,
                "held": int(bit),
                "weight": float(bit) / self.k,
                "held_before": int(ticker in self.previous),
            }
            for ticker, bit in zip(self.tickers, row, strict=True)
        )

    def _cheapest(self, rows: Bits, dropping: bool) -> np.ndarray:
        """For each row the asset to drop, or to add, by the change of the objective."""
        held = rows.astype(np.float64)
        slope = self._linear + 2 * held @ self._quadratic
        if dropping:
            return np.asarray(np.argmin(np.where(rows == 1, slope - self._quadratic.diagonal(), np.inf), axis=1))
        return np.asarray(np.argmax(np.where(rows == 0, slope + self._quadratic.diagonal(), -np.inf), axis=1))
