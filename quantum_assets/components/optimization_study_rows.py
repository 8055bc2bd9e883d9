"""Rows of the two quantum tables of an optimisation study, and the way back from stored rows to angles and history."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.optimization_study_steps import read_bits, write_bits
from quantum_assets.components.quantum_final import Final, Finalist
from quantum_assets.components.quantum_loop import Refined
from quantum_assets.components.quantum_sampler import GENUINE, Sampled, Trained, at_angles, best_decoded, workload_of
from quantum_assets.contracts.optimization import QuantumSpec
from quantum_assets.contracts.problem import Bits, Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.qaoa import AngleTable
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.qaoa.training import Evaluation, TrainingState

Row = dict[str, Any]


def job_rows(
    finalists: Sequence[Finalist],
    tickets: Sequence[Sequence[Ticket]],
    refined: Refined,
    profile: ExecutionProfile,
    label: str,
) -> list[Row]:
    """One row a finalist: its angles, what is known of them, and where its ticket stands; the exact ones first."""
    return [
        _job_row(number, one, of_it, refined, profile, label)
        for number, (one, of_it) in enumerate(zip(finalists, tickets, strict=True))
    ]


def finalists_in(jobs: pa.Table, ready: Trained, spec: QuantumSpec) -> tuple[Finalist, ...]:
    """The finalists of a stored table of jobs: the angles that were asked for, whatever training would find today.

    Raises:
        PlanError: If the circuit is another ansatz at one of them.
    """
    found = []
    for row in jobs.to_pylist():
        table = AngleTable(gammas=json.loads(row["gammas"]), betas=json.loads(row["betas"]), source=row["source"])
        same = np.array_equal(table.vector, ready.angles.vector)
        found.append(Finalist(row["stage"], ready if same else at_angles(ready, table, spec)))
    return tuple(found)


def refined_in(jobs: pa.Table) -> Refined:
    """The noisy stage of a stored table of jobs."""
    first = jobs.to_pylist()[0]
    state = TrainingState.model_validate_json(first["refinement"]) if first["refinement"] else None
    return Refined(state, first["refinement_ending"])


def sample_rows(kernel: Problem, got: Sampled, energies: FloatArray) -> list[Row]:
    """The published samples by energy, each recomputed by the problem itself."""
    if not len(got.bits):
        return []
    judged = _recomputed(kernel, got.bits, energies)
    words = [row["bits"] for row in judged]
    order = sorted(range(len(words)), key=lambda place: (round(float(energies[place]), 9), words[place]))
    return [
        {
            "part": "sample",
            "stage": "final",
            "index": rank,
            **judged[place],
            "count": int(got.counts[place]),
            "probability": None if got.probabilities is None else float(got.probabilities[place]),
            "angles": "",
        }
        for rank, place in enumerate(order)
    ]


def history_rows(stage: str, history: Sequence[Evaluation]) -> list[Row]:
    """One row an evaluation of training: value, angles and the shots behind it."""
    return [
        {
            "part": "history",
            "stage": stage,
            "index": number,
            "bits": "",
            "count": line.shots,
            "probability": None,
            "energy": line.value,
            "objective": None,
            "violations": None,
            "angles": json.dumps([round(angle, 12) for angle in line.angles]),
        }
        for number, line in enumerate(history)
    ]


def seen_rows(kernel: Problem, refined: Refined, asked: Sequence[Finalist], ended: Final) -> list[Row]:
    """Seen beside the published samples, and not to be forgotten: the best decoded rows of the other shots.

    They are those of the noisy stage, of every finalist that lost, and of the shots by which the winner was judged,
    whose angles are those of the samples.
    """
    ising = kernel.encode().ising
    found = [
        ("final", json.dumps(one.ready.angles.vector.tolist()), best_decoded(kernel, ising, got.bits))
        for number, (one, got) in enumerate(zip(asked, ended.got, strict=True))
        if number != ended.chosen and got.path in GENUINE
    ]
    if ended.winner is not None:
        found.append(("final", "", best_decoded(kernel, ising, ended.winner.judging.bits)))
    if refined.state is not None and refined.state.sample is not None:
        found.insert(0, ("noisy", "", refined.state.sample))
    rows = np.array([best.bits for _, _, best in found], dtype=np.uint8).reshape(len(found), len(kernel.variables))
    judged = _recomputed(kernel, rows, ising.energies(rows)) if found else []
    return [
        {"part": "seen", "stage": stage, "index": index, **row, "count": 0, "probability": None, "angles": angles}
        for index, ((stage, angles, _), row) in enumerate(zip(found, judged, strict=True))
    ]


def seen_in(samples: pa.Table) -> tuple[Bits, tuple[str, ...]]:
    """Decoded rows that were seen besides the published samples, and where each was, in words."""
    rows = [row for row in samples.to_pylist() if row["part"] == "seen"]
    bits = np.vstack([read_bits(row["bits"]) for row in rows]) if rows else np.zeros((0, 0), dtype=np.uint8)
    return bits, tuple(_seen_where(row) for row in rows)


def _seen_where(row: Row) -> str:
    if row["stage"] == "noisy":
        return "in a noisy evaluation"
    return "at angles that lost the final" if row["angles"] else "in the shots that judged the final"


def finalists_told(asked: Sequence[Finalist], ended: Final, refined: Refined) -> str:
    """The final as a table, what is published of it, and what came before it in a sentence."""
    head = ["angles", "exact objective", "judged objective", "shots", "that judge", "path", "published"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for number, (one, got, value) in enumerate(zip(asked, ended.got, ended.values, strict=True)):
        half = ended.halves[number] if ended.halves else None
        judging = 0 if half is None else half.judging.counts.sum()
        judged = "" if value is None else f"{value:.6g}"
        won = f"{ended.published.counts.sum()} shots" if number == ended.chosen else "no"
        cells = [one.stage, f"{one.ready.value:.6g}", judged, f"{got.counts.sum()}", f"{judging}", got.path, won]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", published_told(ended), "", refined_told(refined)])


def published_told(ended: Final) -> str:
    """How many of the winner's shots are published, and what they come to."""
    shots, whole = ended.published.counts.sum(), ended.got[ended.chosen].counts.sum()
    if ended.value is None:
        return "Nobody answered: there are no shots to publish."
    if ended.winner is None:
        return f"Nothing was chosen by its shots: all {shots} are published, with an objective of {ended.value:.6g}."
    return (
        f"Every finalist's shots were parted at random, and the lowest objective of the judging halves won. Published "
        f"are {shots} of its {whole} shots, which did not judge, with an objective of {ended.value:.6g}."
    )


def refined_told(refined: Refined) -> str:
    """The noisy stage in a sentence or two."""
    if not refined.history:
        return refined.ending
    first, best = refined.history[0].value, min(line.value for line in refined.history)
    return (
        f"{len(refined.history)} noisy evaluations, {refined.shots} shots: objective {first:.6g} at the exact angles, "
        f"{best:.6g} at the best. {refined.ending}"
    )


def _recomputed(kernel: Problem, bits: Bits, energies: FloatArray) -> list[Row]:
    objective, violations = kernel.objective(bits), kernel.violations(bits)
    return [
        {
            "bits": write_bits(row),
            "energy": float(energies[place]),
            "objective": float(objective[place]),
            "violations": float(violations[place]),
        }
        for place, row in enumerate(bits)
    ]


def _job_row(
    number: int,
    one: Finalist,
    tickets: Sequence[Ticket],
    refined: Refined,
    profile: ExecutionProfile,
    label: str,
) -> Row:
    ready, angles = one.ready, one.ready.angles.house()
    return {
        "finalist": number,
        "stage": one.stage,
        "circuit": ready.circuit.name,
        "fingerprint": ready.circuit.fingerprint,
        "gammas": json.dumps(list(angles.gammas)),
        "betas": json.dumps(list(angles.betas)),
        "convention": angles.convention.statement,
        "source": angles.source,
        "value": ready.value,
        "start_value": ready.training.history[0].value,
        "random_value": ready.random_value,
        "difference": ready.difference,
        "evaluations": len(ready.training.history),
        "refinement": refined.state.model_dump_json() if number == 0 and refined.state is not None else "",
        "refinement_ending": refined.ending,
        "workload": workload_of(ready, profile, label).fingerprint,
        "shots": profile.shots or 0,
        **_behind(tickets, profile),
    }


def _behind(tickets: Sequence[Ticket], profile: ExecutionProfile) -> Mapping[str, str]:
    if tickets:
        first = tickets[0]
        found = {"provider": first.provider, "backend": first.backend, "state": first.state.value}
        return {**found, "reason": first.reason, "tickets": " ".join(ticket.id for ticket in tickets)}
    why = "nobody took it; quantum_samples tells why" if profile.asynchronous else "it is asked for where it is needed"
    return {"provider": "", "backend": "", "state": "not submitted", "reason": why, "tickets": ""}
