"""Circuits as evidence: feature maps, their diagonal forms, canonical identity, archive and lint. Speaks Qiskit only.

One feature map is one file that ends in a `FeatureMap` value and one line in `FEATURE_MAPS` below; the tests of the
room run every law over every entry. Nothing here knows a dataset, a machine or a kernel.
"""

from quantum_assets.circuits.feature_map import FeatureMap
from quantum_assets.circuits.iqp import IQP
from quantum_assets.circuits.pauli import PAULI
from quantum_assets.circuits.z import Z
from quantum_assets.circuits.zz import ZZ

FEATURE_MAPS: dict[str, FeatureMap] = {
    "z": Z,
    "zz": ZZ,
    "pauli": PAULI,
    "iqp": IQP,
}
