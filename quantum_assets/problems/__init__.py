"""Optimisation problems: checked when made, encoded as an Ising polynomial, and able to judge any row of bits.

One problem is one module whose class follows `contracts.problem.Problem`; nothing here knows a sampler, a solver or a
machine. `polynomial` turns binary polynomials into spins, `penalty` states how constraints are weighed and proves it on
small instances, `elimination` and `reduction` make an instance smaller exactly, `freezing` does so by a heuristic, and
`narrowing` puts them together; `graphs` names and reads graphs, `best_known` keeps the best values with the bits that
show them, `build` makes the instance that a study's YAML names.
Classical halves have modules of their own: `price_window`, `moments` and `realised` before and after `portfolio`;
`deliveries` and `route_candidates` before `routes`; `teams` inside `schedule`.
"""
