"""The border between a step's own words and Dagster's: results out, failures with culprit, problem and mend."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

import dagster as dg

from quantum_assets.contracts.errors import PlanError, ProviderError, QuantumAssetsError, UnderWay
from quantum_assets.contracts.redact import leaks, redact
from quantum_assets.orchestration.stored import Stored, materialized

Result = dg.MaterializeResult[Stored]


def step(body: Callable[[], Stored]) -> Result:
    """Run one step and speak Dagster: our errors become failures with culprit, problem and mend as metadata.

    This is the border to Dagster's log, which keeps whole chains of exceptions: one with a secret in it stays behind.
    Only a provider that says that trying again may help is worth a retry; everything else fails the same way twice.
    """
    started_at = int(time.time() * 1000)
    try:
        return materialized(replace(body(), started_at=started_at))
    except UnderWay:
        raise
    except Exception as exc:
        secret = leaks(exc)
        if not secret and not isinstance(exc, QuantumAssetsError):
            raise
        raise _told(exc) from (None if secret else exc)


def step_in_turn(turn: AbstractContextManager[None], body: Callable[[], Stored]) -> Iterator[Result]:
    """Run one step that reads whatever is newest in the store, alone until what it made is stored.

    Dagster stores a result that is yielded, and writes its event, before it asks for the next one: so whoever has the
    next turn reads what this one's readers saw, and more. The last version has seen everything.

    Args:
        turn: Entered before `body` reads, left after the result is stored.
        body: Reads and computes.
    """
    with ExitStack() as held:

        def made() -> Stored:
            held.enter_context(turn)
            return body()

        yield step(made)


def _told(error: Exception) -> Exception:
    """What Dagster is told of a failure."""
    if not isinstance(error, QuantumAssetsError):
        return dg.Failure(redact(f"{type(error).__name__}: {error}"), metadata={"kind": type(error).__name__})
    if isinstance(error, ProviderError) and error.retry:
        return dg.RetryRequested(max_retries=2, seconds_to_wait=5)
    words = {name: redact(getattr(error, name)) for name in ("culprit", "problem", "mend")}
    return dg.Failure(
        description=redact(str(error)),
        metadata={**words, "kind": type(error).__name__},
        allow_retries=not isinstance(error, PlanError),
    )
