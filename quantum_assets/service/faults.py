"""What is to go wrong next, for rehearsals: a list of faults that the door and the worker take from, once each.

Faults are data, posted to ``/faults`` or put into ``<home>/faults.json`` before the start. Without ``--rehearsal``
there is no list and no such path.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import Frozen

Place = Literal["submit", "lookup", "status", "result", "cancel", "calibration", "run"]
Kind = Literal[
    "refuse", "delay", "hang_up", "lose", "lie", "fail", "truncate", "corrupt", "foreign", "duplicate", "missing"
]
#: Where each kind makes sense; the others go wrong at every HTTP place.
PLACES: dict[str, frozenset[str]] = {
    "lie": frozenset({"status"}),
    "fail": frozenset({"run"}),
    **{kind: frozenset({"result"}) for kind in ("truncate", "corrupt", "foreign", "duplicate", "missing")},
    **{
        kind: frozenset({"submit", "lookup", "status", "result", "cancel", "calibration"})
        for kind in ("refuse", "hang_up", "lose")
    },
    "delay": frozenset({"submit", "lookup", "status", "result", "cancel", "calibration", "run"}),
}


class Fault(Frozen):
    """One thing that goes wrong, at one place, so many times.

    ``refuse`` answers with `status` (and Retry-After) and does nothing; ``hang_up`` does nothing and drops the
    connection; ``lose`` does what was asked and drops the connection before it answers; ``delay`` waits before it does
    anything; ``lie`` says `word` for a status; ``fail`` ends the job with `code`. A result is cut (``truncate``), has
    bytes flipped (``corrupt``), is another job's (``foreign``), holds an entry twice (``duplicate``) or lacks its last
    (``missing``).
    """

    at: Place
    kind: Kind
    times: int = Field(1, ge=1, le=1_000_000)
    skip: int = Field(0, ge=0, description="Calls at that place which go well before the first that does not.")
    status: int = Field(503, ge=400, le=599)
    retry_after: int | None = Field(None, ge=0, description="Seconds, sent as Retry-After.")
    seconds: float = Field(0.0, ge=0, le=3600, description="Of a delay.")
    word: str = Field("FAILED", description="What a lie says.")
    code: str = Field("9999", description="The service's code of a failure.")
    message: str = "a rehearsed failure"
    disguised: bool = Field(True, description="A foreign result carries the id of the job that was asked for.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.at not in PLACES[self.kind]:
            raise ValueError(f"a {self.kind} happens at {', '.join(sorted(PLACES[self.kind]))}, not at {self.at}")
        return self


_FAULTS = TypeAdapter(tuple[Fault, ...])


def read_faults(text: str | bytes, culprit: str) -> tuple[Fault, ...]:
    """Faults from a JSON list.

    Raises:
        PlanError: With what is wrong, when it is no such list.
    """
    try:
        return _FAULTS.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanError(
            culprit, f"{where}: {first['msg']}", "Give a JSON list of faults as service/faults.py says"
        ) from None


def faults_file(home: Path) -> tuple[Fault, ...]:
    """The faults that a home starts with; none when it has no ``faults.json``."""
    path = home / "faults.json"
    return read_faults(path.read_bytes(), str(path)) if path.is_file() else ()


class FaultBook:
    """Faults that wait for their call, in the order they came; safe from any thread.

    Args:
        faults: What is to go wrong from the start.
    """

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._waiting = list(faults)
        self._lock = Lock()

    def add(self, faults: Sequence[Fault]) -> None:
        """Put further faults behind those that wait."""
        with self._lock:
            self._waiting.extend(faults)

    def clear(self) -> None:
        """Forget what was to go wrong."""
        with self._lock:
            self._waiting.clear()

    def take(self, at: Place) -> Fault | None:
        """The fault of this call, if it has one: the first that waits at that place, used up once."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.at != at:
                    continue
                if fault.skip:
                    self._waiting[index] = fault.model_copy(update={"skip": fault.skip - 1})
                    return None
                left = fault.model_copy(update={"times": fault.times - 1})
                self._waiting[index : index + 1] = [left] if left.times else []
                return fault
        return None

    def json(self) -> list[dict[str, object]]:
        """What still waits, as JSON values."""
        with self._lock:
            return [json.loads(fault.model_dump_json()) for fault in self._waiting]
