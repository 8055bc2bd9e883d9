"""The picture of a study's modes: every entry of a kernel matrix against its exact value, one panel a profile."""

from collections.abc import Mapping

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.orchestration.figures import DPI, FAINT, INK, MAX_POINTS, PALETTE, png_of

_PANEL_INCHES = 2.7


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
