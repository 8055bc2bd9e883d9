"""Orders in the cloud, through the vendor's own client: only the wire is a stand-in."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.envelope import AdmittedResult
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Order
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.execution.answering import submit
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.turning import turn_ledger
from quantum_assets.providers.braket import BraketProvider
from quantum_assets.providers.braket_circuits import ideal_tile
from quantum_assets.providers.braket_cloud import BraketCloud, aws_session
from quantum_assets.providers.samples import packed_bits, samples_zscore, unpacked_bits
from quantum_assets.trust.admit import admit
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.execution.fakes import trust
from quantum_assets_tests.providers.braket_service import GARNET, SMALL, SV1, Service, changed, garnet, sv1
from quantum_assets_tests.providers.workloads import overlaps_workload, samples_workload, swapping_circuit

KEY = "0f" * 32
WORKLOADS = (
    overlaps_workload(SMALL, 2, 2, [(0, 0), (0, 1), (1, 1)]),
    overlaps_workload(SMALL, 3, 2, [(0, 1), (2, 2)]),
)


def profile(backend: str = SV1) -> ExecutionProfile:
    return changed(
        backend=backend,
        mode="hardware" if "qpu" in backend else "managed",
        shots=256,
        reproducible=False,
        guardrails={"crosscheck_rows": 2},
    )


def order(backend: str = SV1, workloads=WORKLOADS, key: str = KEY) -> Order:
    return Order(key, workloads, profile(backend), correlation_id="c-1")


def service(**capabilities) -> Service:
    return Service({SV1: sv1(), GARNET: garnet(**capabilities)})


def provider(wire: Service) -> BraketProvider:
    return BraketProvider(cloud=BraketCloud(wire.session))


def vendor_error(caught) -> str:
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize(("backend", "program_sets", "n_tasks"), [(SV1, None, 5), (GARNET, None, 5), (GARNET, 2, 3)])
def test_an_order_comes_back_whole(backend, program_sets, n_tasks):
    wire = service(program_sets=program_sets)
    asked = order(backend)
    job = provider(wire).submit(asked)
    assert len(wire.accepted) == n_tasks
    assert provider(wire).status(job).state == "queued"
    wire.run()
    assert provider(wire).status(job).state == "completed"
    first, second = provider(wire).fetch(job, asked)  # another process knows nothing but the job and the order
    for claim, workload in zip((first, second), WORKLOADS, strict=True):
        assert claim.workload_fingerprint == workload.fingerprint
        assert claim.profile_fingerprint == asked.profile.fingerprint
        assert claim.effective.differences(asked.profile) == ()
        assert (claim.effective.backend, claim.effective.seed, claim.effective.shots) == (backend, None, 256)
        assert claim.data.p_zero.shape == (len(workload.pairs),)
        assert (claim.job, claim.correlation_id) == (job, "c-1")
        assert claim.metrics["compiled_difference"] < 1e-12
        assert claim.metrics["total_shots"] == 256 * len(workload.pairs)
    assert first.metrics["tasks"] + second.metrics["tasks"] == n_tasks
    np.testing.assert_array_equal(first.data.p_zero[[0, 2]], 1.0)
    assert second.data.p_zero[1] == 1.0
    assert second.data.p_zero[0] < 0.9


@pytest.mark.parametrize(("backend", "program_sets"), [(SV1, None), (GARNET, None), (GARNET, 2)])
def test_samples_come_back_bit_by_bit(backend, program_sets):
    """The stand-in is noiseless: what a device returns must follow the ideal outcomes, wherever qubits were put."""
    workload = samples_workload(swapping_circuit(), 3, 3)
    wire, level = service(program_sets=program_sets), {"optimization_level": 3}
    asked = replace(
        order(backend, (workload,)), profile=changed(**profile(backend).model_dump() | {"transpilation": level})
    )
    job = provider(wire).submit(asked)
    wire.run()
    (claim,) = provider(wire).fetch(job, asked)
    _, ideal = ideal_tile(workload, 3)
    assert claim.data.packed.shape == (3, 256, 1)
    assert samples_zscore(claim.data.packed, ideal) < 5
    exchanged = packed_bits(unpacked_bits(claim.data.packed, 3)[..., [1, 0, 2]])
    assert samples_zscore(exchanged, ideal) > 6
    assert isinstance(admit(claim, workload, asked.profile), AdmittedResult)


def test_simulators_are_crosschecked_by_samples_and_devices_by_circuit():
    for backend in (SV1, GARNET):
        wire = service()
        job = provider(wire).submit(order(backend))
        wire.run()
        claim, _ = provider(wire).fetch(job, order(backend))
        if backend == SV1:
            assert claim.crosscheck_zscore < 5
            assert claim.crosscheck_difference is None
            assert claim.calibration_digest is None
        else:
            assert claim.crosscheck_zscore is None
            assert claim.crosscheck_difference is None
            assert claim.metrics["compiled_difference"] < 1e-12
            assert len(claim.calibration_digest) == 64


def test_tasks_carry_token_tags_bucket_and_no_rewiring_on_devices():
    wire = service()
    provider(wire).submit(order(GARNET))
    task = wire.accepted[0]
    assert len(task["token"]) == 64
    assert task["tags"]["quantum-assets-order"] == KEY
    assert task["tags"]["quantum-assets-correlation"] == "c-1"
    assert task["outputS3Directory"].startswith(f"quantum-assets/{KEY}/")
    assert '"disableQubitRewiring": true' in task["deviceParameters"]
    assert "#pragma braket verbatim" in task["action"]


def test_the_same_key_is_the_same_job():
    wire = service()
    jobs = {provider(wire).submit(order()) for _ in range(2)}
    assert len(jobs) == 1
    assert len(wire.accepted) == 5
    provider(wire).submit(order(key="1e" * 32))
    assert len(wire.accepted) == 10


def test_a_crash_half_way_is_completed_by_submitting_again():
    from botocore.exceptions import ClientError

    wire = service()
    wire.faults["create"] = [None, None, None, (400, "ServiceQuotaExceededException")]
    with pytest.raises(ClientError) as caught:
        provider(wire).submit(order())
    assert vendor_error(caught) == "ServiceQuotaExceededException"
    assert len(wire.accepted) == 3
    assert provider(wire).find(order()) is None  # a part of an order is not a job
    assert provider(wire).remains(order(key="1e" * 32)) is None
    part = provider(wire).remains(order())
    assert provider(wire).status(part).raw == "3 CREATED"
    job = provider(wire).submit(order())
    assert len(wire.accepted) == 5
    wire.run()
    assert not any(isinstance(claim, ProviderError) for claim in provider(wire).fetch(job, order()))
    assert (provider(wire).remains(order()), provider(wire).status(job).circuits) == (job, 5)
    assert provider(wire).remains(order("braket_sv")) is None


@pytest.mark.parametrize("fault", [(424, "DeviceOfflineException"), (400, "ValidationException")])
@pytest.mark.parametrize("ran", [0, 1, 2])
def test_what_an_order_that_was_cut_off_and_given_up_made_is_ended_and_paid_for_by_task(tmp_path, fault, ran):
    """Two tasks of three were accepted; so many of them ran before somebody looked."""
    wire, clock = service(), ManualClock()
    plane = ControlPlane.in_home(
        tmp_path,
        {"braket": lambda: provider(wire)},
        trust,
        budgets={"default": Budget(hardware_per_month=1000.0)},
        clock=clock,
    )
    plane.ledger.approve("default", "hardware", by="ada", reason="test")
    wire.faults["create"] = [None, None, fault]
    later = profile(GARNET).model_copy(update={"asynchronous": True})
    submit(plane, [Request(workload=WORKLOADS[0], profile=later, study="s", partition="p")])
    assert len(wire.accepted) == 2
    for task in wire.accepted[:ran]:
        task["status"] = "COMPLETED"
    cursor = ""
    for _ in range(6):
        clock.advance(20)
        cursor = turn_ledger(plane, cursor=cursor).cursor
    assert [task["status"] for task in wire.accepted] == ["COMPLETED"] * ran + ["CANCELLED"] * (2 - ran)
    (purse,) = plane.ledger.spending()
    assert (purse.settled, purse.reserved) == (ran * (300_000 + 256 * 1_450), 0)
    assert [row.state for row in plane.ledger.orders()] == ["settled"]
    assert plane.ledger.check() == ()


def test_a_lost_answer_is_found_by_tag_among_the_tasks_of_others():
    wire = service()
    provider(wire).submit(order(key="aa" * 32))
    job = provider(wire).submit(order())
    provider(wire).submit(order(key="bb" * 32))
    wire.create(
        None,
        {
            "clientToken": "t",
            "action": "{}",
            "deviceArn": SV1,
            "shots": 1,
            "outputS3Bucket": "b" * 3,
            "outputS3KeyPrefix": "k",
        },
    )
    assert provider(wire).find(order()) == job
    assert provider(wire).find(order(key="cc" * 32)) is None
    wire.visible = False  # the search lags behind
    assert provider(wire).find(order()) is None
    assert provider(wire).submit(order()) == job


def test_nothing_is_made_when_one_workload_is_refused_or_compiles_wrongly():
    wire = service()
    bad = overlaps_workload(SMALL, 2, 2, np.empty((0, 2), dtype=np.int64))
    with pytest.raises(ProviderError, match="no pairs"):
        provider(wire).submit(order(workloads=(WORKLOADS[0], bad)))
    assert wire.accepted == []


def test_a_failed_task_fails_its_workload_alone():
    wire = service()
    job = provider(wire).submit(order())
    wire.accepted[1].update(status="FAILED", failureReason="the service had a bad day")
    wire.run()
    status = provider(wire).status(job)
    assert (status.state, status.message) == ("completed", "the service had a bad day")
    first, second = provider(wire).fetch(job, order())
    assert isinstance(first, ProviderError)
    assert "bad day" in first.problem
    assert first.retry
    assert second.workload_fingerprint == WORKLOADS[1].fingerprint


def drop_shots(content):
    content["measurements"] = content["measurements"][:100]


def drop_everything(content):
    content.clear()


@pytest.mark.parametrize(("edit", "words"), [(drop_shots, "shots"), (drop_everything, "no result of Braket")])
def test_a_short_or_malformed_result_fails_its_workload_alone(edit, words):
    wire = service()
    job = provider(wire).submit(order())
    wire.run()
    wire.change(4, edit)
    first, second = provider(wire).fetch(job, order())
    assert first.workload_fingerprint == WORKLOADS[0].fingerprint
    assert isinstance(second, ProviderError)
    assert words in second.problem


def test_shots_are_read_from_the_outcomes():
    wire = service()
    job = provider(wire).submit(order())
    wire.run()
    for number in range(3):
        wire.change(number, drop_shots)
    first, _ = provider(wire).fetch(job, order())
    assert first.effective.shots == first.data.shots == 100
    assert "shots: asked for 256, ran with 100" in first.effective.differences(profile())


def test_a_lost_result_fails_its_workload_and_a_locked_bucket_everything():
    from botocore.exceptions import ClientError

    wire = service()
    job = provider(wire).submit(order())
    wire.run()
    wire.objects.pop(f"{wire.accepted[0]['outputS3Directory']}/results.json")
    first, second = provider(wire).fetch(job, order())
    assert isinstance(first, ProviderError)
    assert "lost its result" in first.problem
    assert not isinstance(second, ProviderError)
    wire.faults["result"] = [(403, "AccessDenied")]
    with pytest.raises(ClientError) as caught:
        provider(wire).fetch(job, order())
    assert vendor_error(caught) == "AccessDenied"


def test_a_short_program_set_fails_its_workload():
    wire = service(program_sets=4)
    job = provider(wire).submit(order(GARNET))
    wire.run()
    wire.change(0, lambda content: content["programResults"].pop())
    first, second = provider(wire).fetch(job, order(GARNET))
    assert isinstance(first, ProviderError)
    assert "came back with 2" in first.problem
    assert not isinstance(second, ProviderError)


def test_a_job_that_answers_another_order_is_refused():
    wire = service()
    job = provider(wire).submit(order())
    wire.run()
    with pytest.raises(ProviderError, match="answers something else"):
        provider(wire).fetch(job, order(key="dd" * 32))
    other, (one, two, *rest) = job.rpartition("/")[0], job.rpartition("/")[2].split(";")
    with pytest.raises(ProviderError, match="answers something else"):
        provider(wire).fetch(f"{other}/{';'.join([two, one, *rest])}", order())


def test_an_unfinished_job_is_not_waited_for():
    wire = service()
    job = provider(wire).submit(order())
    assert all("still CREATED" in claim.problem for claim in provider(wire).fetch(job, order()))


def test_cancel_is_harmless_for_what_has_ended():
    wire = service()
    job = provider(wire).submit(order())
    wire.accepted[0]["status"] = "COMPLETED"
    provider(wire).cancel(job)
    assert [task["status"] for task in wire.accepted] == ["COMPLETED"] + ["CANCELLED"] * 4
    provider(wire).cancel(job)
    wire.faults["cancel"] = [(403, "AccessDeniedException")]
    with pytest.raises(Exception, match="AccessDenied"):
        provider(wire).cancel(job)


def test_calibration_changes_with_the_device_and_not_with_its_hours():
    wire = service()
    asked = profile(GARNET)
    monday = provider(wire).calibration(asked)
    assert monday.backend == GARNET
    assert monday.updated_at.startswith("2026-11-20")
    wire.devices[GARNET] = garnet().replace("23:59:59", "12:00:00")
    assert provider(wire).calibration(asked).digest == monday.digest
    wire.devices[GARNET] = garnet(calibration="tuesday")
    assert provider(wire).calibration(asked).digest != monday.digest
    assert provider(wire).calibration(profile(SV1)) is None


def test_an_order_across_a_recalibration_says_so():
    wire = service()
    wire.faults["create"] = [None, None, (503, "InternalServiceException")]
    with pytest.raises(Exception, match="InternalService"):
        provider(wire).submit(order(GARNET))
    before = provider(wire).calibration(profile(GARNET)).digest
    wire.devices[GARNET] = garnet(calibration="tuesday")
    job = provider(wire).submit(order(GARNET))
    wire.run()
    first, second = provider(wire).fetch(job, order(GARNET))
    assert second.calibration_digest == provider(wire).calibration(profile(GARNET)).digest
    assert first.calibration_digest not in (before, second.calibration_digest)


@pytest.mark.parametrize(
    ("operation", "fault", "call"),
    [
        ("create", (429, "ThrottlingException"), "submit"),
        ("create", (424, "DeviceOfflineException"), "submit"),
        ("create", (403, "AccessDeniedException"), "submit"),
        ("device", (403, "AccessDeniedException"), "submit"),
        ("search", (429, "ThrottlingException"), "find"),
        ("get", (500, "InternalServiceException"), "status"),
        ("get", (403, "AccessDeniedException"), "status"),
    ],
)
def test_the_vendors_errors_pass_through(operation, fault, call):
    from botocore.exceptions import ClientError

    wire = service()
    job = provider(wire).submit(order())
    wire.faults[operation] = [fault]
    with pytest.raises(ClientError) as caught:
        getattr(provider(wire), call)(job if call == "status" else order(key="ee" * 32))
    assert vendor_error(caught) == fault[1]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == fault[0]


def test_a_task_that_braket_does_not_know_is_unknown():
    wire = service()
    job = provider(wire).submit(order())
    wire.faults["get"] = [(404, "ResourceNotFoundException")]
    status = provider(wire).status(job)
    assert status.state == "unknown"
    assert "1 ResourceNotFoundException" in status.raw
    assert provider(wire).status(job).state == "queued"


def test_ended_tasks_are_not_asked_again():
    wire = service()
    asking = provider(wire)
    job = asking.submit(order())
    wire.run()
    asking.status(job)
    before = wire.requests.count("get")
    asking.status(job)
    asking.fetch(job, order())
    assert wire.requests.count("get") == before


def test_making_a_provider_and_asking_it_what_it_takes_connects_to_nothing():
    wire = service()
    asked = provider(wire)
    assert asked.supports(WORKLOADS[0], profile()) is None
    assert asked.limits(profile(GARNET)).hardware
    assert wire.requests == []


def test_sessions_take_credentials_from_the_environment_alone(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPLANTED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    session = aws_session("eu-north-1")
    assert session.region == "eu-north-1"
    assert aws_session("").region == "us-west-1"
    assert session.boto_session.get_credentials().secret_key == "planted-secret"
    assert "planted" not in repr(BraketProvider())


# ----------------------------------------------------------------------------------------- its backends


def test_it_tells_width_queue_and_error_of_devices_and_simulators():
    wire = service()
    wire.devices[GARNET] = with_fidelities(garnet(), {"1-2": [0.99, 0.97], "2-3": [0.98], "3-4": [0.9]})
    wire.queues = {SV1: "12", GARNET: ">4000"}
    simulator, device = provider(wire).backends(profile().model_copy(update={"alternatives": (GARNET,)}))
    assert simulator == BackendFact(SV1, simulator.n_qubits, 12, 0.0)
    assert simulator.n_qubits > 20
    assert device == BackendFact(GARNET, 5, 4000, pytest.approx(0.02))


def test_a_device_that_gives_no_fidelities_tells_no_error_and_one_that_is_offline_is_left_out():
    from botocore.exceptions import ClientError

    wire, either = service(), profile(GARNET).model_copy(update={"alternatives": (SV1, "nonsense")})
    assert provider(wire).backends(either)[0] == BackendFact(GARNET, 5, 0, None)
    wire.offline.add(GARNET)
    assert [fact.name for fact in provider(wire).backends(either)] == [SV1]
    wire.faults["device"] = [(503, "ServiceUnavailableException")]
    with pytest.raises(ClientError) as caught:
        provider(wire).backends(either)
    assert vendor_error(caught) == "ServiceUnavailableException"


def with_fidelities(capabilities: str, pairs: dict[str, list[float]]) -> str:
    """Capabilities with the standardized properties that a device may give."""
    header = {"name": "braket.device_schema.standardized_gate_model_qpu_device_properties", "version": "1"}
    kind = {"name": "INTERLEAVED_RANDOMIZED_BENCHMARKING"}
    gates = {
        pair: {
            "twoQubitGateFidelity": [
                {"gateName": f"g{n}", "fidelity": f, "fidelityType": kind} for n, f in enumerate(fs)
            ]
        }
        for pair, fs in pairs.items()
    }
    standardized = {"braketSchemaHeader": header, "oneQubitProperties": {}, "twoQubitProperties": gates}
    return json.dumps(json.loads(capabilities) | {"standardized": standardized})
