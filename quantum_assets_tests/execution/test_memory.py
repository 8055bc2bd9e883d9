"""What a process knows by itself, and for how long."""

import gc

from quantum_assets.execution.memory import Memory
from quantum_assets_tests.execution.fakes import question


def test_a_workload_is_known_as_long_as_somebody_holds_it() -> None:
    memory, held = Memory(), question()
    memory.remember(held)
    assert memory.workload(held.fingerprint) is held
    name = held.fingerprint
    del held
    gc.collect()
    assert memory.workload(name) is None


def test_one_that_was_read_from_disk_stays_for_a_while_only() -> None:
    memory = Memory()
    names = [memory.hold(question(number)).fingerprint for number in range(40)]
    gc.collect()
    assert memory.workload(names[-1]) is not None
    assert memory.workload(names[0]) is None


def test_watching_begins_with_the_first_question() -> None:
    memory = Memory()
    assert memory.watched("a", 100.0) == 0
    assert memory.watched("a", 130.0) == 30
    assert memory.watched("b", 130.0) == 0
