"""A product of one-qubit matrices, in blocks and in columns, is the Kronecker product."""

import numpy as np
import pytest

from quantum_assets.qaoa.product import apply_product, rotation, scratch


def by_qubit(plane: np.ndarray, factors: list[np.ndarray]) -> np.ndarray:
    """One qubit at a time by einsum; an independent way to the same product."""
    n = len(factors)
    tensor = plane.reshape((2,) * n)
    for qubit, factor in enumerate(factors):
        axis = n - 1 - qubit
        tensor = np.moveaxis(np.tensordot(factor, tensor, axes=(1, axis)), 0, axis)
    return tensor.reshape(-1)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9, 13, 14, 15, 16, 19])
def test_different_real_matrices_on_two_planes(n: int) -> None:
    generator = np.random.default_rng(n)
    factors = list(generator.normal(size=(n, 2, 2)))
    planes = generator.normal(size=(2, 1 << n))
    wanted = [by_qubit(plane, factors) for plane in planes]
    apply_product(planes, factors, scratch(planes))
    np.testing.assert_allclose(planes, wanted, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("n", [1, 3, 6, 14, 17])
def test_complex_matrices_on_one_plane(n: int) -> None:
    generator = np.random.default_rng(n)
    factors = list(generator.normal(size=(n, 2, 2)) + 1j * generator.normal(size=(n, 2, 2)))
    planes = generator.normal(size=(1, 1 << n)) + 1j * generator.normal(size=(1, 1 << n))
    wanted = by_qubit(planes[0], factors)
    apply_product(planes, factors, scratch(planes))
    np.testing.assert_allclose(planes[0], wanted, rtol=1e-10, atol=1e-8)


def test_blocks_are_announced_once_each_and_in_order() -> None:
    planes = np.ones((2, 1 << 16))
    seen: list[tuple[int, int]] = []
    apply_product(planes, [np.eye(2)] * 16, scratch(planes), lambda start, stop: seen.append((start, stop)))
    assert [start for start, _ in seen] == [0, *(stop for _, stop in seen[:-1])]
    assert seen[-1][1] == 1 << 16
    np.testing.assert_array_equal(planes, 1.0)


def test_the_real_rotation_is_the_x_mixer_in_other_phases() -> None:
    beta = 0.37
    wanted = np.array([[np.cos(beta), -1j * np.sin(beta)], [-1j * np.sin(beta), np.cos(beta)]])
    phases = np.diag([1, 1j])
    np.testing.assert_allclose(phases @ rotation(beta) @ phases.conj(), wanted, atol=1e-15)
