from dataclasses import dataclass, field

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.tuning import quiet_machine, tune
from quantum_assets_tests.models.studies import SMALL, blobs, features_of, gaussian, kernel_learner

DATA = blobs()
FEATURES = features_of(DATA, SMALL)


@dataclass
class Planned:
    """A learner whose share of right answers is written in its configuration, and which records where it was opened."""

    shares: tuple
    name: str = "planned"
    family: str = "classical"
    opened: list = field(default_factory=list)

    def grid(self):
        return tuple({"place": place, "share": share} for place, share in enumerate(self.shares))

    def configurations(self, budget, seed):
        return self.grid()[:budget]

    def open(self, dataset, split, *, final):
        self.opened.append((split.split_id, final))
        truth = dataset.labels[split.rows[~split.train]]

        def fit(configuration):
            right = np.arange(len(truth)) < round(configuration["share"] * len(truth))
            return np.where(right, truth, 1 - truth)

        return fit

    def circuits(self, outer, inner, tried):
        return 0


ACCURACY = SMALL.model_copy(update={"metric": "accuracy"})


def test_chooses_the_best_mean_over_the_inner_folds_of_this_split_only():
    learner = Planned((0.5, 0.9, 0.7))
    tuned = tune(learner, DATA, FEATURES, "r1f2", ACCURACY)
    assert tuned.configuration == {"place": 1, "share": 0.9}
    assert tuned.inner_score == pytest.approx(0.9)
    assert len(tuned.tried) == 3
    assert learner.opened == [("r1f2/i0", False), ("r1f2/i1", False)]


def test_a_tie_goes_to_the_earliest():
    assert tune(Planned((0.5, 0.8, 0.8, 0.8)), DATA, FEATURES, "full", ACCURACY).configuration["place"] == 1


def test_the_budget_may_be_given():
    assert len(tune(Planned((0.5,) * 9), DATA, FEATURES, "full", ACCURACY).tried) == SMALL.budget
    assert len(tune(Planned((0.5,) * 9), DATA, FEATURES, "full", ACCURACY, budget=7).tried) == 7


def test_finds_the_bandwidth_that_separates():
    assert tune(kernel_learner(gaussian), DATA, FEATURES, "full", SMALL, budget=15).inner_score > 0.75


@pytest.mark.parametrize(("split", "problem"), [("r9f9", "is not among"), ("r0f0/i0", "has no inner folds")])
def test_refuses_a_split_it_cannot_tune_on(split, problem):
    with pytest.raises(PlanError, match=problem):
        tune(Planned((0.5,)), DATA, FEATURES, split, SMALL)


def test_the_machine_is_quiet_inside_and_as_before_outside():
    from threadpoolctl import threadpool_info

    np.linalg.norm(np.ones((2, 2)))
    before = [pool["num_threads"] for pool in threadpool_info()]
    with quiet_machine():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before
