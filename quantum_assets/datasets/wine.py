"""Wine recognition: 178 wines, 13 features, three cultivars (class_0, class_1, class_2); from scikit-learn."""

from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.raw import RawTable, from_arrays


def read(source: DataSource) -> RawTable:
    """Read all rows with their three classes; a study parts one from the rest by ``positive: class_1``."""
    from sklearn.datasets import load_wine

    del source
    bunch = load_wine()
    return from_arrays("dataset wine", bunch.data, bunch.feature_names, [bunch.target_names[t] for t in bunch.target])
