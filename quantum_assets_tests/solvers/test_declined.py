import pickle

from quantum_assets.contracts.errors import PlanError
from quantum_assets.solvers.declined import Declined


def test_is_told_from_other_mistakes_and_survives_a_process_pool():
    no = pickle.loads(pickle.dumps(Declined("instance", "is too wide", "Use another")))
    assert isinstance(no, PlanError)
    assert type(no) is Declined
    assert str(no) == "instance: is too wide. Use another."
