"""Where everything of one installation lies: the one reader of ``$QUANTUM_ASSETS_HOME``."""

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "QUANTUM_ASSETS_HOME"
FOLDER = ".quantum_assets"


@dataclass(frozen=True)
class Home:
    """The folders below one home; nothing is created here.

    Attributes:
        root: The home itself.
    """

    root: Path

    @property
    def store(self) -> Path:
        """Root of the `Store`."""
        return self.root / "store"

    @property
    def mlflow(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlflow"

    @property
    def outbox(self) -> Path:
        """Run records that wait for MLflow."""
        return self.root / "outbox"

    @property
    def dagster(self) -> Path:
        """Dagster's own instance folder."""
        return self.root / "dagster"


def locate_home(explicit: Path | str | None = None) -> Path:
    """Find the home: the argument, then the environment, then the nearest ``.quantum_assets`` folder upwards.

    Args:
        explicit: A folder that the caller names; it need not exist.

    Returns:
        An absolute path; ``.quantum_assets`` in the working directory when nothing else is found.
    """
    named = explicit or os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return here / FOLDER
