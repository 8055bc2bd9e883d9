"""The small shared parts of providers."""

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers.base import all_pairs, installed, memory_fault, named_backends, require_support
from quantum_assets_tests.providers.workloads import IDEAL, ZZ, states_workload


class Never:
    """A provider that supports nothing."""

    name = "never"

    def supports(self, workload, profile):
        return "it never runs anything"

    def run(self, workload, profile):
        require_support(self, workload, profile)


def test_refusal_carries_the_reason_and_the_name():
    with pytest.raises(ProviderError, match="never: it never runs anything"):
        Never().run(states_workload(ZZ, 2, 2), IDEAL)


def test_pairs_a_device_would_run():
    assert [all_pairs(n) for n in (1, 2, 5)] == [0, 1, 10]


def test_versions_are_the_installed_ones():
    import numpy as np
    import qiskit

    assert installed("numpy", "qiskit") == {"numpy": np.__version__, "qiskit": qiskit.__version__}


def test_memory_is_refused_with_both_figures():
    assert memory_fault(10, 10) is None
    assert "6.50 GB" in memory_fault(6_500_000_000, 4_000_000_000)
    assert "4.00 GB" in memory_fault(6_500_000_000, 4_000_000_000)


def test_the_backends_to_choose_among_are_those_named_once_each_and_none_where_there_is_one():
    def named(backend, *alternatives):
        return named_backends(IDEAL.model_copy(update={"backend": backend, "alternatives": alternatives}))

    assert named("a", "b", "a", "b", "c") == ("a", "b", "c")
    assert named("a") == named("a", "a") == named(None) == named(None, "b") == ()
