"""Tags, tokens, ids, statuses and result files of quantum tasks."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers.braket_tasks import Part, arns_of, job_of, joint_status, outcome_of, part_of

HEAD = "arn:aws:braket:us-east-1:123456789012:quantum-task/"
PART = Part(
    "k" * 32, 1, 3, 0, 4, 8, {"compiled_depth": 12.0, "compiled_difference": 1e-16}, ("rz", "cx"), "d" * 64, "c1"
)


def tasks(*words: str, **more) -> list[dict]:
    return [{"status": word, **more} for word in words]


def test_tags_read_back_as_written_and_suit_aws():
    assert part_of({**PART.tags, "aws:other": "x"}) == PART
    assert all(len(value) <= 256 for value in PART.tags.values())
    assert all(character.isalnum() or character in " +-=._:/@" for value in PART.tags.values() for character in value)


def test_the_qubits_of_samples_travel_in_a_tag():
    part = replace(PART, qubits=(17, 3, 9))
    assert part.tags["quantum-assets-qubits"] == "17 3 9"
    assert part_of(part.tags) == part
    with pytest.raises(ProviderError, match="tags were changed"):
        part_of(part.tags | {"quantum-assets-qubits": "seventeen"})
    widest = replace(PART, qubits=tuple(range(100, 126)))
    assert all(len(value) <= 256 for value in widest.tags.values())


def test_tags_of_others_are_none_and_damaged_ones_an_error():
    assert part_of({"owner": "somebody"}) is None
    with pytest.raises(ProviderError, match="tags were changed"):
        part_of({**PART.tags, "quantum-assets-pairs": "0:four:8"})


def test_tokens_fit_the_api_and_differ_by_order_and_place():
    import boto3

    model = boto3.Session(region_name="us-east-1").client("braket").meta.service_model
    token = model.operation_model("CreateQuantumTask").input_shape.members["clientToken"]
    assert len(PART.token) == token.metadata["max"]
    others = {Part(order, index, 3, 0, 0, 1, {}, (), "", "").token for order in "ab" for index in range(3)}
    assert len(others) == 6


@pytest.mark.parametrize("names", [["one"], ["one", "two", "three"]])
def test_a_job_names_all_its_tasks(names):
    arns = [HEAD + name for name in names]
    assert arns_of(job_of(arns)) == tuple(arns)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["CREATED"], "queued"),
        (["CREATED", "QUEUED"], "queued"),
        (["QUEUED", "COMPLETED"], "running"),
        (["RUNNING", "FAILED"], "running"),
        (["CANCELLING"], "running"),
        (["COMPLETED"], "completed"),
        (["COMPLETED", "FAILED"], "completed"),
        (["FAILED", "CANCELLED"], "failed"),
        (["CANCELLED"], "cancelled"),
        (["COMPLETED", "TELEPORTED"], "unknown"),
    ],
)
def test_the_states_of_tasks_join(words, state):
    assert joint_status(tasks(*words)).state == state


def test_every_word_of_the_api_is_known():
    import boto3

    model = boto3.Session(region_name="us-east-1").client("braket").meta.service_model
    words = model.operation_model("GetQuantumTask").output_shape.members["status"].enum
    assert len(words) == 7
    assert all(joint_status(tasks(word)).state != "unknown" for word in words)


def test_circuits_that_cost_something_are_counted_task_by_task():
    def told(*words, tags=PART.tags):
        return joint_status(tasks(*words, tags=tags)).circuits

    assert told("COMPLETED", "COMPLETED") == 2 * (PART.stop - PART.start)
    assert told("COMPLETED", "FAILED", "CANCELLED") == PART.stop - PART.start
    assert told("FAILED", "CANCELLED") == 0
    assert told("COMPLETED", tags=PART.tags | {"quantum-assets-pairs": "?"}) is None
    assert told("COMPLETED", tags={}) is None


def test_reasons_positions_and_durations_are_told():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ended = {"createdAt": start, "endedAt": start + timedelta(seconds=7)}
    status = joint_status(
        [{"status": "FAILED", "failureReason": "qubit on fire", **ended}, *tasks("COMPLETED", **ended)]
    )
    assert (status.code, status.message, status.seconds) == ("FAILED", "qubit on fire", {"lifetime": 7.0})
    assert status.raw == "1 COMPLETED, 1 FAILED"
    waiting = joint_status([{"status": "QUEUED", "queueInfo": {"position": p}} for p in ("3", ">2000", "None")])
    assert waiting.queue_position == 2000
    assert joint_status(tasks("QUEUED")).queue_position is None


def result(**fields) -> str:
    from braket.default_simulator import StateVectorSimulator
    from braket.ir.openqasm import Program

    program = Program(
        source="OPENQASM 3.0;\nbit[2] b;\nqubit[2] q;\nh q[0];\nb[0] = measure q[0];\nb[1] = measure q[1];"
    )
    content = json.loads(StateVectorSimulator().run(program, shots=8).json())
    return json.dumps({**content, **fields})


def test_outcomes_are_counted_from_the_shots():
    outcome = outcome_of(result(measurements=[[0, 0], [1, 0], [0, 1], [0, 0]]), "arn/t")
    assert (outcome.kept.tolist(), outcome.shots) == ([0.5], 4)


def test_shares_serve_where_a_device_gives_no_shots():
    outcome = outcome_of(result(measurements=None, measurementProbabilities={"00": 0.25, "11": 0.75}), "arn/t")
    assert (outcome.kept.tolist(), outcome.shots) == ([0.25], 8)
    assert outcome_of(result(measurements=None, measurementProbabilities={"11": 1.0}), "arn/t").kept.tolist() == [0.0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"braketSchemaHeader": {"name": "os", "version": "1"}}',
        '{"braketSchemaHeader": {"name": "braket.ir.openqasm.program", "version": "1"}, "source": "x"}',
    ],
)
def test_a_malformed_result_is_a_fault_of_that_task(text):
    with pytest.raises(ProviderError, match="its result") as caught:
        outcome_of(text, "arn/t")
    assert caught.value.retry


def test_a_result_without_outcomes_is_a_fault():
    with pytest.raises(ProviderError, match="no outcomes"):
        outcome_of(result(measurements=None, measurementProbabilities=None), "arn/t")
    with pytest.raises(ProviderError, match="its result"):
        outcome_of(result(measurements=[[0, 0], [0]]), "arn/t")
    with pytest.raises(ProviderError, match="its result"):
        outcome_of(result()[:-40], "arn/t")


def test_samples_are_put_in_the_order_of_the_workloads_qubits():
    text = result(measurements=[[0, 1], [1, 1], [0, 0]], measuredQubits=[5, 3])
    outcome = outcome_of(text, "arn/t", (3, 5))
    assert (outcome.kept.tolist(), outcome.shots) == ([[[1], [3], [0]]], 3)
    with pytest.raises(ProviderError, match="measured qubits"):
        outcome_of(text, "arn/t", (3, 4))


def test_shares_that_are_counts_are_samples_and_others_are_not():
    shares = {"00": 0.25, "10": 0.75}
    outcome = outcome_of(result(measurements=None, measurementProbabilities=shares), "arn/t", (0, 1))
    assert sorted(outcome.kept[0, :, 0].tolist()) == [0, 0, 1, 1, 1, 1, 1, 1]
    for wrong in ({"00": 0.3, "11": 0.7}, {"00": 0.25, "11": 0.5}):
        with pytest.raises(ProviderError, match="no counts of 8 shots"):
            outcome_of(result(measurements=None, measurementProbabilities=wrong), "arn/t", (0, 1))
