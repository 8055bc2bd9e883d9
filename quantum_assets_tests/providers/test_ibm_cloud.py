"""IBM's service, by the SDK's own classes over a stand-in of its wire: one order is one job, and is found again."""

from collections import deque

import numpy as np
import pytest

from quantum_assets.contracts.envelope import AdmittedResult
from quantum_assets.contracts.errors import BudgetError, ProviderError
from quantum_assets.contracts.failure import Action
from quantum_assets.contracts.jobs import Order
from quantum_assets.execution.classify import classify
from quantum_assets.execution.policy import read_policy
from quantum_assets.providers.device_noise import DeviceNoise
from quantum_assets.providers.fakes import two_qubit_error
from quantum_assets.providers.ibm import IbmProvider
from quantum_assets.providers.ibm_cloud import INSTANCE, TOKEN, service_of, tag_of
from quantum_assets.providers.measured import compiled_for
from quantum_assets.providers.samples import packed_bits, samples_zscore, unpacked_bits
from quantum_assets.trust.admit import admit
from quantum_assets_tests.providers.conformance import changed
from quantum_assets_tests.providers.ibm_service import DEVICE, Service, Wire, metrics
from quantum_assets_tests.providers.workloads import (
    HARDWARE,
    YY,
    ZZ,
    overlaps_workload,
    qaoa_circuit,
    samples_workload,
    swapping_circuit,
)

KEY = "ab" * 32


def provider_over(*wires, environment=None):
    """A provider that has just been made, as in another process: it connects anew and remembers nothing."""
    return IbmProvider(environment=environment or {}, connect=lambda: Service(*wires))


def an_order(*workloads, key=KEY, **update):
    return Order(key, workloads or (overlaps_workload(ZZ, 3, 3),), changed(HARDWARE, **update), correlation_id="c-1")


def completed(wire, seconds=3.0):
    for job in wire.accepted:
        job.state, job.metrics = {"status": "Completed"}, metrics(seconds)


def claims_of(wire, order):
    provider = provider_over(wire)
    job = provider.submit(order)
    completed(wire)
    return provider_over(wire).fetch(job, order)


def test_one_order_is_one_job_under_its_tag():
    wire, order = Wire(), an_order(overlaps_workload(ZZ, 3, 3), overlaps_workload(YY, 2, 3))
    job = provider_over(wire).submit(order)
    (accepted,) = wire.accepted
    assert (accepted.id, accepted.tags, accepted.backend) == (job, [tag_of(KEY)], DEVICE)
    assert accepted.params["quantum_program"]["shots"] == HARDWARE.shots
    assert len(accepted.params["quantum_program"]["items"]) == 2


def test_samples_come_back_bit_by_bit():
    """The stand-in samples with the noise of its fake: no exact value is in the claim, but here it is known."""
    workload = samples_workload(swapping_circuit(), 3, 3)
    order = an_order(workload, shots=2000, transpilation={"optimization_level": 3})
    (claim,) = claims_of(Wire(), order)
    backend = provider_over(Wire()).connect().backend(DEVICE)
    compiled = compiled_for(workload, order.profile.transpilation, backend)
    truth = DeviceNoise(backend).exact_outcomes(compiled, compiled.values(workload.bindings))
    assert claim.data.packed.shape == (3, 2000, 1)
    assert samples_zscore(claim.data.packed, truth) < 5
    exchanged = packed_bits(unpacked_bits(claim.data.packed, 3)[..., [1, 0, 2]])
    assert samples_zscore(exchanged, truth) > 6
    assert claim.crosscheck_zscore is None
    assert isinstance(admit(claim, workload, order.profile), AdmittedResult)


def test_overlaps_and_samples_of_one_circuit_share_an_order():
    circuit = qaoa_circuit(3)
    order = an_order(samples_workload(circuit, 2, 3), overlaps_workload(circuit, 2, 2))
    samples, overlaps = claims_of(Wire(), order)
    assert (samples.data.packed.shape, overlaps.data.p_zero.shape) == ((2, 256, 1), (4,))
    assert overlaps.metrics["compiled_two_qubit_gates"] > samples.metrics["compiled_two_qubit_gates"]


def test_another_process_finds_and_fetches_it():
    wire = Wire()
    order = an_order(overlaps_workload(ZZ, 3, 3), overlaps_workload(YY, 2, 3))
    job = provider_over(wire).submit(order)
    completed(wire, seconds=3.0)
    other = provider_over(wire)
    assert other.find(order) == job
    assert other.status(job).state == "completed"
    claims = other.fetch(job, order)
    for claim, workload in zip(claims, order.workloads, strict=True):
        assert claim.workload_fingerprint == workload.fingerprint
        assert claim.profile_fingerprint == order.profile.fingerprint
        assert claim.effective.differences(order.profile) == ()
        assert (claim.effective.mode, claim.effective.backend, claim.effective.seed) == ("hardware", DEVICE, None)
        assert (claim.job, claim.correlation_id, claim.mocked) == (job, "c-1", False)
        assert (claim.timings.queue, claim.timings.run) == (4.0, 3.0)
        assert claim.crosscheck_zscore is None
        assert claim.metrics["compiled_difference"] < 1e-8
        assert claim.metrics["compiled_depth"] > 0
        assert claim.calibration_digest == other.calibration(order.profile).digest
        assert claim.data.p_zero.shape == (len(workload.pairs),)
        own = claim.data.p_zero[workload.pairs[:, 0] == workload.pairs[:, 1]]
        assert own.min() > 0.5
    assert len(wire.accepted) == 1


def test_a_response_lost_after_the_job_was_accepted_leaves_a_job_that_is_found():
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    wire, order = Wire(), an_order()
    wire.after_accept.append(RequestsApiError("connection reset"))
    with pytest.raises(IBMRuntimeError) as caught:
        provider_over(wire).submit(order)
    assert caught.value.__context__.status_code == -1  # what the failure policy reads
    assert provider_over(wire).find(order) == wire.accepted[0].id
    assert len(wire.accepted) == 1


def test_a_refused_submission_leaves_nothing_to_find():
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    wire, order = Wire(), an_order()
    wire.faults["program_run"] = deque([RequestsApiError("slow down", status_code=429)])
    provider = provider_over(wire)
    with pytest.raises(IBMRuntimeError, match="slow down"):
        provider.submit(order)
    assert provider.find(order) is None
    assert provider.submit(order) == provider.find(order)


def test_a_look_up_that_fails_is_no_answer():
    """Saying none when the service did not answer would submit twice."""
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    wire, order = Wire(), an_order()
    provider_over(wire).submit(order)
    wire.faults["jobs_get"] = deque([RequestsApiError("too many 503 error responses")])
    with pytest.raises(RequestsApiError):
        provider_over(wire).find(order)


def test_of_two_jobs_under_one_tag_the_older_is_found():
    wire, order = Wire(), an_order()
    provider = provider_over(wire)
    first, second = provider.submit(order), provider.submit(order)
    assert first != second
    assert provider.find(order) == first


def test_a_job_in_another_instance_is_found_unless_the_account_is_narrowed_to_one():
    elsewhere, here = Wire(1), Wire(0, device="ibm_other")
    order = an_order()
    job = provider_over(elsewhere).submit(order)
    assert provider_over(here, elsewhere).find(order) == job
    assert provider_over(here, elsewhere, environment={INSTANCE: "i0"}).find(order) is None
    assert provider_over(here, elsewhere).status(job).state == "queued"


@pytest.mark.parametrize(
    ("told", "state", "raw"),
    [
        ({"status": "Queued"}, "queued", "QUEUED"),
        ({"status": "Running"}, "running", "RUNNING"),
        ({"status": "Completed"}, "completed", "DONE"),
        ({"status": "Cancelled"}, "cancelled", "CANCELLED"),
        ({"status": "Pondering"}, "unknown", "PONDERING"),
    ],
)
def test_states_in_our_words(told, state, raw):
    wire = Wire()
    provider = provider_over(wire)
    job = provider.submit(an_order())
    wire.accepted[0].state = told
    status = provider.status(job)
    assert (status.state, status.raw, status.code, status.message) == (state, raw, "", "")


def test_a_status_that_is_an_enum_is_understood():
    from qiskit.providers import JobStatus as Word

    class Job:
        def status(self):
            return Word.VALIDATING

        def metrics(self):
            return {}

    class Asked:
        def job(self, job_id):
            return Job()

    assert IbmProvider(environment={}, connect=Asked).status("d1").state == "queued"


@pytest.mark.parametrize(("status", "code"), [("Failed", 6000), ("Cancelled", 1305)])
def test_a_failure_has_the_vendors_code_and_words(status, code):
    wire = Wire()
    provider = provider_over(wire)
    job = provider.submit(an_order())
    wire.accepted[0].state = {"status": status, "reason": "too many shots", "reasonCode": code}
    wire.accepted[0].results = "Traceback: deep inside"
    told = provider.status(job)
    assert (told.state, told.code) == ("failed", str(code))
    assert "too many shots" in told.message or "deep inside" in told.message


def test_queue_position_and_seconds_as_far_as_they_are_told():
    wire = Wire()
    provider = provider_over(wire)
    job = provider.submit(an_order())
    assert (provider.status(job).queue_position, provider.status(job).seconds) == (None, {})
    wire.accepted[0].metrics = metrics(position=7)
    assert (provider.status(job).queue_position, provider.status(job).seconds) == (7, {"queue": 4.0})
    wire.accepted[0].metrics = metrics(2.5)
    assert provider.status(job).seconds == {"queue": 4.0, "run": 2.5, "quantum": 2.5}
    assert provider.status(job).charge is None


def test_no_state_is_lost_over_figures():
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    wire = Wire()
    provider = provider_over(wire)
    job = provider.submit(an_order())
    completed(wire)
    wire.faults["job_metadata"] = deque([RequestsApiError("gone")])
    status = provider.status(job)
    assert (status.state, status.seconds) == ("completed", {})


def test_a_network_failure_while_asking_is_the_vendors_own_exception():
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    wire = Wire()
    provider = provider_over(wire)
    job = provider.submit(an_order())
    wire.faults["job_get"] = deque([RequestsApiError("bad gateway", status_code=502)])
    with pytest.raises(IBMRuntimeError):
        provider.status(job)


def test_a_job_that_failed_or_was_cancelled_has_no_result():
    from qiskit_ibm_runtime.exceptions import (
        RuntimeInvalidStateError,
        RuntimeJobFailureError,
        RuntimeJobMaxTimeoutError,
    )

    wire, order = Wire(), an_order()
    provider = provider_over(wire)
    job = provider.submit(order)
    wire.accepted[0].results = "Traceback: deep inside"
    for told, kind in [
        ({"status": "Failed"}, RuntimeJobFailureError),
        ({"status": "Cancelled"}, RuntimeInvalidStateError),
        ({"status": "Cancelled", "reason": "ran too long", "reasonCode": 1305}, RuntimeJobMaxTimeoutError),
    ]:
        wire.accepted[0].state = told
        with pytest.raises(kind):
            provider.fetch(job, order)


def test_a_result_is_never_waited_for_without_an_end():
    class Job:
        def result(self, timeout):
            assert 0 < timeout <= 120
            raise TimeoutError("asked with an end")

    class Asked:
        def job(self, job_id):
            return Job()

    with pytest.raises(TimeoutError, match="asked with an end"):
        IbmProvider(environment={}, connect=Asked).fetch("d1", an_order())


def test_a_short_answer_fails_only_what_it_lacks():
    wire, order = Wire(), an_order(overlaps_workload(ZZ, 3, 3), overlaps_workload(YY, 2, 3))

    def shorten(answers, described):
        del answers[1]
        del described["post_processor"]["circuits_metadata"][1]

    wire.edit = shorten
    first, second = claims_of(wire, order)
    assert first.workload_fingerprint == order.workloads[0].fingerprint
    assert isinstance(second, ProviderError)
    assert "holds 1 results, and number 2 was ordered" in second.problem
    assert second.retry


def test_an_answer_to_another_question_says_so_itself():
    wire, order = Wire(), an_order(overlaps_workload(ZZ, 3, 3), overlaps_workload(YY, 2, 3))
    wire.edit = lambda answers, described: (
        answers.reverse(),
        described["post_processor"]["circuits_metadata"].reverse(),
    )
    claims = claims_of(wire, order)
    asked = [workload.fingerprint for workload in order.workloads]
    assert [claim.workload_fingerprint for claim in claims] == asked[::-1]


def test_an_answer_that_does_not_say_what_it_answers_claims_nothing():
    wire = Wire()
    wire.edit = lambda answers, described: described["post_processor"].pop("circuits_metadata")
    (claim,) = claims_of(wire, an_order())
    assert (claim.workload_fingerprint, claim.profile_fingerprint) == ("", "")
    assert claim.effective.transpilation is None


def test_an_answer_without_its_register_fails_alone():
    wire, order = Wire(), an_order(overlaps_workload(ZZ, 3, 3), overlaps_workload(YY, 2, 3))
    wire.edit = lambda answers, described: answers[0].update(other=answers[0].pop("meas"))
    first, second = claims_of(wire, order)
    assert isinstance(first, ProviderError)
    assert "cannot be read" in first.problem
    assert second.workload_fingerprint == order.workloads[1].fingerprint


def test_fewer_shots_than_asked_are_counted():
    wire, order = Wire(), an_order()
    wire.edit = lambda answers, described: answers[0].update(meas=answers[0]["meas"][:, :200])
    (claim,) = claims_of(wire, order)
    assert claim.effective.differences(order.profile) == ("shots: asked for 256, ran with 200",)


def test_made_up_results_of_a_mock_are_marked():
    wire = Wire(device="mock_perth")
    (claim,) = claims_of(wire, an_order(backend="mock_perth"))
    assert claim.mocked
    assert claim.effective.mode == "managed"


def test_time_used_up_is_an_error_before_anything_is_submitted():
    wire = Wire()
    wire.usage = {"usage_limit_reached": True, "usage_limit_seconds": 600, "usage_consumed_seconds": 600}
    with pytest.raises(BudgetError, match="has met its usage limit"):
        provider_over(wire).submit(an_order())
    wire.usage = {"usage_limit_reached": True}
    with pytest.raises(BudgetError, match="no more time available"):
        provider_over(wire).submit(an_order())
    assert wire.accepted == []


def test_an_unknown_device_is_the_vendors_own_exception():
    from qiskit.providers.exceptions import QiskitBackendNotFoundError

    with pytest.raises(QiskitBackendNotFoundError):
        provider_over(Wire()).submit(an_order(backend="ibm_nowhere"))


@pytest.mark.parametrize("narrowed", [False, True])
def test_trouble_in_listing_backends_is_no_missing_device_and_is_not_remembered(narrowed):
    """The SDK makes an empty list of the 503, and without an instance it keeps that list for ever."""
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    wire = Wire()
    provider = narrowed_to(wire) if narrowed else provider_over(wire)
    wire.faults["list_backends"] = deque([RequestsApiError("503 Service Unavailable", status_code=503)])
    with pytest.raises(ProviderError, match=f"whether {DEVICE} is there is not known") as caught:
        provider.submit(an_order())
    assert classify(caught.value, provider="ibm", phase="submit", policy=read_policy()).rule.action is Action.RETRY
    assert provider.submit(an_order()) == wire.accepted[0].id


def test_an_instance_that_lists_nothing_is_named_however_often_it_is_asked():
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    here, there = Wire(), Wire(1, OTHER, "fake_oslo")
    provider = provider_over(here, there)
    there.faults["list_backends"] = deque([RequestsApiError("503 Service Unavailable", status_code=503)] * 4)
    for _ in range(2):
        with pytest.raises(ProviderError, match=there._instance) as caught:
            provider.submit(an_order(backend=OTHER))
        assert caught.value.retry
    assert provider.submit(an_order(backend=OTHER)) == there.accepted[0].id
    assert here.accepted == []


def narrowed_to(wire):
    """A provider whose account names one instance."""

    def connect():
        service = Service(wire)
        service._account.instance, service._default_instance = wire._instance, True
        return service

    return IbmProvider(environment={INSTANCE: wire._instance}, connect=connect)


def test_cancelling_reaches_the_service_and_is_harmless_afterwards():
    wire = Wire()
    provider = provider_over(wire)
    job = provider.submit(an_order())
    provider.cancel(job)
    assert wire.accepted[0].cancelled
    assert provider.status(job).state == "cancelled"
    provider.cancel(job)  # 409, already ended
    provider.cancel("d0000000000000000099")  # 404


def test_a_recalibration_changes_the_digest():
    wire = Wire()
    before = provider_over(wire).calibration(HARDWARE)
    assert (before.backend, before.version) == (DEVICE, "1.2.11")
    wire.fake = "fake_nairobi"
    assert provider_over(wire).calibration(HARDWARE).digest != before.digest


def test_limits_are_those_of_the_service():
    limits = provider_over(Wire()).limits(HARDWARE)
    assert limits.max_circuits * HARDWARE.shots <= 10_000_000 < (limits.max_circuits + 1) * HARDWARE.shots
    assert (limits.durable, limits.hardware, limits.same_key_same_job) == (True, True, False)
    assert (limits.bills, limits.meters) == (False, True)


def test_connecting_needs_a_token_and_says_which():
    with pytest.raises(ProviderError, match=TOKEN):
        service_of({})


def test_samples_of_two_workloads_with_one_circuit_are_the_devices_own():
    wire = Wire()
    pairs = np.array([(0, 1)] * 30)
    one, other = (overlaps_workload(ZZ, 3, 3, pairs[:n]) for n in (29, 30))
    first, second = claims_of(wire, an_order(one, other))
    assert not np.array_equal(first.data.p_zero, second.data.p_zero[:29])


def test_credentials_come_from_the_environment_and_from_nowhere_else(monkeypatch):
    import qiskit_ibm_runtime

    asked = []
    monkeypatch.setattr(qiskit_ibm_runtime, "QiskitRuntimeService", lambda **options: asked.append(options))
    service_of({TOKEN: "t"})
    service_of({TOKEN: "t", INSTANCE: "crn:x", "QISKIT_IBM_CHANNEL": "ibm_cloud", "QISKIT_IBM_URL": "https://u"})
    service_of({TOKEN: "t", INSTANCE: ""})
    # a token given by hand keeps the SDK from reading a saved account
    assert asked == [
        {"token": "t", "channel": "ibm_quantum_platform"},
        {"token": "t", "channel": "ibm_cloud", "instance": "crn:x", "url": "https://u"},
        {"token": "t", "channel": "ibm_quantum_platform"},
    ]


# ----------------------------------------------------------------------------------------- its backends


OTHER = "ibm_oslo"
EITHER = changed(HARDWARE, alternatives=[OTHER, "fake_manila"])


def test_it_tells_width_pending_jobs_and_error_of_the_devices_that_are_named():
    here, there = Wire(), Wire(1, OTHER, "fake_oslo")
    there.pending = 40
    told = provider_over(here, there).backends(EITHER)
    assert [(fact.name, fact.n_qubits, fact.queue) for fact in told] == [(DEVICE, 7, 3), (OTHER, 7, 40)]
    assert [fact.error for fact in told] == [two_qubit_error(wire.backend_files()) for wire in (here, there)]
    assert all(0.001 < fact.error < 0.1 for fact in told)


def test_a_device_that_is_not_operational_is_left_out():
    here, there = Wire(), Wire(1, OTHER, "fake_oslo")
    here.operational = False
    assert [fact.name for fact in provider_over(here, there).backends(EITHER)] == [OTHER]


def test_what_the_sdk_raises_about_a_backend_comes_through():
    from qiskit.providers.exceptions import QiskitBackendNotFoundError
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    with pytest.raises(QiskitBackendNotFoundError):
        provider_over(Wire()).backends(EITHER)
    wire = Wire(1, OTHER, "fake_oslo")
    wire.faults["backend_properties"] = deque([RequestsApiError("503", status_code=503)] * 9)
    with pytest.raises(Exception, match="503"):
        provider_over(Wire(), wire).backends(EITHER)
