import json
import signal
from pathlib import Path
from typing import Any

import pytest

from quantum_assets.contracts.record import DatasetInput, RunRecord
from quantum_assets.tracking.database import Unreachable
from quantum_assets.tracking.delivery import deliver
from quantum_assets.tracking.packing import ALTERED
from quantum_assets.tracking.sync import SyncReport, drain
from quantum_assets_tests.tracking.conftest import Place
from quantum_assets_tests.tracking.fakes import HalfUpload, Saboteur, make_model, make_record
from quantum_assets_tests.tracking.processes import MLFLOW, in_child


def hand_over(place: Place, record: RunRecord, client: Any = None) -> str:
    return deliver(client or place.client, place.home, place.uri, record).run_id


def deliver_and_die(place: Place, record: RunRecord, killer: type, *args: Any) -> int:
    """Put a record and drain the outbox in a child that kills itself on the way; its exit code."""
    place.outbox.put(record)
    return in_child(drain_and_die, place.home, place.uri, record.key, killer, args, modules=MLFLOW)


def drain_and_die(home: Path, uri: str, key: str, killer: type, args: tuple[Any, ...]) -> None:
    place = Place(home, uri)
    client = killer(place.client, *args)
    entries = [entry for entry in place.outbox.pending() if place.outbox.read(entry).key == key]
    drain(place.outbox, lambda item: deliver(client, home, uri, item), entries)


def test_a_record_arrives_whole(place: Place) -> None:
    record = make_record(7)
    run_id = hand_over(place, record)
    assert place.assert_whole(record) == run_id
    run = place.client.get_run(run_id)
    assert run.info.run_name == "quantum_kernel 7"
    assert run.data.tags["metric.spread"] == "inf"
    assert run.data.tags["dagster.url"] == "http://127.0.0.1:3000/runs/1"
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.digest == f"{7:064d}"[:36]
    assert json.loads(dataset.dataset.source) == {"tags": {"uri": "store/wine/dataset"}}
    assert {tag.key: tag.value for tag in dataset.tags} == {"mlflow.data.context": "input", "qa.digest": f"{7:064d}"}


def test_delivering_again_changes_nothing(place: Place) -> None:
    record = make_record(1, model=make_model())
    first = [hand_over(place, record) for _ in range(3)]
    assert len(set(first)) == 1
    place.assert_whole(record)
    assert len(place.client.search_model_versions("name = 'wine-kernel_model'")) == 1


def test_a_large_record_arrives_whole(place: Place) -> None:
    record = make_record(
        params={f"p{index}": index for index in range(230)},
        metrics={f"m{index}": float(index) for index in range(2100)},
        tags={f"t{index}": "x" for index in range(150)},
    )
    hand_over(place, record)
    (run,) = place.runs(record.key)
    assert (len(run.data.params), len(run.data.metrics)) == (230, 2100)
    assert run.data.metrics["m2099"] == 2099.0


def test_a_param_over_the_limit_is_kept_whole_and_not_cut(place: Place) -> None:
    circuit = "".join(f"cx q[{index}];" for index in range(2000))
    record = make_record(params={"qasm": circuit})
    hand_over(place, record)
    (run,) = place.runs(record.key)
    assert run.data.params["qasm"].startswith("sha256:")
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert json.loads((folder / ALTERED).read_bytes())["params/qasm"]["value"] == circuit
    place.assert_whole(record)


def test_hostile_names_and_keys_arrive(place: Place) -> None:
    record = make_record(
        key='it\'s "quoted" `back` \\ % ; drop table runs; --\n' + "x" * 9000,
        experiment="it's; an experiment",
        run_name="r" * 400,
        params={"<script>": "alert(1)", "": "empty"},
        artifacts={"../../escape": b"x", "/etc/passwd": b"y", "a\0b": b"z"},
        tags={"tag": "nul \0 and half a pair \ud800"},
        inputs=(DatasetInput("n" * 900, "d" * 900, "s" * 90_000, "output"),),
    )
    run_id = hand_over(place, record)
    assert hand_over(place, record) == run_id
    (run,) = place.runs(record.key)
    assert run.info.status == "FINISHED"
    assert list(place.home.parent.rglob("escape")) == []


def test_a_failed_materialisation_arrives_as_failed(place: Place) -> None:
    record = make_record(status="FAILED")
    hand_over(place, record)
    place.assert_whole(record)


@pytest.mark.parametrize("method", ["create_run", "log_batch", "log_inputs", "log_artifacts", "set_terminated"])
def test_a_courier_killed_after_a_step_leaves_one_whole_run(place: Place, method: str) -> None:
    assert deliver_and_die(place, make_record(), Saboteur, 1, method) == -signal.SIGKILL
    assert len(place.runs()) == 1
    assert place.outbox.count() == 1
    assert place.sync() == SyncReport(delivered=1)
    assert place.sync() == SyncReport()
    place.assert_whole(make_record())


def test_a_courier_killed_with_half_the_artifacts_leaves_one_whole_run(place: Place) -> None:
    assert deliver_and_die(place, make_record(), HalfUpload) == -signal.SIGKILL
    assert place.sync().delivered == 1
    place.assert_whole(make_record())


@pytest.mark.slow
def test_a_courier_killed_after_any_call_leaves_one_whole_run_and_one_model_version(place: Place) -> None:
    """As SQLite is tested: fail after the first call, after the second, …, until a delivery comes through."""
    records = []
    for calls in range(1, 100):
        records.append(make_record(calls, model=make_model()))
        if deliver_and_die(place, records[-1], Saboteur, calls) == 0:
            break
    killed = len(records) - 1
    assert killed >= 15
    assert place.sync() == SyncReport(delivered=killed)
    run_ids = [place.assert_whole(record) for record in records]
    versions = place.client.search_model_versions("name = 'wine-kernel_model'")
    assert sorted(version.run_id for version in versions) == sorted(run_ids)
    newest = place.client.get_model_version_by_alias("wine-kernel_model", "champion")
    assert newest.run_id == run_ids[-1]
    assert len(place.client.search_logged_models([run.info.experiment_id for run in place.runs()[:1]])) == len(records)


def test_a_create_whose_answer_was_lost_leaves_one_run(place: Place) -> None:
    class LostAnswer:
        """Creates the run, and reports that nobody answered; then another create arrives late, as a slow server's."""

        def __init__(self, client: Any) -> None:
            self.client, self.lost = client, 0

        def create_run(self, *args: Any, **kwargs: Any) -> Any:
            self.lost += 1
            self.client.create_run(*args, **kwargs)
            self.client.create_run(*args, **kwargs)
            raise TimeoutError("read timed out")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, name)

    client = LostAnswer(place.client)
    with pytest.raises(Unreachable, match="read timed out"):
        hand_over(place, make_record(), client)
    assert len(place.runs()) == 2
    hand_over(place, make_record())
    assert client.lost == 1
    place.assert_whole(make_record())


def test_a_create_that_arrives_late_does_not_replace_the_whole_run(place: Place) -> None:
    class LateTwin:
        """Ends the run, and only then an earlier create of the same key comes through."""

        def __init__(self, client: Any) -> None:
            self.client, self.created = client, None

        def create_run(self, *args: Any, **kwargs: Any) -> Any:
            self.created = (args, kwargs)
            return self.client.create_run(*args, **kwargs)

        def set_terminated(self, *args: Any, **kwargs: Any) -> None:
            self.client.set_terminated(*args, **kwargs)
            assert self.created
            for _ in range(4):
                self.client.create_run(*self.created[0], **self.created[1])

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, name)

    run_id = hand_over(place, make_record(), LateTwin(place.client))
    assert place.assert_whole(make_record()) == run_id


def test_records_that_failed_on_the_way_say_why(place: Place) -> None:
    place.outbox.put(make_record(1, model=make_model(output_schema=("label", "score"))))
    place.outbox.put(make_record(2))
    report = place.sync()
    assert (report.delivered, report.pending) == (1, 1)
    assert "Give model.npz and one output column" in report.failed[0].reason
