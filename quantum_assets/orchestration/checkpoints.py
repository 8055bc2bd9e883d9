"""Training that was interrupted: where its state is kept until the run is over, one file a question."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from quantum_assets.qaoa.training import TrainingState
from quantum_assets.store.files import make_directory, temp_file


@dataclass(frozen=True)
class Checkpoints:
    """A folder of training states.

    Attributes:
        folder: Made when the first state is kept.
    """

    folder: Path

    def load(self, name: str) -> TrainingState | None:
        """The state under a name; None where there is none, or what is there cannot be read: training begins anew."""
        path = self._path(name)
        if not path.is_file():
            return None
        try:
            return TrainingState.model_validate_json(path.read_bytes())
        except ValidationError:  # of another version of this package; a file is never half-written
            return None

    def keep(self, name: str, state: TrainingState) -> None:
        """Put a state in place of the one before, whole or not at all."""
        make_directory(self.folder)
        with temp_file(self.folder) as temp:
            temp.write_bytes(state.model_dump_json().encode())
            temp.replace(self._path(name))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"
