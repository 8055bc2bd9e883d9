from datetime import UTC

from quantum_assets.execution.clock import SYSTEM_CLOCK, Clock, SystemClock


def test_the_system_clock_is_aware_and_goes_on() -> None:
    clock: Clock = SystemClock()
    assert clock == SYSTEM_CLOCK
    assert clock.now().tzinfo is UTC
    before = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - before >= 0.001


def test_less_than_nothing_is_not_waited_for() -> None:
    SYSTEM_CLOCK.sleep(-5)
