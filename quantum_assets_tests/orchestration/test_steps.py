"""The border to Dagster: our errors become failures that say what to mend, and no secret crosses it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.contracts.errors import PlanError, ProviderError, UnderWay
from quantum_assets.orchestration.io_manager import VERSION_KEY
from quantum_assets.orchestration.steps import Result, step, step_in_turn
from quantum_assets.orchestration.stored import Stored
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets_tests.orchestration.storage import storage_without_courier

CONTRACT = TableContract("toy/v1", (Column("n", "int64", "A number."),))


def _fails(error: BaseException) -> Stored:
    raise error


def test_a_result_knows_when_its_step_began_and_its_version_is_its_content() -> None:
    stored = Stored(pa.table({"n": [1]}), CONTRACT, {}, notes={"said": "a word"})
    first, second = step(lambda: stored), step(lambda: stored)
    assert first.value.started_at > 1_600_000_000_000
    assert first.data_version == second.data_version
    assert first.metadata is not None
    assert "said" in first.metadata


@pytest.mark.parametrize(
    ("error", "retries"), [(PlanError("a", "b", "c"), False), (ProviderError("a", "b", "c"), True)]
)
def test_our_errors_tell_culprit_problem_and_mend(error: Exception, retries: bool) -> None:
    with pytest.raises(dg.Failure) as caught:
        step(lambda: _fails(error))
    told = {name: value.value for name, value in caught.value.metadata.items()}
    assert told == {"culprit": "a", "problem": "b", "mend": "c", "kind": type(error).__name__}
    assert caught.value.allow_retries is retries
    assert caught.value.__cause__ is error


def test_only_a_provider_that_says_so_is_asked_again() -> None:
    with pytest.raises(dg.RetryRequested):
        step(lambda: _fails(ProviderError("a", "b", "c", True)))


def test_patience_and_errors_of_others_pass_through() -> None:
    for error in (UnderWay("a", "b", "c", True), ZeroDivisionError("by zero"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            step(lambda error=error: _fails(error))  # type: ignore[misc]
        assert caught.value is error


def test_an_error_with_a_secret_in_it_stays_behind() -> None:
    secret = "postgresql://me:hunter2@db/ledger"
    with pytest.raises(dg.Failure) as caught:
        step(lambda: _fails(ValueError(f"cannot open {secret}")))
    assert "hunter2" not in str(caught.value.description)
    assert caught.value.__cause__ is None


# Two makers of one partition, each from the newest of two inputs: what was committed before one began is never lost.

SUM, INPUTS = ("s", "sum"), (("s", "left"), ("s", "right"))
Turn = Callable[[], AbstractContextManager[None]]


def _put(store: Store, asset: tuple[str, ...], *values: int) -> None:
    store.commit(asset, {}, pa.table({"n": list(values)}), CONTRACT, {})


def _seen(store: Store, asset: tuple[str, ...]) -> list[int]:
    values: list[int] = store.read(asset, {}).column("n").to_pylist() if store.history(asset, {}) else []
    return values


def _nothing() -> None:
    """Nobody comes between."""


def _making(
    store: Store, turn: AbstractContextManager[None], meanwhile: Callable[[], None] = _nothing
) -> Iterator[Result]:
    """Read every input that is there; `meanwhile` happens between reading and the commit."""

    def body() -> Stored:
        found = [value for one in INPUTS for value in _seen(store, one)]
        meanwhile()
        return Stored(pa.table({"n": found}), CONTRACT, {})

    return step_in_turn(turn, body)


def _stored(store: Store, results: Iterator[Result]) -> None:
    """What Dagster does with a step: it stores each result before it asks for the next."""
    for result in results:
        store.commit(SUM, {}, result.value.table, CONTRACT, {})


def _interleaved(store: Store, turn: Turn) -> list[str]:
    """The left run reads; the right one commits its input and makes the sum; only then the left one commits its own.

    Whoever is refused his turn tries again when the other one is done, as one that waits would.
    """
    refused: list[str] = []
    _put(store, INPUTS[0], 1)

    def right() -> None:
        _put(store, INPUTS[1], 2)
        try:
            _stored(store, _making(store, turn()))
        except dg.Failure as error:
            refused.append(str(error.description))

    _stored(store, _making(store, turn(), meanwhile=right))
    if refused:
        _stored(store, _making(store, turn()))
    return refused


def test_the_last_of_two_makers_has_seen_what_both_saw(tmp_path: Path) -> None:
    store = Store(tmp_path, turn_seconds=0)
    (told,) = _interleaved(store, lambda: store.turn(SUM, {}))
    assert "another process has been making it" in told
    assert [commit.rows for commit in store.history(SUM, {})] == [1, 2]
    assert _seen(store, SUM) == [1, 2]


def test_without_turns_the_same_two_lose_an_input(tmp_path: Path) -> None:
    """The interleaving of the test above is the one that does harm."""
    store = Store(tmp_path)
    assert _interleaved(store, nullcontext) == []
    assert [commit.rows for commit in store.history(SUM, {})] == [2, 1]
    assert _seen(store, SUM) == [1]


def test_a_maker_waits_for_its_turn_and_then_reads(tmp_path: Path) -> None:
    store, knocked, after = Store(tmp_path), threading.Event(), []

    @contextmanager
    def knocking() -> Iterator[None]:
        knocked.set()
        with store.turn(SUM, {}):
            after.append(_seen(store, SUM))
            yield

    _put(store, INPUTS[0], 1)
    right = threading.Thread(target=lambda: _stored(store, _making(store, knocking())))

    def meanwhile() -> None:
        _put(store, INPUTS[1], 2)
        right.start()
        assert knocked.wait(60)

    _stored(store, _making(store, store.turn(SUM, {}), meanwhile))
    right.join(60)
    assert after == [[1]]  # the right one had its turn when the left one's sum was stored
    assert _seen(store, SUM) == [1, 2]


def test_a_step_that_fails_ends_its_turn(tmp_path: Path) -> None:
    store = Store(tmp_path, turn_seconds=0)
    for _ in range(2):
        with pytest.raises(dg.Failure, match="a: b"):
            next(step_in_turn(store.turn(SUM, {}), lambda: _fails(PlanError("a", "b", "c"))))


@pytest.mark.parametrize("broken", [False, True], ids=["stored", "refused by the store"])
def test_dagster_stores_the_result_and_says_so_before_the_turn_ends(tmp_path: Path, broken: bool) -> None:
    """All of this rests on it: the newest event, too, is that of the last maker."""
    left: list[tuple[int, str]] = []
    store = Store(Home(tmp_path).store, turn_seconds=0)
    key = dg.AssetKey(SUM)

    with dg.DagsterInstance.ephemeral() as instance:

        @contextmanager
        def watched() -> Iterator[None]:
            with store.turn(SUM, {}):
                try:
                    yield
                finally:
                    event = instance.get_latest_materialization_event(key)
                    told = event.asset_materialization.metadata[VERSION_KEY].value if event else ""  # type: ignore[union-attr]
                    left.append((len(store.history(SUM, {})), str(told)))

        @dg.asset(key=key)
        def total() -> Iterator[Result]:
            refused = {"made by": object()} if broken else {}  # provenance is JSON: the store takes nothing else
            yield from step_in_turn(watched(), lambda: Stored(pa.table({"n": [1]}), CONTRACT, refused))

        resources = {"io_manager": storage_without_courier(tmp_path)}
        result = dg.materialize([total], resources=resources, instance=instance, raise_on_error=False)
    assert result.success is not broken
    assert left == ([(0, "")] if broken else [(1, store.find(SUM, {}).version)])
    with store.turn(SUM, {}):
        pass
