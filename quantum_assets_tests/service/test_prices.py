import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.service.prices import Prices, circuits, shots
from quantum_assets_tests.service.samples import order
from quantum_assets_tests.trust.honest import overlaps_workload, samples_workload, states_workload


def test_an_order_costs_its_task_and_every_shot_of_every_circuit():
    prices = Prices(per_task=300_000, per_shot=4)
    assert prices.of(order(members=1)) == 300_000 + 4 * 100 * 4
    assert prices.of(order(members=2)) == 300_000 + (4 + 9) * 100 * 4


@pytest.mark.parametrize("members", [1, 2, 3, 7])
def test_the_shares_of_an_order_sum_to_its_price(members):
    asked = order(members=members)
    prices = Prices(per_task=100_001, per_shot=3)
    assert sum(prices.share(asked, at) for at in range(members)) == prices.of(asked)


def test_states_take_no_shots():
    assert shots(states_workload(5), None) == 0
    assert shots(overlaps_workload(3), 10) == 90
    assert (circuits(states_workload(5)), circuits(overlaps_workload(3))) == (5, 9)


def test_samples_take_their_shots_for_every_binding():
    assert (circuits(samples_workload(5)), shots(samples_workload(5), 10)) == (5, 50)


def test_decimal_text_is_read_exactly():
    assert Prices.read("0.30", "0.00035") == Prices(300_000, 350, "USD")
    assert Prices.read("0", "1e-6").per_shot == 1


@pytest.mark.parametrize("text", ["much", "NaN", "Infinity", "0.0000001", "-1"])
def test_other_text_is_refused(text):
    with pytest.raises(PlanError):
        Prices.read(text, "0")


def test_the_price_book_of_the_package_expects_the_default_prices():
    """Whoever rehearses with defaults on both sides sees estimates that are met to the micro."""
    from datetime import date

    from quantum_assets.contracts.jobs import Limits
    from quantum_assets.execution.cost import estimate, read_prices

    asked = order(members=2)
    book = read_prices()
    told = estimate(asked.workloads, asked.profile, "remote", Limits(durable=True), book)
    assert told.micros == Prices().of(asked)
    assert book.version >= date(2026, 1, 1)
    assert isinstance(asked.profile, ExecutionProfile)
