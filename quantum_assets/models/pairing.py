"""Scores of one study side by side, fold by fold, and the paired comparisons that follow from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.evaluation import Comparison, Family, FoldScore
from quantum_assets.contracts.study import Protocol
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.models.statistics import corrected_t, equivalent, holm, score_interval

DECISIVE: frozenset[Family] = frozenset({"classical", "floor"})
"""The families a benefit must be shown against."""


@dataclass(frozen=True, eq=False)
class Paired:
    """Scores of every model on the same outer folds.

    Attributes:
        quantum: Name of the quantum model.
        families: Side of every model, in the order they were evaluated.
        scores: One score an outer fold, in the same order for every model.
        seconds: CPU seconds of every model, summed over folds.
        tried: Configurations of every model.
        n_train: Mean training rows of a fold.
        n_test: Mean test rows of a fold.
    """

    quantum: str
    families: Mapping[str, Family]
    scores: Mapping[str, FloatArray]
    seconds: Mapping[str, float]
    tried: Mapping[str, int]
    n_train: float
    n_test: float

    @property
    def folds(self) -> int:
        """Number of outer folds, repeats included."""
        return len(self.scores[self.quantum])

    @property
    def best(self) -> str:
        """The classical rival or floor with the highest mean score; of equals the first."""
        decisive = [name for name, family in self.families.items() if family in DECISIVE]
        return max(decisive, key=lambda name: round(float(self.scores[name].mean()), 12))

    def interval(self, name: str, alpha: float) -> tuple[float, float, float]:
        """Mean score of a model with its corrected interval: mean, low, high."""
        return score_interval(self.scores[name].tolist(), self.n_train, self.n_test, alpha)


def pair(scores: Sequence[FoldScore]) -> Paired:
    """Lay the scores of a study side by side.

    Raises:
        PlanError: For none or several quantum models, no classical or floor rival, or folds that differ between models.
    """
    by_model: dict[str, dict[tuple[int, int], FoldScore]] = {}
    for score in scores:
        by_model.setdefault(score.model, {})[score.repeat, score.fold] = score
    families: dict[str, Family] = {score.model: score.family for score in scores}
    quantum = [name for name, family in families.items() if family == "quantum"]
    if len(quantum) != 1 or not DECISIVE & set(families.values()):
        raise PlanError(
            "scores", f"are of {families}", "Give one quantum model and at least one classical rival or floor"
        )
    folds = sorted(by_model[quantum[0]])
    uneven = [name for name, found in by_model.items() if sorted(found) != folds]
    if uneven or len(scores) != len(folds) * len(families):
        raise PlanError(
            "scores",
            f"do not pair: {uneven or 'a fold is scored twice'}",
            "Evaluate all models together on the same folds",
        )
    own = by_model[quantum[0]].values()
    return Paired(
        quantum=quantum[0],
        families=families,
        scores={name: np.array([found[fold].score for fold in folds]) for name, found in by_model.items()},
        seconds={name: sum(score.cpu_seconds for score in found.values()) for name, found in by_model.items()},
        tried={name: max(score.tried for score in found.values()) for name, found in by_model.items()},
        n_train=float(np.mean([score.n_train for score in own])),
        n_test=float(np.mean([score.n_test for score in own])),
    )


def compare(paired: Paired, protocol: Protocol) -> tuple[Comparison, ...]:
    """Quantum minus each rival: corrected test, interval, Holm over all rivals, and equivalence.

    Raises:
        PlanError: For fewer than two outer folds.
    """
    own = paired.scores[paired.quantum]
    rivals = [name for name in paired.families if name != paired.quantum]
    tests = [
        corrected_t((own - paired.scores[name]).tolist(), paired.n_train, paired.n_test, protocol.alpha)
        for name in rivals
    ]
    adjusted = holm([test.p_value for test in tests])
    return tuple(
        Comparison(
            rival=name,
            family=paired.families[name],
            difference=test.difference,
            low=max(-1.0, test.low),  # a difference of two scores does not leave [-1, 1]
            high=min(1.0, test.high),
            p_value=test.p_value,
            p_holm=p_holm,
            equivalent=equivalent(test.low, test.high, protocol.equivalence_band),
        )
        for name, test, p_holm in zip(rivals, tests, adjusted, strict=True)
    )
