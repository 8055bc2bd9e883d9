"""Estimates and charges are exact to the micro, and what has no price is not submitted."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.jobs import Charge, JobStatus, Limits
from quantum_assets.contracts.money import Estimate, Price, PriceBook
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.execution.cost import charge_of, estimate, estimate_each, find_price, read_prices
from quantum_assets_tests.trust.honest import CIRCUITS, EXACT, overlaps_workload, samples_workload, states_workload

LOCAL = Limits(same_key_same_job=True)
REMOTE = Limits(durable=True)
DEVICE = Limits(durable=True, hardware=True)
SHIPPED = read_prices()
VERSION = date(2026, 11, 22)


def book(*prices: Price) -> PriceBook:
    return PriceBook(version=VERSION, prices=prices)


def on(backend: str | None, shots: int = 100) -> ExecutionProfile:
    return CIRCUITS.model_copy(update={"backend": backend, "shots": shots})


def micros(estimate: Estimate) -> int:
    return estimate.micros


def test_the_shipped_book_is_dated_and_every_figure_has_a_source() -> None:
    assert SHIPPED.version >= VERSION
    assert all(price.source for price in SHIPPED.prices)
    assert all(price.currency == "USD" for price in SHIPPED.prices)
    devices = [price for price in SHIPPED.prices if price.kind == "hardware"]
    assert devices
    assert all(price.per_task + price.per_shot + price.per_second > 0 for price in devices)


@pytest.mark.parametrize(
    ("provider", "backend", "limits", "expected"),
    [
        ("statevector", None, LOCAL, 0),
        ("aer", None, LOCAL, 0),
        ("ibm", "fake_manila", LOCAL, 0),
        ("braket", "braket_dm", LOCAL, 0),
        # an order of 9 circuits and 900 shots: 0.30 + 900 * 0.000004, in millionths
        ("remote", "rehearsal", REMOTE, 300_000 + 3_600),
        ("remote", None, REMOTE, 300_000 + 3_600),
        # (2 s + 900 * 0.35 ms) * 1.60
        ("ibm", "ibm_fez", DEVICE, 3_704_000),
        # a task a circuit: 9 * 0.30 + 900 * the price of a shot
        ("braket", "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet", DEVICE, 2_700_000 + 1_305_000),
        ("braket", "Emerald", DEVICE, 2_700_000 + 1_440_000),
        ("braket", "Forte-Enterprise-1", DEVICE, 2_700_000 + 72_000_000),
        ("braket", "arn:aws:braket:us-west-1::device/qpu/rigetti/Cepheus-1-108Q", DEVICE, 2_700_000 + 382_500),
        ("braket", "arn:aws:braket:eu-north-1::device/qpu/aqt/Ibex-Q1", DEVICE, 2_700_000 + 21_150_000),
        # 3 s at least a task, at 0.075 USD a minute
        ("braket", "arn:aws:braket:::device/quantum-simulator/amazon/sv1", REMOTE, 9 * 3_750),
        ("braket", "DM1", REMOTE, 9 * 3_750),
    ],
)
def test_shipped_prices(provider: str, backend: str | None, limits: Limits, expected: int) -> None:
    guess = estimate([overlaps_workload(rows=3)], on(backend), provider, limits, SHIPPED)
    assert guess.micros == expected
    assert (guess.circuits, guess.shots) == (9, 900)
    assert guess.kind == ("hardware" if limits.hardware else "simulator")
    assert (guess.provider, guess.backend, guess.price_version) == (provider, backend or "", SHIPPED.version)


def test_tn1_is_at_its_minute_price_to_less_than_a_micro() -> None:
    price = find_price(SHIPPED, "braket", "TN1")
    assert price is not None
    assert 0 <= Fraction(repr(price.per_second)) * 60 - Fraction("0.275") < Fraction(1, 1_000_000)


def test_states_are_computed_and_take_no_shots() -> None:
    priced = book(Price(provider="fake", kind="simulator", per_task=0.5, per_shot=1.0))
    guess = estimate([states_workload(rows=4)], EXACT, "fake", REMOTE, priced)
    assert (guess.circuits, guess.shots, guess.micros) == (4, 0, 2_000_000)


def test_samples_pay_their_shots_for_every_binding() -> None:
    priced = book(Price(provider="fake", kind="simulator", per_task=0.5, per_shot=0.001))
    guess = estimate([samples_workload(rows=4)], CIRCUITS, "fake", REMOTE, priced)
    assert (guess.circuits, guess.shots) == (4, 400)
    assert guess.micros == 2_000_000 + 400_000


def test_a_simulator_in_this_process_needs_no_price_and_anything_else_does() -> None:
    free = estimate([overlaps_workload()], CIRCUITS, "fake", LOCAL, book())
    assert (free.micros, free.kind) == (0, "simulator")
    for limits in (REMOTE, DEVICE, Limits(hardware=True)):
        with pytest.raises(
            PlanError, match="price of fake/toaster: the price book of 2026-11-22 has no price"
        ) as caught:
            estimate([overlaps_workload()], on("toaster"), "fake", limits, book())
        assert "Add an entry with its source to prices.yaml" in str(caught.value)
    with pytest.raises(PlanError, match="no price"):
        estimate([overlaps_workload()], on("Ankaa-3"), "braket", DEVICE, SHIPPED)


def test_a_device_is_never_paid_from_the_simulators_purse() -> None:
    priced = book(Price(provider="fake", kind="simulator"))
    assert estimate([overlaps_workload()], CIRCUITS, "fake", REMOTE, priced).kind == "simulator"
    with pytest.raises(PlanError, match="calls it a simulator, and the provider says that a device would run it"):
        estimate([overlaps_workload()], CIRCUITS, "fake", DEVICE, priced)


def test_the_first_entry_that_matches_counts_and_case_matters() -> None:
    priced = book(
        Price(provider="fake", backend="test_*", kind="simulator", per_task=1.0),
        Price(provider="fake", kind="hardware", per_task=2.0),
    )
    assert find_price(priced, "fake", "test_a") is priced.prices[0]
    assert find_price(priced, "fake", "Test_a") is priced.prices[1]
    assert find_price(priced, "fake", "") is priced.prices[1]
    assert find_price(priced, "other", "test_a") is None


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"per_shot": 1e-9}, 1),  # 900 shots are 0.9 millionths: rounded up
        ({"per_shot": 0.1, "per_task": 0.2}, 90_000_000 + 1_800_000),
        ({"per_task": 0.2, "task": "order"}, 200_000),
        ({"per_second": 1.0, "seconds_per_circuit": 0.5, "minimum_seconds": 0.25}, 4_500_000),
        ({"per_second": 1.0, "seconds_per_circuit": 0.1, "minimum_seconds": 0.25}, 2_250_000),
        ({"per_second": 1.0, "seconds_per_circuit": 0.1, "minimum_seconds": 0.25, "task": "order"}, 900_000),
        ({"per_second": 1.0, "seconds_per_shot": 0.001, "seconds_per_task": 2.0, "task": "order"}, 2_900_000),
        ({"per_second": 1.0, "seconds_per_shot": 0.001, "seconds_per_task": 2.0}, 18_900_000),
    ],
)
def test_the_formula(figures: Mapping[str, float], expected: int) -> None:
    priced = book(Price(provider="fake", kind="simulator", **figures))  # type: ignore[arg-type]
    assert micros(estimate([overlaps_workload(rows=3)], CIRCUITS, "fake", REMOTE, priced)) == expected


FIGURE = st.decimals(min_value=0, max_value=1000, places=8, allow_nan=False).map(float)


@settings(max_examples=150, deadline=None)
@given(task=FIGURE, shot=FIGURE, rows=st.lists(st.integers(1, 5), min_size=1, max_size=5), shots=st.integers(1, 10**7))
def test_an_estimate_is_the_exact_sum_rounded_up_and_its_parts_sum_to_it(
    task: float, shot: float, rows: list[int], shots: int
) -> None:
    priced = book(Price(provider="fake", kind="simulator", task="order", per_task=task, per_shot=shot))
    workloads = [overlaps_workload(rows=n) for n in rows]
    whole = estimate(workloads, on(None, shots), "fake", REMOTE, priced)
    circuits = sum(n * n for n in rows)
    exact = Fraction(repr(task)) + Fraction(repr(shot)) * circuits * shots
    assert whole.micros == ceil(exact * 1_000_000)
    parts = estimate_each(workloads, on(None, shots), "fake", REMOTE, priced)
    assert sum(part.micros for part in parts) == whole.micros
    assert [part.circuits for part in parts] == [n * n for n in rows]
    assert sum(part.shots for part in parts) == whole.shots == circuits * shots
    assert all(abs(part.micros - Fraction(whole.micros * part.circuits, circuits)) < 1 for part in parts)


def test_parts_of_an_order_without_circuits_share_its_fee() -> None:
    priced = book(Price(provider="fake", kind="simulator", task="order", per_task=0.000003))
    empty = overlaps_workload(rows=2)
    object.__setattr__(empty, "pairs", empty.pairs[:0])  # type: ignore[index]
    parts = estimate_each([empty, empty], CIRCUITS, "fake", REMOTE, priced)
    assert [part.micros for part in parts] == [2, 1]


def test_a_charge_that_the_provider_tells_counts_whatever_the_book_says() -> None:
    guess = estimate([overlaps_workload()], CIRCUITS, "remote", REMOTE, SHIPPED)
    told = Charge(123_456_789, "EUR")
    assert charge_of(JobStatus("completed", "DONE", charge=told), guess, SHIPPED) is told


def test_a_charge_by_the_second_is_by_the_seconds_that_ran() -> None:
    guess = estimate([overlaps_workload(rows=3)], on("ibm_fez"), "ibm", DEVICE, SHIPPED)
    assert charge_of(JobStatus("completed", "DONE", seconds={"run": 10.5, "queue": 900.0}), guess, SHIPPED) == Charge(
        16_800_000
    )
    assert charge_of(JobStatus("completed", "DONE"), guess, SHIPPED) == Charge(guess.micros)
    simulated = estimate([overlaps_workload(rows=3)], on("SV1"), "braket", REMOTE, SHIPPED)
    for ran, billed in ((0.2, 27), (27.0, 27), (30.0, 30)):  # nine tasks of at least 3 s
        status = JobStatus("completed", "COMPLETED", seconds={"run": ran})
        assert charge_of(status, simulated, SHIPPED) == Charge(billed * 1_250)


def test_a_charge_by_the_shot_is_the_estimate_and_outlives_the_price() -> None:
    guess = estimate([overlaps_workload(rows=3)], on("Garnet"), "braket", DEVICE, SHIPPED)
    status = JobStatus("completed", "COMPLETED", seconds={"run": 3.0})
    assert charge_of(status, guess, SHIPPED) == Charge(guess.micros, "USD")
    assert charge_of(status, guess, book()) == Charge(guess.micros, "USD")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: [", ["is not YAML"]),
        ("- 3", ["holds no price book"]),
        ("prices: []", ["version", "Field required"]),
        ("{version: yesterday, prices: []}", ["version"]),
        ("{version: 2026-11-22, prices: [{provider: x, kind: toaster}]}", ["prices.0.kind"]),
        ("{version: 2026-11-22, prices: [{provider: x, kind: simulator, per_shot: -1}]}", ["prices.0.per_shot"]),
        ("{version: 2026-11-22, prices: [{provider: x, kind: simulator, per_shot: .inf}]}", ["prices.0.per_shot"]),
        (
            "{version: 2026-11-22, prices: [{provider: x, kind: simulator, per_shots: 1}]}",
            ["per_shots", "Extra inputs"],
        ),
    ],
)
def test_a_bad_book_is_refused_with_file_and_field(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_prices(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_a_missing_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="Name a price book"):
        read_prices(tmp_path / "prices.yaml")
