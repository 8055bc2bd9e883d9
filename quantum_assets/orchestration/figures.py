"""Small pictures for asset metadata and MLflow: a value in, PNG bytes out, the same bytes for the same value.

Each is readable at its own size (some 600 pixels wide, some tens of kilobytes, for it travels as a data URI inside an
event), safe for colour-blind readers (the palette of Okabe and Ito, 2008, and a marker of its own for every class) and
says in its subtitle what a reader should look at. Nothing here computes a result or touches pyplot's global state.
"""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.evaluation import Comparison, Family, FoldScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
Row = TypeVar("Row", FoldScore, Comparison)

DPI = 90
INK, FAINT = "#222222", "#767676"
QUANTUM = "#D55E00"
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D1F", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAMILIES: Mapping[Family, tuple[str, str]] = {
    "quantum": (QUANTUM, "D"),
    "ablation": ("#CC79A7", "s"),
    "classical": ("#0072B2", "o"),
    "floor": ("#767676", "v"),
}
# More cells than this a side are averaged in blocks: a picture cannot show them, and noise does not compress.
MAX_CELLS = 160
COLOUR_STEPS = 48
MAX_POINTS = 2_000
SMALLEST_SHARE = 1e-12


def gram_heatmap(values: npt.ArrayLike, labels: Sequence[Any] | npt.NDArray[Any], title: str) -> bytes:
    """A kernel matrix with its samples sorted by class, so that classes the kernel can tell apart show as blocks.

    Colours span the central 99 % of the off-diagonal entries, or a strong diagonal would hide everything else.

    Args:
        values: Square, finite.
        labels: Class of each row.
        title: What it is.

    Raises:
        PlanError: For a matrix that is not square and finite, or labels that do not match it.
    """
    from matplotlib import colormaps

    k, classes = np.asarray(values, dtype=float), np.asarray(labels)
    if k.ndim != 2 or k.shape[0] != k.shape[1] or len(classes) != k.shape[0] or not np.isfinite(k).all():
        raise PlanError(f"figure {title}", f"matrix of shape {k.shape}, {len(classes)} labels", "Give a finite square")
    order = np.argsort(classes, kind="stable")
    off = k[~np.eye(len(k), dtype=bool)] if len(k) > 1 else k.ravel()
    low, middle, high = np.percentile(off, [0.5, 50, 99.5])
    figure, axes = _figure(5.2, 4.6, title, f"{len(k)} samples by class; median off the diagonal {middle:.3g}")
    extent = (0, len(k), len(k), 0)
    image = axes.imshow(
        _blocks(k[np.ix_(order, order)]),
        cmap=colormaps["cividis"].resampled(COLOUR_STEPS),
        vmin=low,
        vmax=max(high, low + 1e-12),
        extent=extent,
        interpolation="nearest",
    )
    _mark_classes(axes, classes[order])
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, extend="both")
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.outline.set_visible(False)
    bar.set_label("kernel value", fontsize=8, color=FAINT)
    return png_of(figure)


def spectrum(eigenvalues: Mapping[str, npt.ArrayLike], title: str = "Spectrum of the kernel matrices") -> bytes:
    """Eigenvalues by rank, as shares of the sum of magnitudes, on logarithmic axes.

    A cliff means few effective dimensions, a plateau that every sample is alike to itself only. Negative eigenvalues
    (sampling noise, or a matrix that is no kernel) are crosses at their magnitude and are counted in the legend.

    Args:
        eigenvalues: Kernel name to its eigenvalues, in any order.
        title: What it is.

    Raises:
        PlanError: Without any spectrum, or for one that is empty or not finite.
    """
    if not eigenvalues:
        raise PlanError(f"figure {title}", "no spectrum was given", "Give at least one kernel")
    figure, axes = _figure(6.4, 3.8, title, "share of the total by rank; × marks negative eigenvalues")
    for index, (name, raw) in enumerate(eigenvalues.items()):
        values = np.sort(np.asarray(raw, dtype=float).ravel())[::-1]
        if not values.size or not np.isfinite(values).all():
            raise PlanError(f"figure {title}: {name}", f"{values.size} eigenvalues", "Give finite eigenvalues")
        _draw_spectrum(axes, name, values, index)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(max(SMALLEST_SHARE, axes.get_ylim()[0]), 1.5)
    axes.minorticks_off()  # their labels are laid out several times and say nothing here
    _describe(axes, "rank", "share of total")
    axes.grid(visible=True, which="major", color="#E6E6E6", linewidth=0.7)
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    return png_of(figure)


def scores(fold_scores: Sequence[FoldScore], title: str = "Outer test scores") -> bytes:
    """Every model's outer scores: a dot a fold, the mean and its corrected 95 % interval; best on top, quantum tinted.

    The floor does not set the scale; where it lies outside, an arrow at the edge says so. Intervals are Nadeau and
    Bengio's (see `models.statistics`); a model with one fold has none.

    Args:
        fold_scores: Of one study, any order.
        title: What it is.

    Raises:
        PlanError: Without any score.
    """
    if not fold_scores:
        raise PlanError(f"figure {title}", "no scores were given", "Evaluate at least one model")
    by_model = {m: list(rows) for m, rows in groupby(sorted(fold_scores, key=lambda s: s.model), lambda s: s.model)}
    means = {model: float(np.mean([s.score for s in rows])) for model, rows in by_model.items()}
    ranked = sorted(by_model, key=lambda model: (-means[model], model))
    folds = max(len(rows) for rows in by_model.values())
    figure, axes = _figure(6.4, 1.45 + 0.3 * len(ranked), title, f"mean, 95 % interval and {folds} outer folds each")
    spread = [s.score for s in _without_floor(fold_scores)]
    span = max(max(spread) - min(spread), 0.02)
    axes.set_xlim(min(spread) - 0.15 * span, max(spread) + 0.1 * span)
    for row, model in enumerate(ranked):
        family = by_model[model][0].family
        points = sorted(s.score for s in by_model[model])
        levels = np.array([index - points.index(point) for index, point in enumerate(points)])  # equal scores pile up
        heights = row + 0.17 + min(0.07, 0.3 / max(int(levels.max()), 1)) * levels
        axes.plot(points, heights, ".", color=FAMILIES[family][0], alpha=0.4, markersize=5, markeredgewidth=0, zorder=2)
        _draw_interval(axes, row, _interval(by_model[model]), family)
    _name_rows(axes, ranked, [by_model[model][0].family for model in ranked])
    _margin(axes, "mean", [f"{means[model]:.3f}" for model in ranked])
    _describe(axes, "score on the test rows of the outer folds", "")
    _family_legend(axes, [by_model[model][0].family for model in ranked])
    return png_of(figure)


def comparison(comparisons: Sequence[Comparison], band: float, title: str = "Quantum kernel minus each rival") -> bytes:
    """Paired differences with corrected intervals: right of the band the quantum kernel wins, inside it none does.

    Args:
        comparisons: One a rival, any order.
        band: Half-width of the equivalence band, in score units.
        title: What it is.

    Raises:
        PlanError: Without any comparison.
    """
    if not comparisons:
        raise PlanError(f"figure {title}", "no comparisons were given", "Evaluate at least one rival")
    ranked = sorted(comparisons, key=lambda c: (c.difference, c.rival))
    figure, axes = _figure(
        6.4,
        1.45 + 0.27 * len(ranked),
        title,
        f"difference of scores with interval; shaded: too small to matter (±{band:g})",
    )
    axes.axvspan(-band, band, color="#E8EEF2", zorder=0, linewidth=0)
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=1)
    reach = max([1.5 * band, *(abs(edge) for c in _without_floor(ranked) for edge in (c.low, c.high))]) * 1.08
    axes.set_xlim(-reach, reach)
    for row, found in enumerate(ranked):
        _draw_interval(axes, row, (found.low, found.difference, found.high), found.family)
    _name_rows(axes, [c.rival for c in ranked], [c.family for c in ranked])
    _margin(axes, "p (Holm)", [f"{c.p_holm:.2g}" for c in ranked])
    _describe(axes, "← rival better      quantum better →", "")
    _family_legend(axes, [c.family for c in ranked])
    return png_of(figure)


def features_scatter(
    values: npt.ArrayLike, labels: Sequence[Any] | npt.NDArray[Any], title: str = "Prepared features"
) -> bytes:
    """The first two prepared columns, a colour and a marker a class; with one column, classes on lines of their own.

    Args:
        values: Shape `(n_samples, n_columns)`, finite.
        labels: Class of each row.
        title: What it is.

    Raises:
        PlanError: For shapes that do not match.
    """
    columns, classes = np.asarray(values, dtype=float), np.asarray(labels)
    if columns.ndim != 2 or columns.shape[1] < 1 or len(classes) != len(columns) or not len(classes):
        raise PlanError(f"figure {title}", f"columns {columns.shape}, {len(classes)} labels", "Give one label a row")
    step = -(-len(columns) // MAX_POINTS)  # a regular sample, so that the picture stays small and the same
    names = np.unique(classes)
    told = f"{len(columns)} samples" + (f", every {step}th is drawn" if step > 1 else "")
    figure, axes = _figure(5.2, 4.2, title, told)
    for index, name in enumerate(names):
        chosen = columns[::step][classes[::step] == name]
        heights = chosen[:, 1] if columns.shape[1] > 1 else np.full(len(chosen), float(index))
        axes.scatter(
            chosen[:, 0], heights, s=20, marker=MARKERS[index % len(MARKERS)], color=PALETTE[index % len(PALETTE)],
            alpha=0.75, linewidths=0.3, edgecolors="white", label=str(name),
        )  # fmt: skip
    _describe(axes, "q_0", "q_1" if columns.shape[1] > 1 else "class")
    if columns.shape[1] == 1:
        axes.set_yticks(range(len(names)), [str(name) for name in names])
    axes.grid(visible=True, color="#EEEEEE", linewidth=0.7)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), handletextpad=0.2)
    return png_of(figure)


def as_markdown(png: bytes, alt: str) -> str:
    """The picture as markdown that carries it whole, which Dagster's metadata view renders."""
    words = alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    return f"![{words}](data:image/png;base64,{base64.b64encode(png).decode()})"


def _without_floor(rows: Sequence[Row]) -> list[Row]:
    """What sets the scale: every row but the floor's, or all when there is nothing else."""
    return [row for row in rows if row.family != "floor"] or list(rows)


def _figure(width: float, height: float, title: str, subtitle: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(textwrap.fill(title, 50), loc="left", fontsize=11, fontweight="bold", color=INK, pad=20)
    axes.annotate(
        subtitle, (0, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points", fontsize=8, color=FAINT
    )
    axes.tick_params(labelsize=8, colors=INK, length=3, color="#BBBBBB")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#BBBBBB")
    axes.set_axisbelow(True)
    return figure, axes


def _describe(axes: "Axes", across: str, up: str) -> None:
    axes.set_xlabel(across, fontsize=8.5, color=FAINT)
    axes.set_ylabel(up, fontsize=8.5, color=FAINT)


def png_of(figure: "Figure") -> bytes:
    """Render, and reduce to a palette: half the size, and no difference to see."""
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, metadata={"Software": None})
    with Image.open(raw) as image:
        flat = image.convert("RGB").quantize(colors=256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        flat.save(small, format="png", optimize=True)
    return small.getvalue()


def _blocks(k: FloatArray) -> FloatArray:
    """Average square blocks until at most `MAX_CELLS` a side are left; a ragged last block repeats its edge."""
    edge = -(-len(k) // MAX_CELLS)
    if edge == 1:
        return k
    padded = np.pad(k, (0, -len(k) % edge), mode="edge")
    cells = len(padded) // edge
    return np.asarray(padded.reshape(cells, edge, cells, edge).mean(axis=(1, 3)))


def _mark_classes(axes: "Axes", ordered: npt.NDArray[Any]) -> None:
    names, starts, counts = np.unique(ordered, return_index=True, return_counts=True)
    for start in starts[1:]:
        axes.axhline(start, color="white", linewidth=1.0)
        axes.axvline(start, color="white", linewidth=1.0)
    middles = starts + counts / 2
    axes.set_xticks(middles, [str(name) for name in names])
    axes.set_yticks(middles, [str(name) for name in names], rotation=90, va="center")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_spectrum(axes: "Axes", name: str, values: FloatArray, index: int) -> None:
    shares = values / max(float(np.abs(values).sum()), 1e-300)
    ranks = np.arange(1, len(shares) + 1)
    positive, negative = shares > SMALLEST_SHARE, shares < -SMALLEST_SHARE
    colour = PALETTE[index % len(PALETTE)]
    label = f"{name} ({int(negative.sum())} negative)" if negative.any() else name
    axes.plot(
        ranks[positive], shares[positive], color=colour, linewidth=1.5, marker=MARKERS[index % len(MARKERS)],
        markersize=3.5, markevery=0.12, label=label, linestyle=("-", "--", "-.", ":")[index // len(PALETTE) % 4],
    )  # fmt: skip
    axes.plot(ranks[negative], -shares[negative], "x", color=colour, markersize=4, alpha=0.7)


def _interval(rows: Sequence[FoldScore]) -> tuple[float, float, float]:
    """Low, mean and high of one model's scores."""
    from quantum_assets.models.statistics import score_interval

    values = [row.score for row in rows]
    if len(values) < 2:
        return values[0], values[0], values[0]
    n_train, n_test = (float(np.mean([getattr(row, name) for row in rows])) for name in ("n_train", "n_test"))
    middle, low, high = score_interval(values, n_train, n_test)
    return low, middle, high


def _draw_interval(axes: "Axes", row: int, interval: tuple[float, float, float], family: Family) -> None:
    low, middle, high = interval
    colour, marker = FAMILIES[family]
    axes.plot([low, high], [row, row], color=colour, linewidth=2.2, solid_capstyle="round", zorder=3)
    axes.plot([middle], [row], marker=marker, color=colour, markersize=6.5, markeredgecolor="white", zorder=4)
    left, right = axes.get_xlim()
    if not left <= middle <= right:
        edge, arrow = (left, "<") if middle < left else (right, ">")
        axes.plot([edge], [row], marker=arrow, color=colour, markersize=8, markeredgecolor="white", clip_on=False)


def _name_rows(axes: "Axes", names: Sequence[str], families: Sequence[Family]) -> None:
    axes.set_yticks(range(len(names)), [name if len(name) <= 30 else f"{name[:29]}…" for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x", color="#EEEEEE", linewidth=0.7)
    for row, (label, family) in enumerate(zip(axes.get_yticklabels(), families, strict=True)):
        if family == "quantum":
            label.set(color=QUANTUM, fontweight="bold")
            axes.axhspan(row - 0.45, row + 0.45, color="#FBEFE6", zorder=0, linewidth=0)


def _margin(axes: "Axes", heading: str, words: Sequence[str]) -> None:
    """A column of figures at the right edge, one a row."""
    for row, text in enumerate(words):
        axes.annotate(text, (1.015, row), xycoords=("axes fraction", "data"), fontsize=8, color=INK, va="center")
    axes.annotate(
        heading,
        (1.015, 1),
        xycoords="axes fraction",
        xytext=(0, 6),
        textcoords="offset points",
        fontsize=8,
        color=FAINT,
    )


def _family_legend(axes: "Axes", families: Sequence[Family]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=2.2, markersize=5.5, label=family)
        for family, (colour, marker) in FAMILIES.items()
        if family in families
    ]
    figure = cast("Figure", axes.get_figure())
    legend = figure.legend(handles=handles, loc="outside lower right", ncols=len(handles), frameon=False)
    for text in legend.get_texts():
        text.set(fontsize=8, color=INK)
