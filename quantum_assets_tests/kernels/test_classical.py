"""Classical kernels equal scikit-learn's, and refuse what would not be a kernel."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.kernels.classical import KERNELS, linear, polynomial, rbf, squared_distances

POINTS = np.random.default_rng(0).normal(size=(40, 5))
IDS = tuple(f"s{i}" for i in range(40))


def test_they_equal_scikit_learn() -> None:
    from sklearn.metrics import pairwise

    np.testing.assert_allclose(rbf(POINTS, IDS, gamma=0.3).values, pairwise.rbf_kernel(POINTS, gamma=0.3), atol=1e-14)
    np.testing.assert_allclose(linear(POINTS, IDS).values, pairwise.linear_kernel(POINTS), atol=1e-13)
    np.testing.assert_allclose(
        polynomial(POINTS, IDS, gamma=0.2, degree=3, coef0=0.5).values,
        pairwise.polynomial_kernel(POINTS, gamma=0.2, degree=3, coef0=0.5),
        atol=1e-12,
    )


def test_parameters_travel_with_the_matrix() -> None:
    assert rbf(POINTS, IDS, gamma=0.3).parameters == {"gamma": 0.3}
    assert polynomial(POINTS, IDS, gamma=0.2).parameters == {"gamma": 0.2, "degree": 3.0, "coef0": 1.0}
    assert {name: make.__name__ for name, make in KERNELS.items()} == {name: name for name in KERNELS}


def test_small_distances_far_from_the_origin_keep_their_digits() -> None:
    base = 1e6 + np.array([[0.0], [1e-4], [3e-4]])
    expected = (base - base.T) ** 2
    np.testing.assert_allclose(squared_distances(base), expected, rtol=1e-6)
    assert (np.diag(squared_distances(POINTS)) == 0).all()
    assert squared_distances(POINTS[[1, 1]])[0, 1] == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("gamma", [0.0, -1.0, np.nan, np.inf])
def test_a_gamma_that_is_not_positive_is_refused(gamma: float) -> None:
    for kernel in (rbf, polynomial):
        with pytest.raises(PlanError, match="gamma"):
            kernel(POINTS, IDS, gamma=gamma)


def test_what_would_not_be_a_kernel_is_refused() -> None:
    with pytest.raises(PlanError, match="coef0 -1"):
        polynomial(POINTS, IDS, gamma=1.0, coef0=-1.0)
    with pytest.raises(PlanError, match="degree"):
        polynomial(POINTS, IDS, gamma=1.0, degree=0)
    holed = POINTS.copy()
    holed[3, 2] = np.nan
    for values in (holed, POINTS[:0], POINTS[0]):
        with pytest.raises(PlanError, match="table of finite numbers"):
            linear(values, IDS)
