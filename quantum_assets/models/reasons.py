"""Why a verdict is what it is: plain sentences, each with the numbers behind it, in a fixed order.

Nothing volatile (CPU seconds) enters: the reasons are stored as part of the answer.
"""

from collections.abc import Iterator, Mapping, Sequence

from quantum_assets.contracts.evaluation import Comparison
from quantum_assets.contracts.study import Protocol
from quantum_assets.models.pairing import Paired


def reasons(
    paired: Paired,
    comparisons: Sequence[Comparison],
    protocol: Protocol,
    min_folds: int,
    diagnostics: Mapping[str, float],
) -> tuple[str, ...]:
    """All that apply: best rival, the others, floor, ablation, resolution, folds, budget, diagnostics.

    Args:
        paired: Scores side by side.
        comparisons: Quantum minus each rival.
        protocol: Band, alpha and the budget that was asked for.
        min_folds: Outer folds that a benefit needs.
        diagnostics: Metrics of the quantum kernel, by name, as stored in its diagnostics table.
    """
    return (
        *_best(paired, comparisons, protocol),
        *_others(paired, comparisons, protocol),
        *_floor(comparisons, protocol),
        *_ablation(comparisons, protocol),
        *_resolution(paired, protocol, min_folds),
        *_budget(paired, protocol),
        *_diagnosed(diagnostics),
    )


def spell(comparison: Comparison, protocol: Protocol) -> str:
    """Difference, interval and p in words: ``+0.013 (95 % interval -0.020 to +0.046, corrected p 0.41)``."""
    return (
        f"{comparison.difference:+.3f} ({100 * (1 - protocol.alpha):g} % interval {comparison.low:+.3f} to "
        f"{comparison.high:+.3f}, corrected p {comparison.p_holm:.2g})"
    )


def clearly_above(comparison: Comparison, protocol: Protocol) -> bool:
    """Whether quantum beats this rival beyond noise and band: what "benefit" asks for, of every decisive rival."""
    return (
        comparison.p_holm < protocol.alpha and comparison.low > 0 and comparison.difference > protocol.equivalence_band
    )


def _best(paired: Paired, comparisons: Sequence[Comparison], protocol: Protocol) -> Iterator[str]:
    best = next(c for c in comparisons if c.rival == paired.best)
    yield f"The best rival is {best.rival}; the quantum kernel scores {spell(best, protocol)} against it."
    if best.equivalent:
        band = f"{protocol.equivalence_band:.3g}"
        yield f"The whole interval lies within the equivalence band of {band}: the two are practically equal."
    elif best.low <= 0 <= best.high:
        yield f"The interval holds 0: these folds cannot tell the quantum kernel from {best.rival}."


def _others(paired: Paired, comparisons: Sequence[Comparison], protocol: Protocol) -> Iterator[str]:
    others = [c for c in comparisons if c.family == "classical" and c.rival != paired.best]
    beaten = [c.rival for c in others if clearly_above(c, protocol)]
    ahead = [c.rival for c in others if c.difference < 0 and c.p_holm < protocol.alpha]
    open_cases = [c.rival for c in others if c.rival not in beaten + ahead]
    if beaten:
        yield f"Clearly better than {', '.join(beaten)}."
    if ahead:
        yield f"Clearly worse than {', '.join(ahead)}."
    if open_cases:
        yield f"No significant difference beyond the band from {', '.join(open_cases)}."


def _floor(comparisons: Sequence[Comparison], protocol: Protocol) -> Iterator[str]:
    for comparison in comparisons:
        if comparison.family == "floor" and not clearly_above(comparison, protocol):
            yield (
                f"Not clearly better than {comparison.rival}, which looks at no feature: "
                f"{spell(comparison, protocol)}; shuffled labels would look like this."
            )


def _ablation(comparisons: Sequence[Comparison], protocol: Protocol) -> Iterator[str]:
    for comparison in comparisons:
        if comparison.family == "ablation":
            against = f"{spell(comparison, protocol)} against {comparison.rival}, the same map without entanglers"
            if clearly_above(comparison, protocol):
                yield f"Entanglement helps: {against}."
            else:
                yield f"Entanglement is not what helps: {against}."


def _resolution(paired: Paired, protocol: Protocol, min_folds: int) -> Iterator[str]:
    step = 1 / paired.n_test
    if step > protocol.equivalence_band:
        yield (
            f"A fold has {paired.n_test:.0f} test rows, so one row is worth about {step:.3f} of a score, more than the "
            f"equivalence band of {protocol.equivalence_band:.3g}; single folds cannot resolve it."
        )
    if paired.folds < min_folds:
        yield f"{paired.folds} outer folds are too few for a claim; it takes {min_folds}."


def _budget(paired: Paired, protocol: Protocol) -> Iterator[str]:
    tuned = [paired.tried[name] for name, family in paired.families.items() if family != "floor"]
    if len(set(tuned)) > 1:
        yield f"Budgets were not equal ({min(tuned)} to {max(tuned)} configurations): this comparison is not fair."
    elif tuned[0] < protocol.budget:
        yield (
            f"Every tuned model tried {tuned[0]} configurations and not {protocol.budget}, "
            "because the smallest grid holds no more."
        )


def _diagnosed(diagnostics: Mapping[str, float]) -> Iterator[str]:
    ratio = diagnostics.get("spread_over_shot_noise")
    if ratio is not None and ratio < 2:
        yield f"The kernel is concentrated: its entries spread {ratio:.2g} times as far as shot noise alone would."
    alignment = diagnostics.get("target_alignment")
    if alignment is not None and alignment < 0.05:
        yield f"The kernel hardly knows the labels: centred alignment {alignment:.3f}."
    prefix = "geometric_difference_"
    largest: dict[str, float] = {}
    for metric, value in diagnostics.items():
        if metric.startswith(prefix):
            rival = metric.removeprefix(prefix).rsplit("_", 1)[0]
            largest[rival] = max(value, largest.get(rival, 0.0))
    for rival, value in largest.items():
        if value < 2:
            yield f"The geometric difference from the {rival} kernel is {value:.2g}: {rival} can learn the same."
