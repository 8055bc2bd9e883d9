"""Where rows come from and how they become angles: sources, validation, splits, preparation and their tables.

Everything between a `DataSource` and `Features` belongs here; nothing that knows a circuit, a kernel or a machine.
Adding a bundled dataset is one file with a ``read`` function and one line in `DATASETS`.
"""

from quantum_assets.datasets import ad_hoc, breast_cancer, digits, iris, wine
from quantum_assets.datasets.raw import Bundled

DATASETS: dict[str, Bundled] = {
    "ad_hoc": Bundled("Labels made by the ZZ feature map itself: the positive control.", ad_hoc.read, ad_hoc.OPTIONS),
    "breast_cancer": Bundled("Wisconsin tumours, 569 rows, 30 features, benign or malignant.", breast_cancer.read),
    "digits": Bundled("Handwritten 3 against 5, 8 x 8 pixels, 365 rows.", digits.read),
    "iris": Bundled("Iris versicolor against virginica, 100 rows, 4 features.", iris.read),
    "wine": Bundled("Three cultivars, 178 rows, 13 features; use positive for one against the rest.", wine.read),
}
