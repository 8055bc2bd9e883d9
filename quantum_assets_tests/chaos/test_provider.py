import numpy as np
import pytest

from quantum_assets.contracts.envelope import AdmittedResult, ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Order
from quantum_assets.trust.admit import admit
from quantum_assets_tests.chaos.errors import ERRORS, Killed
from quantum_assets_tests.chaos.faults import KINDS, Fault, Script
from quantum_assets_tests.chaos.provider import ChaosProvider, damaged
from quantum_assets_tests.chaos.witness import Witness, questions_of
from quantum_assets_tests.service.samples import TestClock, order
from quantum_assets_tests.trust.honest import (
    CIRCUITS,
    EXACT,
    envelope_for,
    overlaps_workload,
    samples_workload,
    states_workload,
)

PAID = CIRCUITS.model_copy(update={"providers": ("paid",), "backend": "here"})
ASKED = order(members=2, profile=PAID)


def chaos(*faults, **witness):
    return ChaosProvider(Witness(**witness), Script(faults))


def finished(provider):
    job = provider.inner.submit(ASKED)
    while provider.inner.status(job).state != "completed":
        continue
    return job


def test_without_faults_it_is_the_provider_that_it_wraps():
    provider = chaos()
    inner = provider.inner
    assert provider.name == inner.name
    assert provider.limits(PAID) == inner.limits(PAID)
    assert provider.versions(PAID) == inner.versions(PAID)
    assert provider.calibration(PAID) == inner.calibration(PAID)
    assert provider.supports(ASKED.workloads[0], PAID) is None
    job = provider.submit(ASKED)
    assert provider.find(ASKED) == job
    assert [provider.status(job).state for _ in range(3)] == ["queued", "running", "completed"]
    claims = provider.fetch(job, ASKED)
    assert all(isinstance(admit(c, w, PAID), AdmittedResult) for c, w in zip(claims, ASKED.workloads, strict=True))
    provider.cancel(job)
    assert provider.happened == []


@pytest.mark.parametrize("name", ["ibm_503_storm", "braket_throttling", "http_429", "os_reset"])
def test_an_error_before_anything_is_done(name):
    provider = chaos(Fault("submit", "raise", name))
    with pytest.raises(type(ERRORS[name]())):
        provider.submit(ASKED)
    assert provider.inner.books() == ()
    assert provider.submit(ASKED)


def test_a_hidden_status_survives_being_raised():
    provider = chaos(Fault("submit", "raise", "ibm_429"))
    with pytest.raises(Exception, match="Failed to run") as caught:
        provider.submit(ASKED)
    assert caught.value.__context__.status_code == 429


@pytest.mark.parametrize(("kind", "error"), [("lose", ConnectionResetError), ("die_after", Killed)])
def test_an_answer_that_is_lost_leaves_an_accepted_job(kind, error):
    provider = chaos(Fault("submit", kind, "os_reset"))
    with pytest.raises(error):
        provider.submit(ASKED)
    (job,) = provider.inner.books()
    assert provider.find(ASKED) == job.job


def test_a_death_before_the_call_leaves_nothing():
    provider = chaos(Fault("submit", "die"))
    with pytest.raises(Killed):
        provider.submit(ASKED)
    assert provider.inner.books() == ()


@pytest.mark.parametrize(("promised", "jobs"), [(True, 1), (False, 2)])
def test_a_request_that_is_delivered_twice(promised, jobs):
    provider = chaos(Fault("submit", "twice"), same_key_same_job=promised)
    provider.submit(ASKED)
    assert len(provider.inner.books()) == jobs


def test_a_delay_lets_the_clock_go_on():
    clock = TestClock()
    provider = ChaosProvider(Witness(), Script([Fault("status", "delay", seconds=40)]), clock.sleep)
    provider.status("nobody")
    assert clock() == 1040


def test_a_lookup_may_miss_what_is_there():
    provider = chaos(Fault("find", "miss"))
    job = provider.submit(ASKED)
    assert (provider.find(ASKED), provider.find(ASKED)) == (None, job)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("say_failed", "failed"), ("say_completed", "completed"), ("say_gibberish", "unknown"), ("say_lost", "unknown")],
)
def test_a_status_may_lie_once(kind, state):
    provider = chaos(Fault("status", kind))
    job = provider.submit(ASKED)
    assert [provider.status(job).state for _ in range(2)] == [state, "running"]
    assert provider.happened == [Fault("status", kind)]


FETCHED = sorted(kind for kind, calls in KINDS.items() if calls == {"fetch"})


@pytest.mark.parametrize("kind", FETCHED)
def test_damage_to_a_result_never_passes_as_the_last_answer(kind):
    """Whatever the damage, the last member is refused or not there; the others are as good as before."""
    provider = chaos(Fault("fetch", kind))
    job = finished(provider)
    claims, whole = provider.fetch(job, ASKED), provider.fetch(job, ASKED)
    good = [
        isinstance(claim, ResultEnvelope) and isinstance(admit(claim, workload, PAID), AdmittedResult)
        for claim, workload in zip(claims, ASKED.workloads, strict=False)
    ]
    if kind == "duplicate":
        assert len(claims) == 3
        assert claims[1] is claims[2]
    elif kind == "swap":
        assert good == [False, False]
    elif kind == "missing":
        assert good == [True]
    elif kind == "mocked":  # refused by the control plane, which reads the flag
        assert [claim.mocked for claim in claims] == [False, True]
    else:
        assert good == [True, False]
    assert all(isinstance(admit(c, w, PAID), AdmittedResult) for c, w in zip(whole, ASKED.workloads, strict=True))


@pytest.mark.parametrize("kind", ["truncate", "corrupt", "nan", "foreign", "mocked", "other_backend"])
def test_states_can_be_damaged_too(kind):
    profile = EXACT.model_copy(update={"backend": "here"})
    workload = states_workload()
    claim = envelope_for(workload, profile)
    claim = damaged((claim,), "none")[0]
    true = type(claim)(**{**vars(claim), "effective": claim.effective.model_copy(update={"backend": "here"})})
    assert isinstance(admit(true, workload, profile), AdmittedResult)
    (harmed,) = damaged((true,), kind)
    if kind != "mocked":
        assert not isinstance(admit(harmed, workload, profile), AdmittedResult)
    else:
        assert harmed.mocked
    np.testing.assert_array_equal(claim.data.amplitudes, true.data.amplitudes)  # the original is untouched


@pytest.mark.parametrize("kind", ["truncate", "corrupt", "nan", "foreign", "ignore_seed", "change_shots"])
def test_samples_can_be_damaged_too(kind):
    workload = samples_workload()
    true = envelope_for(workload, CIRCUITS)
    before = true.data.packed.copy()
    assert isinstance(admit(true, workload, CIRCUITS), AdmittedResult)
    (harmed,) = damaged((true,), kind)
    assert not isinstance(admit(harmed, workload, CIRCUITS), AdmittedResult)
    np.testing.assert_array_equal(true.data.packed, before)


def test_damage_needs_an_envelope():
    failed = (ProviderError("paid", "failed", "Ask again"),)
    assert damaged(failed, "nan") == failed


def test_kinds_that_are_well_are_not_noted():
    provider = chaos(Fault("submit", "well"))
    provider.submit(Order("b" * 32, (overlaps_workload(),), PAID))
    assert provider.happened == []


def test_which_answers_did_not_come_as_they_were_given():
    provider = chaos(Fault("fetch", "swap"), Fault("fetch", "corrupt"), Fault("fetch", "missing"))
    job = finished(provider)
    for known in ([], [1], [1]):
        provider.fetch(job, ASKED)
        assert provider.spoiled == {(job, questions_of(ASKED)[at]) for at in known}
