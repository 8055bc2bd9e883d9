"""Iris without setosa, which everything parts: 50 versicolor against 50 virginica, 4 features; from scikit-learn."""

import numpy as np

from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.raw import RawTable, from_arrays


def read(source: DataSource) -> RawTable:
    """Read the two classes that overlap; sample ids are the row numbers of the whole data, 50 to 149."""
    from sklearn.datasets import load_iris

    del source
    bunch = load_iris()
    rows = np.flatnonzero(bunch.target > 0)
    labels = [bunch.target_names[t] for t in bunch.target[rows]]
    return from_arrays("dataset iris", bunch.data[rows], bunch.feature_names, labels, rows.tolist())
