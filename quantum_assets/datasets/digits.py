"""Handwritten 3 against 5, the pair that is easily confused: 365 images of 8 x 8 pixels; from scikit-learn."""

import numpy as np

from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.raw import RawTable, from_arrays


def read(source: DataSource) -> RawTable:
    """Read the 3s and 5s; pixels that are the same in every one of them carry nothing and are left out.

    Sample ids are the row numbers of the whole data of ten digits.
    """
    from sklearn.datasets import load_digits

    del source
    bunch = load_digits()
    rows = np.flatnonzero(np.isin(bunch.target, (3, 5)))
    pixels = bunch.data[rows]
    kept = np.flatnonzero(np.ptp(pixels, axis=0) > 0)
    names = [bunch.feature_names[column] for column in kept]
    labels = [str(digit) for digit in bunch.target[rows]]
    return from_arrays("dataset digits", pixels[:, kept], names, labels, rows.tolist())
