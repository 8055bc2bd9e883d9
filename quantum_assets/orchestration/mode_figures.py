"""Pictures of a study's modes, one panel a profile: kernel entries, or energies of shots, beside their exact values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.orchestration.figures import DPI, FAINT, INK, MARKERS, MAX_POINTS, PALETTE, QUANTUM, png_of
from quantum_assets.orchestration.optimization_figures import RUNGS

_PANEL_INCHES = 2.7
_BARS = 32
_SHOWN = 0.999
"""Share of the distributions that sets the scale: a few infeasible rows may lie very far up."""


@dataclass(frozen=True, eq=False)
class EnergyPicture:
    """Energies of one profile's shots, and of the exact state that they should follow.

    Attributes:
        exact_energies: Of every state, shape `(n_states,)`.
        probabilities: Of every state, sum 1.
        energies: Of the different rows that came, shape `(m,)`; none if nobody answered.
        counts: Shots of each.
    """

    exact_energies: FloatArray
    probabilities: FloatArray
    energies: FloatArray
    counts: IntArray


def entries_beside_exact(pairs: Mapping[str, tuple[FloatArray, FloatArray]], title: str) -> bytes:
    """Draw estimated against exact entries; on the diagonal line nothing was changed.

    Args:
        pairs: Profile name to exact and estimated matrices of one shape.
        title: What it is.

    Returns:
        PNG bytes.

    Raises:
        PlanError: Without any profile, or for matrices of different shapes.
    """
    from matplotlib.figure import Figure

    if not pairs or any(exact.shape != values.shape for exact, values in pairs.values()):
        raise PlanError(f"figure {title}", "has no or unequal matrices", "Give two of one shape for each profile")
    width = max(6.4, _PANEL_INCHES * len(pairs))
    figure = Figure(figsize=(width, 3.4), dpi=DPI, layout="constrained")
    figure.suptitle(f"{title}\nexact entry across, as run upwards; off the line is what the mode did", fontsize=9)
    for index, (name, (exact, values)) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, len(pairs), index + 1)
        step = max(1, exact.size // MAX_POINTS)
        colour = PALETTE[index % len(PALETTE)]
        axes.plot(exact.ravel()[::step], values.ravel()[::step], ".", markersize=2, color=colour, rasterized=True)
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8)
        rms = float(np.sqrt(np.mean((values - exact) ** 2)))
        axes.set_title(f"{name}: rms {rms:.2g}", fontsize=8, color=INK)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.tick_params(labelsize=7, colors=INK)
    return png_of(figure)


def energies_beside_exact(pictures: Mapping[str, EnergyPicture], title: str) -> bytes:
    """Draw how the energies of shots are spread, over those of the exact state, with both means.

    Args:
        pictures: Profile name to its energies.
        title: What it is.

    Returns:
        PNG bytes.

    Raises:
        PlanError: Without any profile.
    """
    from matplotlib.figure import Figure

    if not pictures:
        raise PlanError(f"figure {title}", "has no profiles", "Give at least one")
    figure = Figure(figsize=(max(6.4, _PANEL_INCHES * len(pictures)), 3.4), dpi=DPI, layout="constrained")
    figure.suptitle(
        f"{title}\nenergies of the shots (line) over those of the exact state (grey); dashed: means", fontsize=9
    )
    edges = _edges(list(pictures.values()))
    for index, (name, one) in enumerate(pictures.items()):
        axes = figure.add_subplot(1, len(pictures), index + 1)
        exact = float(one.exact_energies @ one.probabilities)
        axes.stairs(_shares(one.exact_energies, one.probabilities, edges), edges, fill=True, color="#C8C8C8")
        axes.axvline(exact, color=FAINT, linestyle="--", linewidth=0.9)
        told = "nobody answered"
        if len(one.counts):
            mean = float(one.energies @ one.counts / one.counts.sum())
            axes.stairs(_shares(one.energies, one.counts, edges), edges, color=QUANTUM, linewidth=1.2)
            axes.axvline(mean, color=QUANTUM, linestyle="--", linewidth=0.9)
            told = f"mean {mean:.4g}, exact {exact:.4g}"
        axes.set_title(f"{name}: {told}", fontsize=8, color=INK)
        axes.set_xlabel("energy", fontsize=8, color=INK)
        axes.set_ylabel("" if index else "share of shots", fontsize=8, color=INK)
        axes.tick_params(labelsize=7, colors=INK)
    return png_of(figure)


def optima_side_by_side(rungs: Mapping[str, Mapping[str, tuple[float, float, float]]], title: str) -> bytes:
    """Draw P(optimum) after repair of every source of bits under every profile, with intervals.

    Args:
        rungs: Profile name to source of bits (`uniform`, `product`, `sampler`, `greedy`) to value, low and high.
        title: What it is.

    Returns:
        PNG bytes.

    Raises:
        PlanError: Without any profile.
    """
    from matplotlib.figure import Figure

    if not rungs:
        raise PlanError(f"figure {title}", "has no ladders", "Give at least one")
    figure = Figure(figsize=(6.4, 3.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(f"{title}\nshare of shots that reach the best known after repair, by source of the bits", fontsize=9)
    for index, (rung, colour) in enumerate(RUNGS.items()):
        found = {place: sides[rung] for place, sides in enumerate(rungs.values()) if rung in sides}
        values = np.array([value for value, _, _ in found.values()])
        spans = np.abs([[value - low, high - value] for value, low, high in found.values()]).reshape(-1, 2).T
        places = np.array(list(found), dtype=float) + 0.14 * (index - 1.5)
        axes.errorbar(places, values, yerr=spans, fmt=MARKERS[index], color=colour, label=rung, capsize=3, markersize=5)
    axes.set_xticks(range(len(rungs)), list(rungs))
    axes.set_xlim(-0.5, len(rungs) - 0.5)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("P(optimum)", fontsize=8, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(visible=True, axis="y", color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(fontsize=7, frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return png_of(figure)


def _edges(pictures: Sequence[EnergyPicture]) -> FloatArray:
    """Edges of the bars, the same for every panel."""
    low = min(float(one.exact_energies.min()) for one in pictures)
    high = max(
        _quantile(energies, weights)
        for one in pictures
        for energies, weights in ((one.exact_energies, one.probabilities), (one.energies, one.counts))
        if len(energies)
    )
    return np.linspace(low, max(high, low + 1e-9), _BARS + 1)


def _quantile(energies: FloatArray, weights: FloatArray | IntArray) -> float:
    order = np.argsort(energies, kind="stable")
    heights = np.cumsum(weights[order])
    place = int(np.searchsorted(heights, _SHOWN * float(heights[-1])))
    return float(energies[order][min(place, len(order) - 1)])


def _shares(energies: FloatArray, weights: FloatArray | IntArray, edges: FloatArray) -> FloatArray:
    """Weight of every bar, sum 1; what lies beyond the scale is in the last."""
    heights, _ = np.histogram(np.clip(energies, edges[0], edges[-1]), bins=edges, weights=weights)
    return np.asarray(heights / weights.sum(), dtype=float)
