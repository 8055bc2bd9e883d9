"""Exact overlaps equal Qiskit's own, pair by pair, and the trust boundary admits them."""

import numpy as np

from quantum_assets.contracts.envelope import Overlaps
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import IntArray
from quantum_assets.kernels.plan import plan_overlaps
from quantum_assets.providers.exact_overlaps import overlaps_of
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.statevector import StatevectorProvider
from quantum_assets.providers.tile import qiskit_states
from quantum_assets.trust.admit import require
from quantum_assets_tests.providers.workloads import IDEAL


def test_every_pair_is_the_squared_inner_product() -> None:
    workload = plan_overlaps(FeatureMapSpec(kind="zz", reps=2), 0.7, np.random.default_rng(2).normal(size=(4, 3)))
    assert workload.pairs is not None
    envelope = StatevectorProvider().run(workload, IDEAL)
    states = qiskit_states(circuit_of(workload.circuit), workload.bindings)
    expected = [abs(np.vdot(states[b], states[a])) ** 2 for a, b in workload.pairs]
    assert isinstance(envelope.data, Overlaps)
    np.testing.assert_allclose(envelope.data.p_zero, expected, atol=1e-12)
    assert envelope.circuits_run == 0
    assert require(envelope, workload, IDEAL).checks


def test_long_lists_of_pairs_are_worked_off_in_pieces() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(40, 1024)) + 1j * rng.normal(size=(40, 1024))
    states = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    pairs: IntArray = rng.integers(0, 40, size=(3000, 2))
    found = overlaps_of(states, pairs)
    whole = np.abs(states.conj() @ states.T) ** 2
    np.testing.assert_allclose(found, whole[pairs[:, 1], pairs[:, 0]], atol=1e-12)
