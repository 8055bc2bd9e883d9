"""A decided study in a store, small enough to be written by hand: the path of three nodes, cut in two."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.tables import ATTRIBUTION, DECISION, PROBLEM, SAMPLES, SAMPLING_JOBS, SOLUTIONS
from quantum_assets.models.tables import table_of_rows
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store

#: Edges cut = 1 - (z0 z1 + z1 z2) / 2, maximised; the minimum of the polynomial is minus that.
CUT = Ising(3, ((0, 1), (1, 2)), np.array([0.5, 0.5]), -1.0)
NAMES = ("left", "middle", "right")
INSTANCE: dict[str, Any] = {
    "kind": "max_cut",
    "instance": "path 3",
    "instance_hash": "ab" * 32,
    "ising": CUT.fingerprint,
    "sense": "maximise",
    "unit": "edges",
    "offset": CUT.offset,
    "penalty": 0.0,
    "penalty_rule": "no constraints, no penalty",
}
EFFECTIVE = {"mode": "ideal", "provider": "aer", "backend": None, "engine": "statevector", "versions": {"qiskit": "2"}}
MADE = {"path": "quantum", "path_reasons": [], "effective_profile": EFFECTIVE}


def decide(
    home: Path,
    *,
    study: str = "small",
    profile: str = "ideal",
    period: str = "",
    instance: dict[str, Any] | None = None,
    made: dict[str, Any] | None = None,
    answered: bool = True,
) -> Store:
    """Store one partition, each table with the versions that it was made from.

    Args:
        home: Of the store.
        study: Its name.
        profile: Its profile.
        period: Its month; empty for none.
        instance: Changes to the instance's provenance.
        made: Changes to the samples' provenance.
        answered: Whether the quantum path has samples.
    """
    store, month = Store(Home(home).store), {"period": period} if period else {}
    both = {**month, "profile": profile}

    def put(name: str, keys: dict[str, str], rows: list[Any], contract: Any, inputs: dict[str, str], **facts: Any):
        provenance = {**facts, "inputs": {f"{study}/{of}": version for of, version in inputs.items()}}
        table = table_of_rows([_filled(row, contract) for row in rows], contract)
        return store.commit((study, name), keys, table, contract, provenance).version

    problem = put("problem", month, _problem_rows(), PROBLEM, {}, **INSTANCE | (instance or {}))
    rivals = put("classical_solutions", month, _solution_rows(), SOLUTIONS, {"problem": problem})
    jobs = put("quantum_jobs", both, [_job_row(0), _job_row(1)], SAMPLING_JOBS, {"problem": problem})
    samples = _sample_rows() if answered else []
    shots = put("quantum_samples", both, samples, SAMPLES, {"quantum_jobs": jobs}, **MADE | (made or {}))
    inputs = {"problem": problem, "classical_solutions": rivals, "quantum_samples": shots}
    facts = {"quantum_step": "2 of 3 variables: 1 eliminated exactly"}
    inputs["attribution"] = put("attribution", both, [], ATTRIBUTION, {"quantum_samples": shots}, **facts)
    paths = [_path_row("classical", "enumeration", True), _path_row("quantum", "qaoa p=1 on aer", False)]
    put("decision", both, paths if answered else paths[:1], DECISION, inputs, path="ensemble", maker="enumeration")
    return store


def rivals(*rows: dict[str, Any]) -> pa.Table:
    """A later `classical_solutions`."""
    return table_of_rows(list(rows), SOLUTIONS)


def solution(solver: str, bits: str, energy: float, *incumbents: tuple[float, float], **changes: Any) -> dict[str, Any]:
    """A rival's row."""
    words = {"solver": solver, "state": "ran", "reason": "", "bits": bits, "settings": '{"reads": 16}'}
    numbers = {"energy": energy, "objective": -energy, "violations": 0.0, "bound": None, "proven": False, "reads": 16}
    return {**words, **numbers, "seconds": 0.5, "incumbents": json.dumps(incumbents), **changes}


def _problem_rows() -> list[dict[str, Any]]:
    rows = [{"part": "variable", "name": name, "members": str(i), "coefficient": 0.0} for i, name in enumerate(NAMES)]
    terms = zip(CUT.terms, CUT.coefficients, strict=True)
    return rows + [
        {"part": "term", "name": "pair", "members": " ".join(map(str, t)), "coefficient": float(w)} for t, w in terms
    ]


def _solution_rows() -> list[dict[str, Any]]:
    nothing = dict.fromkeys(("energy", "objective", "violations"))
    return [
        solution("enumeration", "010", -2.0, (0.1, -2.0), bound=-2.0, proven=True),
        solution("highs", "100", -1.0, (0.2, -1.0), bound=-1.5),
        solution("tabu", "010", -2.0, (0.25, 0.0), (0.3, -1.0), (0.4, -2.0)),
        solution("tree_decomposition", "", 0.0) | nothing | {"state": "declined", "reason": "too wide"},
    ]


def _filled(row: dict[str, Any], contract: TableContract) -> dict[str, Any]:
    """The row with something in every other column that must not be null."""
    empty = {"string": "", "int64": 0, "float64": 0.0, "bool": False}
    chosen = {c.name: c.isin[0] if c.isin else empty[c.type] for c in contract.columns if not c.nullable}
    return {**chosen, **row}


def _job_row(number: int) -> dict[str, Any]:
    source = ("A linear ramp.", "Refined under noise.")[number]
    return {"finalist": number, "circuit": "qaoa-x-p1", "source": source, "evaluations": 8}


def _sample_rows() -> list[dict[str, Any]]:
    def row(part: str, index: int, bits: str, count: int, energy: float) -> dict[str, Any]:
        numbers = {"energy": energy, "objective": -energy, "violations": 0.0, "probability": None}
        stage = "exact" if part == "history" else "final"
        return {"part": part, "stage": stage, "index": index, "bits": bits, "count": count, "angles": "", **numbers}

    return [row("sample", 0, "01", 20, -2.0), row("sample", 1, "00", 12, 0.0), row("history", 0, "", 0, -0.7)]


def _path_row(path: str, maker: str, published: bool) -> dict[str, Any]:
    numbers = {"objective": 2.0, "violations": 0.0, "gap_to_best_known": 0.0, "gap_to_bound": 0.0}
    by = "ensemble" if published else ""
    return {"path": path, "maker": maker, "published": published, "by": by, "bits": "010", **numbers} | {
        "choice": "[]",
        "reasons": "",
    }
