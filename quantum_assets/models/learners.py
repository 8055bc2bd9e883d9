"""The seam of the comparison: what every model of a study, quantum or classical, must offer; and the kernel classifier.

A `Learner` is opened on one prepared split and gives back a function that fits a configuration on the split's train
rows and answers for its test rows. What a split's fits share (a Gram matrix, scaled columns) lives in that function
and goes with it, so that nothing grows with the number of splits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from quantum_assets.contracts.dataset import Dataset, PreparedSplit
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.evaluation import Family
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models import machine
from quantum_assets.models.grids import Configuration, draw
from quantum_assets.models.scoring import Metric, score

GramSource = Callable[[PreparedSplit, FeatureMapSpec, float], FloatArray]
"""Kernel values between all rows of a split, in their order, for one map and bandwidth; shape `(n_rows, n_rows)`."""

Fitter = Callable[[Configuration], IntArray]
"""Fits one configuration on the train rows and returns the class index of each test row."""


class Learner(Protocol):
    """One model family with its grid, as the protocol sees it."""

    @property
    def name(self) -> str:
        """Unique within a study."""
        ...

    @property
    def family(self) -> Family:
        """Its side of the comparison."""
        ...

    def grid(self) -> tuple[Configuration, ...]:
        """Every configuration it can be tuned over, from simple to complex; a floor has one."""
        ...

    def configurations(self, budget: int, seed: int) -> tuple[Configuration, ...]:
        """Exactly `min(budget, len(grid()))` of them, in grid order; the same for the same seed."""
        ...

    def open(self, dataset: Dataset, split: PreparedSplit, *, final: bool) -> Fitter:
        """Get ready to fit on one split; `final` for the score that is reported, not for tuning."""
        ...

    def circuits(self, outer: PreparedSplit, inner: Sequence[PreparedSplit], tried: Sequence[Configuration]) -> int:
        """Circuits a device would have run for one outer fold, tuning included; 0 for classical models."""
        ...


def judge_split(
    learner: Learner,
    configurations: Sequence[Configuration],
    dataset: Dataset,
    split: PreparedSplit,
    metric: Metric,
    *,
    final: bool,
) -> tuple[float, ...]:
    """Fit each configuration on the train rows of a split and score it on its test rows, in [0, 1].

    Raises:
        PlanError: For a split without train or without test rows.
    """
    truth = dataset.labels[split.rows[~split.train]]
    if not len(truth) or not split.train.any():
        raise PlanError(
            f"split {split.split_id}",
            f"has {len(split.rows) - len(truth)} train and {len(truth)} test rows",
            "Score an outer or an inner fold, with fewer folds or more rows where they run empty",
        )
    fit = learner.open(dataset, split, final=final)
    return tuple(score(metric, truth, fit(configuration)) for configuration in configurations)


@dataclass(frozen=True, eq=False)
class KernelLearner:
    """Support vector machine on Gram matrices of feature maps: the quantum side, and its ablation.

    The grid is (map, bandwidth) x C. A Gram matrix is asked for once a split, map and bandwidth, and used for every C.

    Two sources, because device time is scarce: `selection` serves tuning, `final` the reported score. They are the same
    where matrices are cheap. Where a profile is priced by the pair, `selection` is the ideal kernel, and only the
    chosen configuration is run under the profile. That leaks nothing: tuning sees inner folds of training rows alone,
    whichever source it asks; what it may cost is a configuration that suits the ideal kernel better than the noisy one.

    Attributes:
        name: Unique within a study.
        family: `quantum` or `ablation`.
        maps: Feature maps with their bandwidths; maps of one name are one map with the bandwidths of all.
        c_grid: Values of the penalty C.
        selection: Gram matrices for tuning.
        final: Gram matrices for the reported score and the refit.
    """

    name: str
    family: Family
    maps: Sequence[FeatureMapSpec]
    c_grid: Sequence[float]
    selection: GramSource
    final: GramSource

    def grid(self) -> tuple[Configuration, ...]:
        """Maps in order, bandwidths and C ascending: a tie goes to the smoothest kernel and the widest margin."""
        return tuple(
            {"map": name, "bandwidth": bandwidth, "C": c}
            for name, spec in self._specs().items()
            for bandwidth in sorted(spec.bandwidths)
            for c in sorted(self.c_grid)
        )

    def configurations(self, budget: int, seed: int) -> tuple[Configuration, ...]:
        """Every (map, bandwidth) appears once `budget` is as large as their number."""
        return draw(self.grid(), budget, seed, first=("map", "bandwidth"))

    def open(self, dataset: Dataset, split: PreparedSplit, *, final: bool) -> Fitter:
        """Keeps the last Gram matrix only: configurations come in grid order, which groups them by matrix."""
        labels = dataset.labels[split.rows[split.train]]
        last: dict[tuple[str, float], tuple[machine.TrainingKernel, FloatArray]] = {}

        def fit(configuration: Configuration) -> IntArray:
            key = configuration["map"], configuration["bandwidth"]
            if key not in last:
                gram = self.gram(split, configuration, final=final)
                last.clear()
                last[key] = (
                    machine.training_kernel(gram[np.ix_(split.train, split.train)]),
                    gram[~split.train][:, split.train],
                )
            kernel, test_rows = last[key]
            return machine.predict(machine.fit(kernel, labels, configuration["C"]), test_rows)

        return fit

    def gram(self, split: PreparedSplit, configuration: Configuration, *, final: bool) -> FloatArray:
        """The symmetric Gram matrix of one configuration over a split's rows.

        Where a source estimates (i, j) and (j, i) apart, as noisy circuits do, both entries are their mean, for train
        and test rows alike.

        Raises:
            PlanError: For a map that is not of this learner, or a source that answers with another shape.
        """
        spec = self._specs().get(configuration["map"])
        if spec is None:
            raise PlanError(
                f"{self.name}: map {configuration['map']}",
                f"is not one of {', '.join(self._specs())}",
                "Name one of them",
            )
        source = self.final if final else self.selection
        values = source(split, spec, configuration["bandwidth"])
        if values.shape != (len(split.rows), len(split.rows)):
            raise PlanError(
                f"{self.name}: Gram source for {spec.name}",
                f"gave shape {values.shape} for {len(split.rows)} rows of split {split.split_id}",
                "Return kernel values between all rows of the split, in their order",
            )
        symmetric: FloatArray = (values + values.T) / 2
        return symmetric

    def circuits(self, outer: PreparedSplit, inner: Sequence[PreparedSplit], tried: Sequence[Configuration]) -> int:
        """One circuit a kernel entry: pairs of train rows, and test x train; the diagonal is 1 and not run.

        The final matrix counts once. Tuning adds one matrix an inner fold and distinct (map, bandwidth) tried where it
        asks the same source; a separate `selection` source is a simulation that no device would be asked for.
        """
        kernels = len({(c["map"], c["bandwidth"]) for c in tried}) if self.selection == self.final else 0
        return _entries(outer) + kernels * sum(_entries(split) for split in inner)

    def _specs(self) -> dict[str, FeatureMapSpec]:
        merged: dict[str, FeatureMapSpec] = {}
        for spec in self.maps:
            known = merged.get(spec.name, spec)
            bandwidths = tuple(dict.fromkeys([*known.bandwidths, *spec.bandwidths]))
            merged[spec.name] = known.model_copy(update={"bandwidths": bandwidths})
        return merged


def without_entanglers(learner: KernelLearner, name: str = "no_entanglers") -> KernelLearner:
    """The ablation: the same learner, budget and bandwidths on the same maps without multi-qubit gates.

    Bowles, Ahmed and Schuld (2024), arXiv:2403.07059: taking entanglement out is often no worse.
    """
    maps = tuple(spec.without_entanglers() for spec in learner.maps)
    return replace(learner, name=name, family="ablation", maps=maps)


def common_budget(learners: Sequence[Learner], budget: int) -> int:
    """The number of configurations every tuned learner tries: `budget`, or the smallest grid where that is smaller.

    Args:
        learners: All of a study; floors are not tuned and do not count.
        budget: The protocol's wish.

    Returns:
        One number for all of them, at least 1.

    Raises:
        PlanError: For an empty grid, naming the learner.
    """
    sizes = {learner.name: len(learner.grid()) for learner in learners if learner.family != "floor"}
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        raise PlanError(f"learner {empty[0]}", "has an empty grid", "Give it maps, bandwidths and values of C")
    return min([budget, *sizes.values()])


def _entries(split: PreparedSplit) -> int:
    train = int(np.count_nonzero(split.train))
    return train * (train - 1) // 2 + (len(split.rows) - train) * train
