"""States of training on disk: whole or not at all, and what cannot be read begins anew."""

from pathlib import Path

import pytest

from quantum_assets.contracts.qaoa import AngleTable, TrainingBudget
from quantum_assets.orchestration.checkpoints import Checkpoints
from quantum_assets.qaoa.training import Evaluation, TrainingState, begin

STATE = begin(AngleTable(gammas=(0.1,), betas=(-0.2,), source="Made up."), TrainingBudget(evaluations=3), "toy")
LATER = STATE.model_copy(update={"history": (Evaluation(value=0.1 + 0.2, angles=(0.1, -0.2), best=0.1 + 0.2),)})


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "training")


def test_nothing_is_there_and_no_folder_is_made_before_a_state_is_kept(checkpoints: Checkpoints) -> None:
    assert checkpoints.load("a") is None
    assert not checkpoints.folder.exists()


def test_what_is_kept_comes_back_to_the_last_digit_and_names_are_apart(checkpoints: Checkpoints) -> None:
    checkpoints.keep("a", STATE)
    checkpoints.keep("a", LATER)
    checkpoints.keep("b", STATE)
    assert checkpoints.load("a") == LATER
    assert checkpoints.load("b") == STATE
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["a.json", "b.json"]


class Torn(TrainingState):
    """A state whose writer is killed in the middle."""

    def model_dump_json(self, **settings: object) -> str:  # type: ignore[override]
        raise KeyboardInterrupt


def test_a_writer_that_dies_leaves_the_state_before(checkpoints: Checkpoints) -> None:
    checkpoints.keep("a", STATE)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.keep("a", Torn(**LATER.model_dump()))
    assert checkpoints.load("a") == STATE
    assert [path.name for path in checkpoints.folder.iterdir()] == ["a.json"]


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"question": 3}', b"\xff\xfe"])
def test_what_cannot_be_read_begins_anew(checkpoints: Checkpoints, text: bytes) -> None:
    checkpoints.keep("a", STATE)
    (checkpoints.folder / "a.json").write_bytes(text)
    assert checkpoints.load("a") is None
    checkpoints.keep("a", LATER)
    assert checkpoints.load("a") == LATER
