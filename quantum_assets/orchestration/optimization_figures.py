"""Pictures of an optimisation study: rivals over time, training, energies of the samples, the control ladder."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.problem import Solution
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models.ladder import Ladder, RungName
from quantum_assets.orchestration.figures import DPI, FAINT, INK, MARKERS, PALETTE, QUANTUM, png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RUNGS: Mapping[RungName, str] = {
    "uniform": "#767676",
    "product": "#0072B2",
    "sampler": QUANTUM,
    "greedy": "#009E73",
}


def incumbents_figure(solutions: Sequence[Solution], bound: float | None, title: str) -> bytes:
    """Best energy so far of every rival over wall-clock time, and the proven bound."""
    figure, axes = _canvas(title, "best energy so far; lower is better, dotted: proven bound")
    for index, one in enumerate(solutions):
        seconds = [max(i.seconds, 1e-5) for i in one.incumbents] + [max(one.seconds, 1e-5)]
        energies = [i.energy for i in one.incumbents] + [one.energy]
        look = {"color": PALETTE[index % len(PALETTE)], "marker": MARKERS[index % len(MARKERS)], "markersize": 4}
        axes.step(seconds, energies, where="post", label=one.solver, linewidth=1.2, **look)
    if bound is not None:
        axes.axhline(bound, color=FAINT, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    _words(axes, "wall seconds", "energy")
    axes.legend(fontsize=7, frameon=False)
    return png_of(figure)


def history_figure(
    values: Sequence[float], random_value: float, title: str, noisy: Sequence[float] = (), beneath: str = ""
) -> bytes:
    """Objective of every evaluation and the best so far, beside the objective of uniform bits.

    Args:
        values: Exact evaluations in order.
        random_value: Objective of uniform bits.
        title: Of the picture.
        noisy: Measured evaluations that followed, drawn to the right with a line of their own.
        beneath: Where those ran.
    """
    figure, axes = _canvas(title, "dots: each evaluation; line: best so far; dotted: uniform bits")
    numbers = np.arange(len(values))
    axes.plot(numbers, values, ".", color=FAINT, markersize=3)
    best = np.minimum.accumulate(np.asarray(values, dtype=float))
    axes.plot(numbers, best, color=QUANTUM, linewidth=1.4, label="exact")
    if noisy:
        after = len(values) + np.arange(len(noisy))
        best = np.minimum.accumulate(np.asarray(noisy, dtype=float))
        axes.axvline(len(values) - 0.5, color=FAINT, linewidth=0.8)
        axes.plot(after, noisy, MARKERS[0], color=PALETTE[0], markersize=4, alpha=0.5)
        axes.plot(after, best, color=PALETTE[0], linewidth=1.4, label=f"measured {beneath}".rstrip())
        axes.legend(fontsize=7, frameon=False)
    axes.axhline(random_value, color=FAINT, linestyle=":", linewidth=1)
    _words(axes, "evaluation", "objective (energy)")
    return png_of(figure)


def energies_figure(energies: FloatArray, counts: IntArray, best: float, title: str) -> bytes:
    """Energies of the samples, weighted by their shots, and the best energy known."""
    figure, axes = _canvas(title, "shots by energy of the row as it was measured; line: best feasible energy known")
    axes.hist(energies, bins=min(40, max(5, len(energies))), weights=counts, color=QUANTUM, alpha=0.8)
    axes.axvline(best, color=INK, linewidth=1)
    _words(axes, "energy", "shots")
    return png_of(figure)


def ladder_figure(ladder: Ladder) -> bytes:
    """P(optimum) of every rung at every stage, with its interval: what the sampler adds is the step from product."""
    stages = list(dict.fromkeys(rung.stage for rung in ladder.rungs))
    figure, axes = _canvas(
        f"{ladder.kind} {ladder.instance}", "share of shots that reach the best known, by stage of the decoder"
    )
    for index, (name, colour) in enumerate(RUNGS.items()):
        places = np.arange(len(stages)) + 0.16 * (index - 1.5)
        found = [ladder.rung(name, stage).optimum for stage in stages]
        values = np.array([one.value for one in found])
        spans = np.abs([[one.value - one.low for one in found], [one.high - one.value for one in found]])
        told = ladder.called(name)
        axes.errorbar(places, values, yerr=spans, fmt=MARKERS[index], color=colour, label=told, capsize=3, markersize=5)
    axes.set_xticks(np.arange(len(stages)), stages)
    axes.set_ylim(-0.02, 1.02)
    _words(axes, "", "P(optimum)")
    figure.legend(fontsize=7, frameon=False, ncols=2, loc="outside lower center")
    return png_of(figure)


def _canvas(title: str, subtitle: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    figure.suptitle(title, fontsize=10, color=INK)
    axes.set_title(subtitle, fontsize=8, color=FAINT)
    axes.grid(visible=True, color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _words(axes: "Axes", across: str, upwards: str) -> None:
    axes.set_xlabel(across, fontsize=8, color=INK)
    axes.set_ylabel(upwards, fontsize=8, color=INK)
    axes.tick_params(labelsize=7, colors=INK)
