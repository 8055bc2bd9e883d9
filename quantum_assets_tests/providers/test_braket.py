"""The provider as profiles see it: what it takes, what it refuses, and its local simulators end to end."""

import os
import subprocess
import sys

import numpy as np
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.braket import BraketProvider
from quantum_assets_tests.providers.braket_service import GARNET, LOCAL, SV1, changed
from quantum_assets_tests.providers.workloads import (
    CIRCUITS,
    ZZ,
    nested_circuit,
    overlaps_workload,
    states_workload,
    swapping_circuit,
)

KEY = "ab" * 32


@pytest.mark.parametrize("backend", ["braket_sv", "braket_dm"])
@pytest.mark.parametrize("spec", [ZZ, swapping_circuit(), nested_circuit()])
def test_local_simulators_do_what_was_asked(backend, spec):
    pairs = [(0, 0), (0, 1), (1, 1), (2, 0)]
    workload, profile = overlaps_workload(spec, 3, 3, pairs), changed(backend=backend, transpilation=Transpilation())
    envelope = BraketProvider().run(workload, profile)
    assert envelope.effective.differences(profile) == ()
    assert (envelope.effective.backend, envelope.effective.seed, envelope.effective.shots) == (backend, 5, 512)
    assert envelope.crosscheck_zscore < 4
    assert envelope.metrics["compiled_difference"] < 1e-12
    assert envelope.effective.versions["amazon-braket-default-simulator"]
    np.testing.assert_array_equal(envelope.data.p_zero[[0, 2]], 1.0)  # the diagonal of an ideal machine


def test_replicates_and_workloads_draw_independently():
    provider, workload = BraketProvider(), overlaps_workload(ZZ, 3, 2)
    runs = [provider.run(workload, LOCAL, replicate) for replicate in (0, 1, 0)]
    assert np.array_equal(runs[0].data.p_zero, runs[2].data.p_zero)
    assert not np.array_equal(runs[0].data.p_zero, runs[1].data.p_zero)
    twice = provider.run(overlaps_workload(ZZ, 3, 2, [(0, 1)] * 8), LOCAL)
    assert len(set(twice.data.p_zero)) > 1


@pytest.mark.slow
def test_another_process_draws_the_same():
    code = (
        "from quantum_assets_tests.providers.test_braket import *\n"
        "print(BraketProvider().run(overlaps_workload(ZZ, 3, 2), LOCAL).data.p_zero.tolist())"
    )
    env = dict(os.environ, PYTHONHASHSEED="77")
    there = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    here = BraketProvider().run(overlaps_workload(ZZ, 3, 2), LOCAL).data.p_zero.tolist()
    assert there.strip() == str(here)


def test_the_global_generator_is_left_alone():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    BraketProvider().run(overlaps_workload(ZZ, 2, 2), LOCAL)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_a_local_job_lives_in_this_process():
    provider = BraketProvider()
    order = Order(KEY, (overlaps_workload(ZZ, 2, 2), overlaps_workload(ZZ, 3, 2)), LOCAL)
    assert provider.find(order) is None
    job = provider.submit(order)
    assert provider.find(order) == job
    assert provider.status(job).state == "completed"
    claims = provider.fetch(job, order)
    assert [claim.workload_fingerprint for claim in claims] == [w.fingerprint for w in order.workloads]
    assert provider.status(job).state == "unknown"
    provider.cancel(job)
    with pytest.raises(ProviderError, match="not in this process"):
        provider.fetch(job, order)


def test_promises_by_kind_of_backend():
    provider = BraketProvider()
    local = provider.limits(LOCAL)
    simulator = provider.limits(changed(backend=SV1, reproducible=False))
    device = provider.limits(changed(backend=GARNET, mode="hardware", reproducible=False))
    assert [limits.durable for limits in (local, simulator, device)] == [False, True, True]
    assert [limits.hardware for limits in (local, simulator, device)] == [False, False, True]
    assert all(limits.same_key_same_job for limits in (local, simulator, device))
    assert simulator.max_shots == 100_000
    assert provider.calibration(LOCAL) is None


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (changed(backend=None), "names no backend"),
        (changed(backend="braket_xy"), "neither of braket_sv"),
        (changed(backend="arn:aws:s3:::bucket"), "neither of braket_sv"),
        (changed(backend=SV1), "reproducible: false"),
        (changed(backend=GARNET, reproducible=False), "in mode hardware"),
        (changed(backend=SV1, mode="hardware", reproducible=False), "in mode managed"),
        (changed(transpilation=Transpilation(basis_gates=("rz", "sx", "ccx"))), "ccx"),
        (CIRCUITS.model_copy(update={"backend": "braket_sv"}), "profile's mode is ideal"),
    ],
)
def test_refuses_in_words(profile, words):
    workload = overlaps_workload(ZZ, 2, 2)
    reason = BraketProvider().supports(workload, profile)
    assert words in reason
    with pytest.raises(ProviderError) as caught:
        BraketProvider().submit(Order(KEY, (workload,), profile))
    assert caught.value.problem == reason


def test_refuses_what_does_not_fit():
    provider = BraketProvider()
    assert "measures states" in provider.supports(states_workload(ZZ, 2, 2), LOCAL)
    assert "no pairs" in provider.supports(overlaps_workload(ZZ, 2, 2, np.empty((0, 2), dtype=np.int64)), LOCAL)
    wide = overlaps_workload(ZZ, 2, 14)
    assert "at most 13 qubits" in provider.supports(wide, changed(backend="braket_dm"))
    tiny = changed(guardrails=LOCAL.guardrails.model_copy(update={"max_memory_bytes": 1_000_000}))
    assert provider.supports(overlaps_workload(ZZ, 2, 2), tiny) is None
    assert "max_memory_bytes" in provider.supports(wide, tiny)


def test_wide_basis_of_a_device_is_its_own_business():
    hardware = changed(
        backend=GARNET, mode="hardware", reproducible=False, transpilation=Transpilation(basis_gates=("anything",))
    )
    assert BraketProvider().supports(overlaps_workload(ZZ, 2, 2), hardware) is None


def test_a_cloud_workload_does_not_run_in_process():
    with pytest.raises(ProviderError, match="Submit an order"):
        BraketProvider().run(overlaps_workload(ZZ, 2, 2), changed(backend=SV1, reproducible=False))


def test_without_the_sdk_it_says_how_to_install_it(tmp_path):
    code = """
import sys
from importlib.abc import MetaPathFinder
class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("braket", "qiskit_braket_provider", "boto3"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from importlib import util
real = util.find_spec
import quantum_assets.providers.extras as extras
extras.find_spec = lambda name: None if name == "qiskit_braket_provider" else real(name)
from quantum_assets_tests.providers.test_braket import BraketProvider, LOCAL, ZZ, overlaps_workload
print(BraketProvider().supports(overlaps_workload(ZZ, 2, 2), LOCAL))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "quantum_assets[braket]"' in done.stdout
