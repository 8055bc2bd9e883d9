"""Results on disk and on the wire: one JSON document a job, an entry a workload, envelopes packed in base64.

An entry has its ``position`` in the order and its ``workload`` fingerprint, and either an ``envelope`` with its
``sha256`` or an ``error``. Whoever reads it can thus use the entries that came whole and knows which did not.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.wire import pack_envelope

Document = dict[str, Any]


@dataclass(frozen=True)
class ResultFiles:
    """The results of a home, one file a job.

    Attributes:
        folder: Where they lie.
    """

    folder: Path

    def write(self, job: str, document: Document) -> None:
        """Put a result down so that it is there whole or not at all, also after a power cut."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(job)
        half = path.with_suffix(".half")
        with half.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)

    def read(self, job: str) -> Document | None:
        """A job's result; None while there is none."""
        path = self._path(job)
        if not path.is_file():
            return None
        document: Document = json.loads(path.read_text("utf-8"))
        return document

    def drop(self, job: str) -> None:
        """Forget a result that nobody may fetch."""
        self._path(job).unlink(missing_ok=True)

    def _path(self, job: str) -> Path:
        return self.folder / f"{job}.json"


def document(job: str, claims: Sequence[ResultEnvelope | ProviderError], workloads: Sequence[str]) -> Document:
    """The result of a job.

    Args:
        job: Its id.
        claims: One a workload, in order.
        workloads: Their fingerprints.
    """
    pairs = zip(claims, workloads, strict=True)
    return {"job": job, "claims": [_entry(at, claim, workload) for at, (claim, workload) in enumerate(pairs)]}


def _entry(position: int, claim: ResultEnvelope | ProviderError, workload: str) -> Document:
    entry: Document = {"position": position, "workload": workload}
    if isinstance(claim, ProviderError):
        error = {"culprit": claim.culprit, "problem": claim.problem, "mend": claim.mend, "retry": claim.retry}
        return entry | {"error": error}
    packed = pack_envelope(claim)
    text = base64.b64encode(packed).decode("ascii")
    return entry | {"envelope": text, "sha256": hashlib.sha256(packed).hexdigest()}
