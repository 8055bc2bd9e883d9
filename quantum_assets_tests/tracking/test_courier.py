from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.tracking.courier import Courier
from quantum_assets.tracking.database import Unreachable
from quantum_assets.tracking.outbox import Outbox
from quantum_assets_tests.tracking.fakes import FakeMlflow, FakeTime, make_record

DOWN = Unreachable("MLflow", "is down", "Wait")


@dataclass
class Scene:
    """A courier whose time, MLflow and orders are the test's."""

    root: Path
    time: FakeTime = field(default_factory=FakeTime)
    mlflow: FakeMlflow = field(default_factory=FakeMlflow)
    states: list[tuple[str, str]] = field(default_factory=list)
    wanted: Callable[[], bool] = lambda: True

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.root)

    def serve(self) -> frozenset[str]:
        note = lambda state, problem: self.states.append((state, problem))  # noqa: E731
        return Courier(self.outbox, self.mlflow.deliver, self.wanted, note, 60.0, self.time.clock).serve()


def test_it_delivers_what_waits_and_what_comes_and_then_ends(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.outbox.put(make_record(0))
    scene.time.at(130.0, lambda: scene.outbox.put(make_record(1)))
    assert scene.serve() == frozenset()
    assert scene.mlflow.keys == [make_record(0).key, make_record(1).key]
    assert 190.0 <= scene.time.now < 191.0
    assert scene.states == [("ready", ""), ("ready", "")]


def test_a_record_waits_for_one_poll_at_most(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    delivered_at: list[float] = []
    deliver = scene.mlflow.deliver
    scene.mlflow.deliver = lambda record: (delivered_at.append(scene.time.now), deliver(record))[1]  # type: ignore[method-assign]
    scene.time.at(110.0, lambda: scene.outbox.put(make_record(0)))
    scene.serve()
    assert delivered_at[0] - 110.0 <= 0.2


def test_it_pauses_longer_and_longer_while_mlflow_is_down(tmp_path: Path) -> None:
    scene = Scene(tmp_path, mlflow=FakeMlflow(failures={"*": [DOWN] * 100}))
    scene.outbox.put(make_record(0))
    assert len(scene.serve()) == 1
    attempts = 100 - len(scene.mlflow.failures["*"])
    assert 6 <= attempts <= 12
    assert set(scene.states) == {("down", "MLflow: is down. Wait.")}
    assert 160.0 <= scene.time.now < 161.0
    assert scene.outbox.count() == 1


def test_it_says_when_mlflow_is_back(tmp_path: Path) -> None:
    scene = Scene(tmp_path, mlflow=FakeMlflow(failures={"*": [DOWN] * 3}))
    scene.outbox.put(make_record(0))
    assert scene.serve() == frozenset()
    assert scene.states[-1] == ("ready", "")
    assert scene.outbox.count() == 0


def test_a_hopeless_record_delays_no_other(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.mlflow.failures[make_record(0).key] = [TrackingError("model", "is odd", "Mend it")] * 100
    scene.outbox.put(make_record(0))
    scene.time.at(120.0, lambda: scene.outbox.put(make_record(1)))
    assert len(scene.serve()) == 1
    assert scene.mlflow.keys == [make_record(1).key]
    assert 180.0 <= scene.time.now < 181.0
    assert len(scene.mlflow.failures[make_record(0).key]) > 80


def test_it_ends_when_records_go_elsewhere(tmp_path: Path) -> None:
    answers = iter([True, True, False])
    scene = Scene(tmp_path, wanted=lambda: next(answers))
    scene.serve()
    assert scene.time.now < 101.0
