import os

from quantum_assets.execution.owner import Owner, alive
from quantum_assets_tests.faults.bodies import bodies


def test_bodies_live_until_they_are_killed_and_end_with_their_mother():
    with bodies() as mother:
        first, second = mother.born(), mother.born()
        assert len({first.owner, second.owner, str(Owner.current())}) == 3
        assert [alive(first.owner), alive(second.owner)] == [True, True]
        first.kill()
        assert [alive(first.owner), alive(second.owner)] == [False, True]
    while alive(second.owner):
        os.sched_yield()
