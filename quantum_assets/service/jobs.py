"""The sidecar's own append-only ledger: what it accepted, at what price, and what became of it.

SQLite, two tables. A row of `accepted_jobs` is written once, when a submission is accepted, with everything that was
accepted in it; `events` tells what happened to it since. Triggers refuse every update and delete, so that the account
stays evidence whoever opens the file. A job's state is its last event.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from quantum_assets.contracts.errors import LedgerError

Word = Literal["QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accepted_jobs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    client_token TEXT NOT NULL,
    received_at REAL NOT NULL,
    workloads INTEGER NOT NULL,
    circuits INTEGER NOT NULL,
    shots INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    currency TEXT NOT NULL,
    questions TEXT NOT NULL,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS accepted_by_key ON accepted_jobs (key);
CREATE INDEX IF NOT EXISTS accepted_by_token ON accepted_jobs (client_token);
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL REFERENCES accepted_jobs (job),
    word TEXT NOT NULL CHECK (word IN ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    at REAL NOT NULL,
    billed INTEGER,
    code TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_by_job ON events (job, sequence);
""" + "".join(
    f"CREATE TRIGGER IF NOT EXISTS {table}_{verb.lower()} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
    for table in ("accepted_jobs", "events")
    for verb in ("UPDATE", "DELETE")
)
_SELECT = """
SELECT j.sequence, j.job, j.key, j.client_token, j.received_at, j.workloads, j.circuits, j.shots, j.micros, j.currency,
       j.questions, j.digest, j.content, e.word, e.at, e.billed, e.code, e.message,
       (SELECT max(at) FROM events r WHERE r.job = j.job AND r.word = 'RUNNING') AS started_at,
       (SELECT min(sequence) FROM events f WHERE f.job = j.job) AS first_event, e.sequence AS last_event
FROM accepted_jobs j JOIN events e ON e.sequence = (SELECT max(sequence) FROM events m WHERE m.job = j.job)
"""


@dataclass(frozen=True)
class Submission:
    """What an accepted order is, as the account keeps it.

    Attributes:
        key: The order's key.
        client_token: The client's idempotency token; usually the key.
        workloads: How many.
        circuits: How many, over all workloads.
        shots: How many, over all circuits.
        micros: Price in millionths.
        currency: Of the price.
        questions: Identity of each workload under its profile and replicate (`contracts.ticket.question_of`), in order.
        content: Fingerprint of what is asked; two bodies with one content are one order.
        digest: sha256 of the body.
        body: The packed order, to run it from.
    """

    key: str
    client_token: str
    workloads: int
    circuits: int
    shots: int
    micros: int
    currency: str
    questions: tuple[str, ...]
    content: str
    digest: str
    body: bytes


@dataclass(frozen=True)
class Job:
    """An accepted submission and its last event; further fields as in `Submission`.

    Attributes:
        sequence: Order of acceptance.
        job: Its id.
        received_at: Seconds since 1970 by this process's clock.
        word: The last event.
        at: Moment of it.
        billed: What is charged, once it ended; None before.
        code: Of a failure.
        message: Of a failure.
        started_at: Moment it last began to run; None before.
        first_event: Number of its acceptance among all events of all jobs, in the order of writing.
        last_event: Number of its last event.
    """

    sequence: int
    job: str
    key: str
    client_token: str
    received_at: float
    workloads: int
    circuits: int
    shots: int
    micros: int
    currency: str
    questions: tuple[str, ...]
    digest: str
    content: str
    word: str
    at: float
    billed: int | None
    code: str
    message: str
    started_at: float | None
    first_event: int
    last_event: int

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.word in ENDED


@dataclass(frozen=True)
class JobBook:
    """The account in one SQLite file; every method is one transaction, safe from any thread.

    Attributes:
        path: The file; `prepare` creates it.
    """

    path: Path

    def prepare(self) -> None:
        """Create the file, its tables and its triggers where they are missing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)

    def accept(self, submission: Submission, now: float, *, idempotent: bool = True) -> tuple[Job, bool]:
        """Write a submission down, unless its client token was accepted before.

        Args:
            submission: What came.
            now: Seconds since 1970.
            idempotent: Whether a token that is known gets the job it already has.

        Returns:
            The job, and whether it is new.
        """
        with self._transaction() as database:
            if idempotent and submission.client_token:
                known = _rows(database, "WHERE j.client_token = ? ORDER BY j.sequence LIMIT 1", submission.client_token)
                if known:
                    return known[0], False
            job = uuid4().hex
            _insert(database, job, submission, now)
            _append(database, job, "QUEUED", now)
            return _rows(database, "WHERE j.job = ?", job)[0], True

    def record(
        self,
        job: str,
        word: Word,
        now: float,
        *,
        after: Collection[str],
        billed: int | None = None,
        code: str = "",
        message: str = "",
    ) -> bool:
        """Append an event if the job's last one is among `after`; False, and nothing written, when it is not."""
        with self._transaction() as database:
            rows = _rows(database, "WHERE j.job = ?", job)
            if not rows or rows[0].word not in after:
                return False
            _append(database, job, word, now, billed, code, message)
            return True

    def job(self, job: str) -> Job | None:
        """One job; None for an id that was never given."""
        return next(iter(self._read("WHERE j.job = ?", job)), None)

    def by_key(self, key: str) -> tuple[Job, ...]:
        """Jobs accepted under an order key, oldest first; more than one only where idempotency is off."""
        return self._read("WHERE j.key = ? ORDER BY j.sequence", key)

    def unfinished(self) -> tuple[Job, ...]:
        """Jobs that have not ended, oldest first."""
        return self._read("WHERE e.word IN ('QUEUED', 'RUNNING') ORDER BY j.sequence")

    def all(self) -> tuple[Job, ...]:
        """Every job ever accepted, oldest first."""
        return self._read("ORDER BY j.sequence")

    def body(self, job: str) -> bytes:
        """The packed order of a job.

        Raises:
            LedgerError: For an id that was never given.
        """
        with closing(self._connect()) as database:
            row = database.execute("SELECT body FROM accepted_jobs WHERE job = ?", (job,)).fetchone()
        if row is None:
            raise LedgerError(f"job {job}", "was never accepted here", "Look at GET /witness for what was")
        return bytes(row["body"])

    def _read(self, where: str, *values: Any) -> tuple[Job, ...]:
        with closing(self._connect()) as database:
            return _rows(database, where, *values)

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA synchronous = FULL")  # an accepted job survives a power cut
        return database

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


def _rows(database: sqlite3.Connection, where: str, *values: Any) -> tuple[Job, ...]:
    found = (dict(row) for row in database.execute(f"{_SELECT} {where}", values))
    return tuple(Job(**{**row, "questions": tuple(json.loads(row["questions"]))}) for row in found)


def _insert(database: sqlite3.Connection, job: str, submission: Submission, now: float) -> None:
    row = {**vars(submission), "job": job, "received_at": now, "questions": json.dumps(submission.questions)}
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    database.execute(f"INSERT INTO accepted_jobs ({names}) VALUES ({marks})", row)  # noqa: S608 - names are ours


def _append(
    database: sqlite3.Connection,
    job: str,
    word: str,
    now: float,
    billed: int | None = None,
    code: str = "",
    message: str = "",
) -> None:
    database.execute(
        "INSERT INTO events (job, word, at, billed, code, message) VALUES (?, ?, ?, ?, ?, ?)",
        (job, word, now, billed, code, message),
    )
