"""Choosing a configuration on the inner folds of one split, and on nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from quantum_assets.contracts.dataset import Dataset, Features
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Protocol
from quantum_assets.models.grids import Configuration
from quantum_assets.models.learners import Learner, judge_split

_USED_BY_LEARNERS = ("scipy.optimize", "sklearn.linear_model", "sklearn.neighbors", "sklearn.svm", "sklearn.tree")


@dataclass(frozen=True, eq=False)
class Tuned:
    """The winner on the inner folds.

    Attributes:
        configuration: The winner.
        inner_score: Its mean score over the inner folds, in [0, 1].
        tried: Every configuration that was compared, in grid order.
    """

    configuration: Configuration
    inner_score: float
    tried: tuple[Configuration, ...]


def tune(
    learner: Learner,
    dataset: Dataset,
    features: Features,
    split_id: str,
    protocol: Protocol,
    *,
    budget: int | None = None,
) -> Tuned:
    """Compare a learner's configurations by their mean score over the inner folds of one split.

    A tie goes to the earliest in grid order, which is the simplest model. A grid of one is scored as well, because its
    inner score is reported.

    Args:
        learner: Whose grid.
        dataset: Rows and labels.
        features: Prepared columns of every split.
        split_id: The split whose inner folds judge; ``full`` for the model that is kept.
        protocol: Metric, budget and seed.
        budget: Configurations to try; None for the protocol's. `learners.common_budget` finds the one that is the same
            for all learners of a study.

    Returns:
        The winner.

    Raises:
        PlanError: For an unknown split, or one without inner folds.
    """
    with quiet_machine():
        tried = protocol.budget if budget is None else budget
        return choose(learner, dataset, features, split_id, protocol, budget=tried)


def choose(
    learner: Learner, dataset: Dataset, features: Features, split_id: str, protocol: Protocol, *, budget: int
) -> Tuned:
    """`tune` for a caller that is inside `quiet_machine` already: entering it costs as much as a fit."""
    if split_id not in features.splits:
        raise PlanError(f"split {split_id}", "is not among the prepared splits", "Prepare features for it")
    folds = tuple(features.inner(split_id))
    if not folds:
        raise PlanError(f"split {split_id}", "has no inner folds", "Prepare its inner folds, or tune over its parent")
    tried = learner.configurations(budget, protocol.seed)
    judged = [judge_split(learner, tried, dataset, fold, protocol.metric, final=False) for fold in folds]
    scores = np.array(judged).mean(axis=0)
    # Means over folds in another order of addition differ in the last bit: equal to 1e-12 is a tie.
    best = int(np.flatnonzero(scores >= scores.max() - 1e-12)[0])
    return Tuned(tried[best], float(scores[best]), tried)


@contextmanager
def quiet_machine() -> Iterator[None]:
    """One BLAS and OpenMP thread, and no re-validation of arrays that the contracts have checked.

    Matrices of a hundred rows are slower on two threads than on one, and CPU seconds are only comparable on one. What
    the learners import is imported here, or its seconds would be charged to whoever comes first.
    """
    from sklearn import config_context
    from threadpoolctl import threadpool_limits

    for module in _USED_BY_LEARNERS:
        import_module(module)
    with threadpool_limits(1), config_context(assume_finite=True, skip_parameter_validation=True):
        yield
