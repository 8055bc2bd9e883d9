"""Breast cancer Wisconsin (diagnostic): 569 tumours, 30 features, benign or malignant; bundled with scikit-learn."""

from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.raw import RawTable, from_arrays


def read(source: DataSource) -> RawTable:
    """Read all rows; `source` carries no option of its own for this dataset."""
    from sklearn.datasets import load_breast_cancer

    del source
    bunch = load_breast_cancer()
    return from_arrays(
        "dataset breast_cancer", bunch.data, bunch.feature_names, [bunch.target_names[t] for t in bunch.target]
    )
