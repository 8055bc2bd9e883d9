"""Scores of predicted classes, in [0, 1]; plain counting, because the protocol asks for thousands of small ones."""

from typing import Literal

import numpy as np

from quantum_assets.contracts.workload import IntArray

Metric = Literal["balanced_accuracy", "accuracy"]


def accuracy(truth: IntArray, predicted: IntArray) -> float:
    """Share of rows whose class is right."""
    return float(np.mean(truth == predicted))


def balanced_accuracy(truth: IntArray, predicted: IntArray) -> float:
    """Mean recall over the classes that occur in `truth`: 1/classes for a constant answer, 1 for a perfect one."""
    support = np.bincount(truth)
    hits = np.bincount(truth[truth == predicted], minlength=len(support))
    present = support > 0
    return float(np.mean(hits[present] / support[present]))


def score(metric: Metric, truth: IntArray, predicted: IntArray) -> float:
    """The protocol's metric.

    Args:
        metric: Which.
        truth: Class index a test row, at least one row.
        predicted: Class index a test row, same length.

    Returns:
        A number in [0, 1], higher is better.
    """
    return balanced_accuracy(truth, predicted) if metric == "balanced_accuracy" else accuracy(truth, predicted)
