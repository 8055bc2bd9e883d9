"""One decided partition of an optimisation study, read back from the store as it was when it was decided.

The decision's provenance names the versions that it was made from; those are read, not the newest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.contracts.errors import PlanError, VersionNotFound
from quantum_assets.contracts.problem import Ising
from quantum_assets.store.store import Store

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Decided:
    """One decided partition, as it was stored.

    Attributes:
        study: Name of the study.
        profile: Execution profile.
        period: Month; empty where the study has none.
        ising: The polynomial that every solver got.
        variables: Names, in order.
        problem: Provenance of the instance: kind, sense, unit, hash.
        solutions: Rows of `classical_solutions`.
        samples: Rows of `quantum_samples` that are samples.
        sampling: Provenance of the samples.
        job: The row of `quantum_jobs` whose angles the samples are of.
        ladder: Provenance of the attribution: how the instance came to the quantum step.
        paths: Rows of `decision`.
        verdict: Provenance of the decision.
    """

    study: str
    profile: str
    period: str
    ising: Ising
    variables: tuple[str, ...]
    problem: Mapping[str, Any]
    solutions: Rows
    samples: Rows
    sampling: Mapping[str, Any]
    job: Mapping[str, Any]
    ladder: Mapping[str, Any]
    paths: Rows
    verdict: Mapping[str, Any]

    @property
    def partition(self) -> str:
        """Its key, as Dagster shows it."""
        return f"{self.period}|{self.profile}" if self.period else self.profile

    @property
    def silence(self) -> str:
        """Why there is no quantum row; empty where there is one."""
        if any(row["path"] == "quantum" for row in self.paths):
            return ""
        return "; ".join(self.sampling.get("path_reasons", ())) or "nobody answered"

    def objective_at(self) -> Callable[[float], float] | None:
        """Objective of a feasible row by its energy; None where the stored rows do not show it.

        Energies of feasible rows are a line over objectives (`Encoding`): two rows of different energy give it.
        """
        rows = (*self.solutions, *self.samples)
        known = {row["energy"]: row["objective"] for row in rows if row["violations"] == 0}
        if not known or max(known) - min(known) <= self.ising.tolerance:
            return None
        low, high = min(known), max(known)
        slope = (known[high] - known[low]) / (high - low)
        return lambda energy: float(known[low] + slope * (energy - low))


def read_decided(store: Store, study: str, profile: str, period: str = "") -> Decided:
    """Read a decision and exactly what it was made from.

    Args:
        store: The home's.
        study: Name of an optimisation study.
        profile: Execution profile of the partition.
        period: Its month; empty where the study has none.

    Raises:
        PlanError: If that partition was never decided, or its instance is not what its hash says.
        VersionNotFound: If retention removed a version that the decision was made from.
    """
    month = {"period": period} if period else {}
    both = {**month, "profile": profile}
    try:
        verdict = store.find((study, "decision"), both)
    except VersionNotFound as error:
        raise _undecided(store, study, profile, period) from error
    made_from = verdict.provenance["inputs"]

    def input_of(inputs: Mapping[str, str], name: str, keys: Mapping[str, str]) -> tuple[pa.Table, Mapping[str, Any]]:
        version = inputs[f"{study}/{name}"]
        return store.read((study, name), keys, version), store.find((study, name), keys, version).provenance

    parts, problem = input_of(made_from, "problem", month)
    samples, sampling = input_of(made_from, "quantum_samples", both)
    jobs, _ = input_of(sampling["inputs"], "quantum_jobs", both)
    ising, variables = _polynomial(f"study {study}: problem", parts.to_pylist(), problem)
    return Decided(
        study=study,
        profile=profile,
        period=period,
        ising=ising,
        variables=variables,
        problem=problem,
        solutions=input_of(made_from, "classical_solutions", month)[0].to_pylist(),
        samples=[row for row in samples.to_pylist() if row["part"] == "sample"],
        sampling=sampling,
        job=_job_of(jobs.to_pylist(), sampling),
        ladder=store.find((study, "attribution"), both, made_from[f"{study}/attribution"]).provenance,
        paths=store.read((study, "decision"), both, verdict.version).to_pylist(),
        verdict=verdict.provenance,
    )


def _job_of(jobs: Rows, sampling: Mapping[str, Any]) -> Mapping[str, Any]:
    """The angles that won; the first, exact ones, where there was nothing to choose or nobody answered."""
    return next((row for row in jobs if row.get("finalist", 0) == sampling.get("finalist", 0)), jobs[0])


def _undecided(store: Store, study: str, profile: str, period: str) -> PlanError:
    """What to materialise, and what is decided: of the study, or of others where nothing of it is."""
    whose = f"study {study}"
    listed = store.assets()
    if any(asset == (study, "verdict") for asset, _ in listed):
        return PlanError(whose, "compares kernels and ends in a verdict", "Name an optimisation study")
    decided = [(asset[0], "|".join(keys[name] for name in sorted(keys))) for asset, keys in listed if _decides(asset)]
    own = [key for name, key in decided if name == study]
    there = ", ".join(own or (f"{name} {key}" for name, key in decided)) or "nothing"
    if own and not period and all("|" in key for key in own):
        return PlanError(whose, f"is decided by the month; decided is {there}", "Name the month with --period")
    month = f" --period {period}" if period else ""
    return PlanError(
        whose,
        f"has no decision for {f'{period}|{profile}' if period else profile}; decided is {there}",
        f"Materialise {study}/decision for it: quantum-assets run {study} --profile {profile}{month}",
    )


def _decides(asset: Sequence[str]) -> bool:
    return len(asset) == 2 and asset[1] == "decision"


def _polynomial(whose: str, parts: Rows, facts: Mapping[str, Any]) -> tuple[Ising, tuple[str, ...]]:
    """The polynomial as it was stored, and the variables' names."""
    names = tuple(row["name"] for row in parts if row["part"] == "variable")
    terms = [row for row in parts if row["part"] == "term"]
    ising = Ising(
        n_variables=len(names),
        terms=tuple(tuple(map(int, row["members"].split())) for row in terms),
        coefficients=np.array([row["coefficient"] for row in terms], dtype=np.float64),
        offset=float(facts["offset"]),
    )
    if ising.fingerprint != facts["ising"]:
        raise PlanError(whose, "is not the polynomial that its provenance names", "Materialise the study again")
    return ising, names
