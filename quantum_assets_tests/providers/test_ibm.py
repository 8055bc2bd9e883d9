"""Which of IBM's two places a profile means, and what is needed for it."""

import os

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Order
from quantum_assets.providers.ibm import IbmProvider
from quantum_assets_tests.providers.conformance import changed
from quantum_assets_tests.providers.ibm_service import Service, Wire
from quantum_assets_tests.providers.workloads import HARDWARE, MANAGED, ZZ, overlaps_workload

WORKLOAD = overlaps_workload(ZZ, 2, 2)


def never():
    raise AssertionError("connected")


def test_offline_jobs_and_the_services_jobs_are_told_apart():
    wire = Wire(at_once=True)
    provider = IbmProvider(environment={}, connect=lambda: Service(wire))
    here, there = Order("ab" * 16, (WORKLOAD,), MANAGED), Order("cd" * 16, (WORKLOAD,), HARDWARE)
    jobs = provider.submit(here), provider.submit(there)
    assert jobs[0] == "local-" + here.key
    assert len(wire.accepted) == 1
    for job, order in zip(jobs, (here, there), strict=True):
        assert provider.find(order) == job
        assert provider.status(job).state == "completed"
        (claim,) = provider.fetch(job, order)
        assert claim.effective.backend == order.profile.backend


def test_an_offline_job_connects_to_nothing():
    provider = IbmProvider(environment={}, connect=never)
    order = Order("ab" * 16, (WORKLOAD,), MANAGED)
    job = provider.submit(order)
    assert provider.status(job).state == "completed"
    assert provider.calibration(MANAGED).backend == "fake_manila"
    assert not provider.limits(MANAGED).hardware
    provider.cancel(job)
    assert provider.status(job).state == "unknown"
    assert provider.find(order) is None


def test_a_job_of_a_process_that_is_gone_is_unknown_and_its_order_can_be_run_again():
    order = Order("ab" * 16, (WORKLOAD,), MANAGED)
    job = IbmProvider(environment={}).submit(order)
    other = IbmProvider(environment={}, connect=never)
    assert other.find(order) is None
    assert other.status(job).state == "unknown"
    with pytest.raises(ProviderError, match="is not in this process") as caught:
        other.fetch(job, order)
    assert caught.value.retry


def test_a_device_needs_a_token_in_the_environment():
    assert "QISKIT_IBM_TOKEN is not set" in IbmProvider(environment={}).supports(WORKLOAD, HARDWARE)
    assert IbmProvider(environment={"QISKIT_IBM_TOKEN": "t"}).supports(WORKLOAD, HARDWARE) is None


def test_the_token_is_shown_nowhere():
    provider = IbmProvider(environment={"QISKIT_IBM_TOKEN": "planted-secret"})
    assert "planted-secret" not in repr(provider)
    assert IbmProvider().environment is os.environ


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (changed(MANAGED, backend=None), "names no backend"),
        (changed(MANAGED, backend="ibm_perth"), "offline copies of devices"),
        (changed(HARDWARE, backend="fake_manila"), "for mode managed"),
    ],
)
def test_mode_and_backend_must_fit(profile, words):
    assert words in IbmProvider(environment={"QISKIT_IBM_TOKEN": "t"}, connect=never).supports(WORKLOAD, profile)
