"""The table of an optimisation study's modes in words, for its page in the UI."""

from collections.abc import Mapping, Sequence
from typing import Any


def side_by_side(rows: Sequence[Mapping[str, Any]], unit: str, width: int) -> str:
    """The modes as Markdown, a column a profile: few profiles and many measures fit on a page that way round.

    Args:
        rows: Of ``optimization_modes/v1``.
        unit: Of the objective.
        width: Variables of the instance.
    """
    measures = {
        "mode": [", ".join(word for word in (row["mode"], row["estimator"]) if word) or _SILENT for row in rows],
        "backend": [row["backend"] for row in rows],
        "path": [row["path"] + (f": {row['reason']}" if row["reason"] else "") for row in rows],
        "spins": [f"{row['variables']} of {width}" for row in rows],
        "shots": [str(row["shots"]) for row in rows],
        "depth, two-qubit gates": [_compiled(row) for row in rows],
        "angles": [row["angles_of"] for row in rows],
        "mean energy, exact": [f"{row['exact_energy']:.5g}" for row in rows],
        "mean energy, shots minus exact": [
            _plus_minus(row, "energy_difference", "energy_error", "+.3g") for row in rows
        ],
        "total variation": [_told_distance(row) for row in rows],
        "cross-entropy fidelity": [_plus_minus(row, "fidelity", "fidelity_error", ".3f") for row in rows],
        "P(optimum) after repair": [_span(row, "optimum") for row in rows],
        f"mean gap after repair, {unit}": [_span(row, "gap") for row in rows],
        "sampler against its marginals": [row["finding"].removesuffix(" from") for row in rows],
        "published": [f"{row['maker']} by {row['decided_by']}" if row["maker"] else "" for row in rows],
        f"objective, {unit}": ["" if row["objective"] is None else f"{row['objective']:.6g}" for row in rows],
        "rules": [_kept(row["violations"]) for row in rows],
        "cost": [f"{row['cost']:.4g} {row['currency']}" for row in rows],
    }
    lines = [["", *(row["profile"] for row in rows)], ["---"] * (len(rows) + 1)]
    lines += [[f"**{name}**", *cells] for name, cells in measures.items()]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"{table}\n\n{_READ}"


_SILENT = "nobody answered"
_READ = (
    "± is one standard error, brackets are 95 % intervals. Behind a total variation stands what as many shots of the "
    "exact distribution have. The fidelity is 1 for shots of the exact distribution and 0 for fair coins. Profiles of "
    "another number of spins solve another narrowed instance: compare each with its own exact state."
)


def _compiled(row: Mapping[str, Any]) -> str:
    return f"{row['depth']}, {row['two_qubit_gates']}" if row["depth"] else "nothing was compiled"


def _plus_minus(row: Mapping[str, Any], name: str, error: str, form: str) -> str:
    return "" if row[name] is None else f"{row[name]:{form}} ± {row[error]:.2g}"


def _told_distance(row: Mapping[str, Any]) -> str:
    if row["total_variation"] is None:
        return ""
    expected, margin = row["total_variation_expected"], row["total_variation_margin"]
    return f"{row['total_variation']:.3f} ({expected:.3f} ± {margin:.3f})"


def _span(row: Mapping[str, Any], name: str) -> str:
    return "" if row[name] is None else f"{row[name]:.3g} [{row[f'{name}_low']:.3g}, {row[f'{name}_high']:.3g}]"


def _kept(violations: float | None) -> str:
    return "" if violations is None else "kept" if violations == 0 else f"broken by {violations:g}"
