"""From scores to a verdict in one of three agreed sentences, with the reasons a careful reader would ask for.

The word is decided against classical rivals and the floor; the ablation is compared and reported, because it says what
helped, not whether anything did. CPU seconds enter the sentence and the cost ratio only: they measure a machine.
"""

from collections.abc import Mapping, Sequence

from quantum_assets.contracts.evaluation import Comparison, FoldScore, Verdict, VerdictWord
from quantum_assets.contracts.study import Protocol
from quantum_assets.models.pairing import DECISIVE, Paired, compare, pair
from quantum_assets.models.reasons import clearly_above, reasons, spell

MIN_FOLDS = 5
"""Outer scores below which no "benefit" is claimed, whatever p: a variance of three or four numbers is an anecdote."""

_CLOCK = 1e-3
"""CPU seconds that the clock cannot tell from none; no ratio takes a smaller denominator."""


def judge(scores: Sequence[FoldScore], protocol: Protocol, diagnostics: Mapping[str, float] | None = None) -> Verdict:
    """Compare the quantum model with every other on the same folds and say what follows.

    "benefit": over every classical rival and floor the mean difference exceeds the equivalence band, its interval lies
    above 0 and Holm's p is below alpha, on at least `MIN_FOLDS` outer folds. "benefit within noise": not that, but the
    mean difference to the best of them exceeds the band, and the quantum model is better than the floor (p below
    alpha, uncorrected), because a lead among models that learned nothing is no benefit. Else "no evidence of benefit".

    Args:
        scores: Of exactly one quantum model and at least one classical or floor, each on the same outer folds.
        protocol: Band, alpha and budget.
        diagnostics: Metrics of the quantum kernel by name, as its diagnostics table has them; some add reasons.

    Returns:
        The verdict.

    Raises:
        PlanError: For none or several quantum models, no rival, folds that differ between models, or fewer than two.
    """
    paired = pair(scores)
    comparisons = compare(paired, protocol)
    against = next(c for c in comparisons if c.rival == paired.best)
    word = _word(paired, comparisons, against, protocol)
    quantum, best = (paired.interval(name, protocol.alpha) for name in (paired.quantum, paired.best))
    ratio = max(paired.seconds[paired.quantum], _CLOCK) / max(paired.seconds[paired.best], _CLOCK)
    return Verdict(
        word=word,
        sentence=_sentence(word, paired, (quantum[0], best[0]), ratio, spell(against, protocol)),
        reasons=reasons(paired, comparisons, protocol, MIN_FOLDS, diagnostics or {}),
        quantum_score=quantum[0],
        quantum_low=quantum[1],
        quantum_high=quantum[2],
        best_rival=paired.best,
        best_score=best[0],
        best_low=best[1],
        best_high=best[2],
        p_holm=against.p_holm,
        comparisons=comparisons,
        cost_ratio=ratio,
    )


def _word(paired: Paired, comparisons: Sequence[Comparison], against: Comparison, protocol: Protocol) -> VerdictWord:
    decisive = [c for c in comparisons if c.family in DECISIVE]
    if paired.folds >= MIN_FOLDS and all(clearly_above(c, protocol) for c in decisive):
        return "benefit"
    learned = all(c.difference > 0 and c.p_value < protocol.alpha for c in decisive if c.family == "floor")
    if learned and against.difference > protocol.equivalence_band:
        return "benefit within noise"
    return "no evidence of benefit"


def _sentence(word: VerdictWord, paired: Paired, means: tuple[float, float], ratio: float, difference: str) -> str:
    times = f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"
    scores = f"{means[0]:.3f} against {means[1]:.3f} of {paired.best}, difference {difference}"
    if word == "benefit":
        return f"benefit, at {times} times the cost: {scores}"
    return f"{word}: {scores}, at {times} times the cost"
