"""The comparison: every learner tuned and scored on the same outer folds with the same number of configurations."""

import re
import time
from collections.abc import Callable, Sequence

from quantum_assets.contracts.dataset import Dataset, Features, PreparedSplit
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.evaluation import FoldScore
from quantum_assets.contracts.study import Protocol
from quantum_assets.models.grids import canonical
from quantum_assets.models.learners import Learner, common_budget, judge_split
from quantum_assets.models.tuning import choose, quiet_machine

Progress = Callable[[int, int, str], None]
"""Called after each learner and fold with steps done, steps in all, and what was done."""

_OUTER = re.compile(r"r(\d+)f(\d+)")


def evaluate(
    dataset: Dataset,
    features: Features,
    learners: Sequence[Learner],
    protocol: Protocol,
    on_progress: Progress | None = None,
    *,
    budget: int | None = None,
) -> tuple[FoldScore, ...]:
    """Nested cross-validation: tune on inner folds, fit the winner on the outer train rows, score the outer test rows.

    The outer test rows take part in nothing before the score. CPU seconds are of this process, all threads, from tuning
    to score, Gram matrices included where their source computes them.

    Args:
        dataset: Rows and labels.
        features: Prepared columns of every split of `dataset`.
        learners: Quantum, ablation, classical and floor, with names of their own.
        protocol: Metric, budget and seed; its folds are those of `features`.
        on_progress: Told of every step.
        budget: Configurations for every tuned learner; None to find it from `learners`. For a call that evaluates a
            part of a study's learners.

    Returns:
        One score a learner and outer fold, fold by fold in protocol order, learners in theirs.

    Raises:
        PlanError: For features of other rows, no outer folds, repeated names or an empty grid; before any fit.
    """
    _check(dataset, features, learners)
    shared = common_budget(learners, protocol.budget if budget is None else budget)
    steps = [(split, learner) for split in features.outer() for learner in learners]
    scores: list[FoldScore] = []
    with quiet_machine():
        for split, learner in steps:
            scores.append(_outer_score(learner, dataset, features, split, protocol, budget=shared))
            if on_progress is not None:
                on_progress(len(scores), len(steps), f"{split.split_id} {learner.name}")
    return tuple(scores)


def _outer_score(
    learner: Learner, dataset: Dataset, features: Features, split: PreparedSplit, protocol: Protocol, *, budget: int
) -> FoldScore:
    started = time.process_time()
    tuned = choose(learner, dataset, features, split.split_id, protocol, budget=budget)
    (score,) = judge_split(learner, [tuned.configuration], dataset, split, protocol.metric, final=True)
    spent = time.process_time() - started
    repeat, fold = _position(split.split_id)
    n_train = int(split.train.sum())
    return FoldScore(
        model=learner.name,
        family=learner.family,
        repeat=repeat,
        fold=fold,
        score=score,
        inner_score=tuned.inner_score,
        chosen=canonical(tuned.configuration),
        tried=len(tuned.tried),
        n_train=n_train,
        n_test=len(split.rows) - n_train,
        circuits_needed=learner.circuits(split, tuple(features.inner(split.split_id)), tuned.tried),
        cpu_seconds=spent,
    )


def _check(dataset: Dataset, features: Features, learners: Sequence[Learner]) -> None:
    names = [learner.name for learner in learners]
    if not names or len(set(names)) < len(names):
        raise PlanError("learners", f"are named {names}", "Give at least one, each with a name of its own")
    if features.dataset_fingerprint != dataset.fingerprint:
        raise PlanError(
            f"features of dataset {dataset.name}", "were prepared from other rows", "Materialise the features again"
        )
    outer = [split.split_id for split in features.outer()]
    if not outer:
        raise PlanError(f"features of dataset {dataset.name}", "have no outer folds", "Prepare the protocol's splits")
    for split_id in outer:
        _position(split_id)


def _position(split_id: str) -> tuple[int, int]:
    found = _OUTER.fullmatch(split_id)
    if found is None:
        raise PlanError(f"split {split_id}", "is not named as an outer fold", "Name outer folds r0f0, r0f1, …")
    return int(found[1]), int(found[2])
