"""The room's front door: a feature-map spec becomes a circuit artifact, and data becomes its diagonal form.

Angles are `bandwidth * prepared value`, multiplied by the caller before binding, so that one circuit serves every
bandwidth of a spec.
"""

from functools import lru_cache

import numpy as np

from quantum_assets.circuits import FEATURE_MAPS
from quantum_assets.circuits.archive import archive
from quantum_assets.circuits.feature_map import FeatureMap
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import CircuitArtifact, DiagonalForm, FloatArray


def build(spec: FeatureMapSpec, n_qubits: int) -> CircuitArtifact:
    """Make the circuit of a feature map; the same spec and width give the same object again.

    Args:
        spec: Family, repetitions and entanglement; its bandwidths do not enter the circuit.
        n_qubits: Width, one qubit a feature.

    Returns:
        The archived circuit, parameters in feature order.

    Raises:
        PlanError: For a width below 1, an unknown kind, or strings that do not fit the width.
    """
    # Bandwidths scale the angles, not the circuit: leave them out of the cache's key.
    return _build(spec.model_copy(update={"bandwidths": (1.0,)}), n_qubits)


@lru_cache(maxsize=256)
def _build(spec: FeatureMapSpec, n_qubits: int) -> CircuitArtifact:
    if n_qubits < 1:
        raise PlanError(
            f"feature map {spec.name}", f"was asked for on {n_qubits} qubits", "Prepare at least one column"
        )
    return archive(_family(spec).circuit(spec, n_qubits), spec.name)


def diagonal_form(spec: FeatureMapSpec, angles: FloatArray) -> DiagonalForm | None:
    """The same circuits as phases of (diagonal times Hadamard) layers, one row of phases a row of angles.

    Args:
        spec: The feature map.
        angles: Radians (bandwidth times prepared value), finite, shape `(n, n_qubits)`.

    Returns:
        The form, or None when the family is not diagonal (a Pauli string with X or Y).

    Raises:
        PlanError: For angles of another shape, NaN or infinite angles, or strings that do not fit the width.
    """
    angles = np.asarray(angles, dtype=np.float64)
    if angles.ndim != 2 or angles.shape[1] < 1 or not np.isfinite(angles).all():
        raise PlanError(
            f"feature map {spec.name}",
            f"angles of shape {angles.shape} are not a table of finite numbers",
            "Give one row a sample and one column a qubit, without NaN or infinity",
        )
    form = _family(spec).diagonal(spec, angles)
    return None if form is None else DiagonalForm(spec.reps, *form)


def _family(spec: FeatureMapSpec) -> FeatureMap:
    if spec.kind not in FEATURE_MAPS:
        raise PlanError(f"feature map kind {spec.kind}", "is not known", f"Use one of {', '.join(FEATURE_MAPS)}")
    return FEATURE_MAPS[spec.kind]
