"""What the control ladder found, as values: rungs with their intervals, tests, and the sentence that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from quantum_assets.models.proportions import Interval

RungName = Literal["uniform", "product", "sampler", "greedy"]
Stage = Literal["raw", "repaired", "polished"]
Measure = Literal["optimum", "gap", "feasible"]
Finding = Literal["above", "not told apart from", "below"]


@dataclass(frozen=True)
class Rung:
    """One source of bits at one stage of the decoder.

    Attributes:
        name: `uniform` rows, the `product` of the sampler's marginals, the `sampler`, or the `greedy` row alone.
        stage: `raw` shots, `repaired`, or `polished` after the repair.
        shots: Shots that were decoded.
        optimum: Share of shots that are feasible and at least as good as the best known, with Wilson's interval.
        feasible: Share of feasible shots, with Wilson's interval.
        gap: Mean distance to the best known in the problem's unit, not negative unless a shot beats it, with its
            bootstrap interval; None for raw shots, where an infeasible row has no value.
        best_of: Expected gap of the best of k shots, by k; empty for raw shots.
        deterministic: Whether every shot is the same row, so that the intervals are points.
    """

    name: RungName
    stage: Stage
    shots: int
    optimum: Interval
    feasible: Interval
    gap: Interval | None
    best_of: tuple[tuple[int, float], ...] = ()
    deterministic: bool = False


@dataclass(frozen=True)
class Contrast:
    """The sampler against one control.

    Attributes:
        stage: Of the decoder.
        measure: What is compared.
        rival: `product` or `uniform`.
        difference: In favour of the sampler if positive: its share minus the rival's, or the rival's gap minus its own.
        test: How p was found.
        p_value: Two-sided.
        p_holm: Corrected for all contrasts of the ladder.
    """

    stage: Stage
    measure: Measure
    rival: RungName
    difference: float
    test: str
    p_value: float
    p_holm: float


@dataclass(frozen=True)
class Ladder:
    """The whole control ladder of one sampler on one instance.

    Attributes:
        kind: Family of the problem.
        instance: Its name.
        unit: Of gaps.
        best_known: Objective that gaps are measured from.
        shots: Of every rung.
        alpha: Level of tests and intervals.
        seed: Of controls and resampling.
        rungs: Every rung at every stage.
        contrasts: Every test; one family.
        names: What the controls are for people, by rung: which sample space they draw in.
    """

    kind: str
    instance: str
    unit: str
    best_known: float
    shots: int
    alpha: float
    seed: int
    rungs: tuple[Rung, ...]
    contrasts: tuple[Contrast, ...]
    names: Mapping[RungName, str] = field(default_factory=dict)

    def called(self, name: RungName) -> str:
        """A rung for people: of a control, what it knows and where it draws."""
        return self.names.get(name, _PLAIN[name])

    @property
    def last_stage(self) -> Stage:
        """The stage that a decision is published from."""
        return self.rungs[-1].stage

    def rung(self, name: RungName, stage: Stage | None = None) -> Rung:
        """One rung, at the last stage unless another is named; KeyError where there is none."""
        wanted = stage or self.last_stage
        for rung in self.rungs:
            if (rung.name, rung.stage) == (name, wanted):
                return rung
        raise KeyError((name, wanted))

    def finding(self, rival: RungName = "product", stage: Stage | None = None) -> Finding:
        """What the tests say of the sampler against one control at one stage, by default the last.

        A contrast speaks if Holm's p is below alpha. If optimum and gap speak in different directions, neither counts.
        """
        wanted = stage or self.last_stage
        said = {
            contrast.difference > 0
            for contrast in self.contrasts
            if (contrast.stage, contrast.rival) == (wanted, rival) and contrast.p_holm < self.alpha
        }
        if len(said) != 1:
            return "not told apart from"
        return "above" if said.pop() else "below"

    def sentence(self) -> str:
        """The finding with its numbers, one sentence."""
        own, product, uniform = (self.rung(name) for name in ("sampler", "product", "uniform"))
        return (
            f"After the {self.last_stage} stage the sampler is {self.finding()} the {self.called('product')}: "
            f"P(optimum) {_spell(own.optimum)} against {_spell(product.optimum)} ({self.called('uniform')} "
            f"{_spell(uniform.optimum)}), mean gap in {self.unit} {_spell(own.gap)} against {_spell(product.gap)} "
            f"({self.called('uniform')} {_spell(uniform.gap)}); {self.shots} shots each."
        )

    def rows(self) -> tuple[Mapping[str, str | float | int | None], ...]:
        """One row a rung and stage, for a table; p values against each control stand in the sampler's rows."""
        return tuple(self._row(rung) for rung in self.rungs)

    def _row(self, rung: Rung) -> Mapping[str, str | float | int | None]:
        tests = {
            f"{measure}_p_holm_{rival}": next(
                (
                    c.p_holm
                    for c in self.contrasts
                    if rung.name == "sampler" and (c.stage, c.measure, c.rival) == (rung.stage, measure, rival)
                ),
                None,
            )
            for measure in ("optimum", "gap", "feasible")
            for rival in ("product", "uniform")
        }
        return {
            "stage": rung.stage,
            "rung": rung.name,
            "shots": rung.shots,
            **_columns("optimum", rung.optimum),
            **_columns("gap", rung.gap),
            **_columns("feasible", rung.feasible),
            **tests,
        }


_PLAIN: Mapping[RungName, str] = {
    "uniform": "uniform bits",
    "product": "product of its marginals",
    "sampler": "sampler",
    "greedy": "greedy row",
}


def _columns(name: str, interval: Interval | None) -> Mapping[str, float | None]:
    if interval is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _spell(interval: Interval | None) -> str:
    if interval is None:
        return "unknown"
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
