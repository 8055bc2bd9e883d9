"""What the comparison says: scores fold by fold, paired tests, and the verdict in the agreed words."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["quantum", "ablation", "classical", "floor"]
VerdictWord = Literal["no evidence of benefit", "benefit within noise", "benefit"]


@dataclass(frozen=True)
class FoldScore:
    """One model's result on one outer fold.

    `chosen` is the winning configuration as canonical JSON; `tried` the number of configurations tuned over;
    `cpu_seconds` is a measurement, not part of the answer's identity.
    """

    model: str
    family: Family
    repeat: int
    fold: int
    score: float
    inner_score: float
    chosen: str
    tried: int
    n_train: int
    n_test: int
    circuits_needed: int
    cpu_seconds: float


@dataclass(frozen=True)
class Comparison:
    """Quantum minus one rival, paired by outer fold.

    Nadeau and Bengio (2003), "Inference for the generalization error": the variance of the mean difference is inflated
    by (1/k + n_test/n_train) for the overlap of training sets. `p_holm` is `p_value` after Holm's step-down correction
    over all rivals. The interval is at level 1 - alpha.
    """

    rival: str
    family: Family
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    equivalent: bool


@dataclass(frozen=True)
class Verdict:
    """The answer, with its reasons; `word` is one of three and `sentence` is what a person reads."""

    word: VerdictWord
    sentence: str
    reasons: tuple[str, ...]
    quantum_score: float
    quantum_low: float
    quantum_high: float
    best_rival: str
    best_score: float
    best_low: float
    best_high: float
    p_holm: float
    comparisons: tuple[Comparison, ...]
    cost_ratio: float
