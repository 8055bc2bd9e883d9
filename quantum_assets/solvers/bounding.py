"""A bound, and the optimum where the bound closes: the linearised polynomial as a mixed-integer program for HiGHS.

With x = (1 - z) / 2 every product of x over a set T becomes one variable y in [0, 1]. Where its coefficient is negative
the minimum pushes y up, and `y <= x_i` for i in T holds it; where it is positive the minimum pushes y down, and
`y >= Σ x_i - (|T| - 1)` holds it (Glover and Woolsey 1974). The other inequalities are never needed. A polynomial
without odd terms looks the same with all spins turned, so x_0 = 0 is fixed there, which halves the tree.

HiGHS' tolerances are absolute. It is therefore given its tightest ones, and costs whose largest lies in [2^11, 2^12):
scaled by a power of two, which is exact. Its bound is lowered by what the tolerances may hide before it is believed:
less than 1e-9 of the largest cost up to some 4,000 products of pairs.

One thread and a node limit: deterministic for a seed as long as the seconds do not cut. On dense Max-Cut this
relaxation is weak and HiGHS is a poor heuristic; it is here for what it proves.
"""

import math
import time
from typing import Any

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising, Solution
from quantum_assets.solvers.declined import Declined
from quantum_assets.solvers.flips import descend
from quantum_assets.solvers.quadratic import Monomials, binary_monomials
from quantum_assets.solvers.trail import Clock, Trail

NAME = "highs"
MOST_PRODUCTS = 50_000
_LARGEST_COST = 12  # as a power of two: far above HiGHS' tolerances, far below where its sums lose digits
_TOLERANCE = 1e-10  # the least that HiGHS takes


def solve(
    ising: Ising,
    *,
    seconds: float,
    seed: int,
    nodes: int = 100_000,
    max_products: int = MOST_PRODUCTS,
    clock: Clock = time.perf_counter,
) -> Solution:
    """Branch and bound from the steepest descent of the row of zeros.

    Args:
        ising: Up to order 8.
        seconds: Cap, handed to HiGHS.
        seed: In [0, 2³¹).
        nodes: Limit of the tree, at least 1.
        max_products: Largest number of linearised products.
        clock: For tests.

    Returns:
        With HiGHS' dual bound, lowered by its tolerances; where that meets the energy within `Ising.tolerance`, the
        bound is the energy.

    Raises:
        Declined: For too many products or too high an order.
        PlanError: For a bad seed, cap or node limit.
    """
    if not 0 <= seed < 2**31 or nodes < 1:
        raise PlanError(NAME, f"is given the seed {seed} and {nodes} nodes", "Give 0 <= seed < 2**31, at least 1 node")
    trail = Trail(ising, seconds, clock)
    constant, monomials = binary_monomials(ising)
    products = [part for part in monomials if len(part) > 1]
    if len(products) > max_products:
        raise Declined(
            "linearised instance", f"has {len(products)} products, more than {max_products}", "Raise max_products"
        )
    start = descend(ising, np.zeros((1, ising.n_variables), dtype=np.uint8))
    even = all(len(term) % 2 == 0 for term in ising.terms)
    if even and start[0, 0]:
        start = 1 - start
    trail.offer(start)
    largest = max(map(abs, monomials.values()), default=0.0)
    unit = math.ldexp(1.0, math.frexp(largest)[1] - _LARGEST_COST) if largest else 0.0
    highs = _program(ising.n_variables, {part: w / unit for part, w in monomials.items()}, products, fix_first=even)
    status, dual = _run(highs, trail, start[0], products, seed=seed, nodes=nodes)
    bound = None if dual is None else constant + unit * dual
    if bound is not None and trail.best <= bound + ising.tolerance:
        bound = trail.best
    settings: dict[str, str | float | int] = {"nodes": nodes, "products": len(products), "fixed_first": int(even)}
    budget = "proof" if status == "Optimal" else "nodes"
    return trail.solution(NAME, settings={**settings, "status": status}, budget=budget, bound=bound, seed=seed)


def _program(n: int, monomials: Monomials, products: list[tuple[int, ...]], fix_first: bool) -> Any:
    """The model in HiGHS: n binary columns, then one continuous column a product."""
    import highspy

    columns = n + len(products)
    cost = np.zeros(columns)
    for part, weight in monomials.items():
        if len(part) == 1:
            cost[part[0]] = weight
    entries: list[tuple[list[int], list[float], float]] = []  # columns, values, upper bound of each row
    for place, part in enumerate(products, start=n):
        cost[place] = monomials[part]
        if monomials[part] < 0:
            entries.extend(([place, i], [1.0, -1.0], 0.0) for i in part)
        else:
            entries.append(([*part, place], [1.0] * len(part) + [-1.0], len(part) - 1.0))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, len(entries)
    model.col_cost_ = cost
    model.col_lower_ = np.zeros(columns)
    model.col_upper_ = np.r_[0.0 if fix_first else 1.0, np.ones(columns - 1)]
    model.row_lower_ = np.full(len(entries), -highspy.kHighsInf)
    model.row_upper_ = np.array([upper for _, _, upper in entries])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.cumsum([0, *(len(places) for places, _, _ in entries)])
    model.a_matrix_.index_ = np.array([c for places, _, _ in entries for c in places], dtype=np.int32)
    model.a_matrix_.value_ = np.array([v for _, values, _ in entries for v in values], dtype=float)
    model.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * len(products)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    if highs.passModel(model) != highspy.HighsStatus.kOk:
        raise PlanError(NAME, "HiGHS refuses the linearised program", "Look at the size of the coefficients")
    return highs


def _run(
    highs: Any, trail: Trail, start: Bits, products: list[tuple[int, ...]], *, seed: int, nodes: int
) -> tuple[str, float | None]:
    """Solve; every improving row is offered when it comes. Gives HiGHS' last word, and its bound less its slack."""
    import highspy

    n = len(start)
    options = {"threads": 1, "random_seed": seed, "mip_max_nodes": nodes, "mip_rel_gap": 0.0, "mip_abs_gap": 0.0}
    tight = dict.fromkeys(("mip", "primal", "dual"), _TOLERANCE)
    tolerances = {f"{kind}_feasibility_tolerance": value for kind, value in tight.items()}
    for name, value in {**options, **tolerances, "time_limit": trail.left}.items():
        if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise PlanError(NAME, f"HiGHS refuses {name} = {value}", "Install the release that is locked")
    first = highspy.HighsSolution()
    first.col_value = [*map(float, start), *(float(start[list(part)].all()) for part in products)]
    highs.setSolution(first)
    highs.cbMipImprovingSolution += lambda event: trail.offer(_rounded(event.data_out.mip_solution, n))
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        trail.offer(_rounded(highs.getSolution().col_value, n))
    if status == highspy.HighsModelStatus.kTimeLimit:
        trail.mark_cut()
    bound = float(highs.getInfo().mip_dual_bound)
    return highs.modelStatusToString(status), bound - _slack(n, products) if math.isfinite(bound) else None


def _slack(n: int, products: list[tuple[int, ...]]) -> float:
    """By how much HiGHS' bound may lie above the optimum, in its costs' unit.

    A dual solution within the tolerance overrates the optimum by at most the tolerance times the range of each column
    (1) and of each row's activity (two for `y <= x_i`, |T| + 1 for the other). A node may be left out once it cannot
    gain more than the tolerance.
    """
    ranges = n + len(products) + sum(max(2 * len(part), len(part) + 1) for part in products)
    return _TOLERANCE * (ranges + 1)


def _rounded(values: Any, n: int) -> Bits:
    return (np.asarray(values)[:n] > 0.5).astype(np.uint8)
