"""A vendor whose shots are of the circuit that it was given, washed out by noise, and the world that it lives in."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from quantum_assets.components.quantum_loop import Loop
from quantum_assets.components.quantum_sampler import Trained, trained
from quantum_assets.components.quantum_start import origin_of
from quantum_assets.contracts.envelope import Samples
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.optimization import LoopSpec, ProblemSpec, QuantumSpec
from quantum_assets.contracts.problem import Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.execution.session import Session
from quantum_assets.problems.build import build
from quantum_assets.problems.reduction import reduce
from quantum_assets.qaoa.engine import Engine
from quantum_assets.qaoa.sampling import draw
from quantum_assets_tests.execution.fakes import VENDOR, DurableVendor, World
from quantum_assets_tests.trust.honest import NOISY

#: Where noisy evaluations run, and what is asked for; the vendor answers both.
REFINES = VENDOR.model_copy(update={"name": "refines", "shots": 64})
ASKED = NOISY.model_copy(update={"name": "asked", "shots": 256, "providers": ("vendor",)})
LOOP = LoopSpec(profile="refines", evaluations=12, finalists=3)
SPEC = QuantumSpec(layers=2, training={"evaluations": 40}, loop=LOOP)


@dataclass
class Sampler(DurableVendor):
    """Draws from the exact state at the angles that are bound, mixed with uniform bits.

    Attributes:
        engine: Of the ansatz.
        noise: Share of uniform bits.
        asked: Angles of every fetched workload, gammas then betas, in order.
    """

    engine: Engine | None = None
    noise: float = 0.3
    asked: list[FloatArray] = field(default_factory=list)

    def fetch(self, job: str, order: Order) -> Any:
        claims = super().fetch(job, order)
        ran = self._job(job).order
        return tuple(
            replace(
                claim,
                data=self._samples(workload.bindings[0], ran.profile),
                crosscheck_difference=None,
                crosscheck_zscore=1.0,
                circuits_run=1,
            )
            for claim, workload in zip(claims, ran.workloads, strict=True)
        )

    def _samples(self, bound: FloatArray, profile: ExecutionProfile) -> Samples:
        assert self.engine is not None
        assert profile.shots is not None
        half = len(bound) // 2
        angles = np.concatenate([bound[half:], bound[:half]])  # a circuit's parameters are betas, then gammas
        self.asked.append(angles)
        exact = self.engine.probabilities(angles)
        weights = (1 - self.noise) * exact / exact.sum() + self.noise / len(exact)
        seed = (profile.seed, len(profile.name))
        return Samples(draw(self.engine.diagonal, weights, profile.shots, seed).packed[None], profile.shots)


def kernel() -> Problem:
    """The Petersen graph to be cut, reduced to seven spins."""
    return reduce(build(ProblemSpec(kind="max_cut", graph="petersen"), Path(), ""), 7)


def ready_for(spec: QuantumSpec) -> Trained:
    """The ansatz of that instance, trained exactly."""
    asked = kernel()
    return trained(asked.encode(), spec, "toy", origin=origin_of(asked, spec, "toy"))


def world_of(home: Path, ready: Trained) -> tuple[World, Sampler]:
    """A world whose vendor runs that ansatz."""
    world = World(home)
    vendor = Sampler(world.clock, engine=ready.engine)
    world.vendor = vendor
    return world, vendor


def session_of(world: World, run: str = "run-1") -> Session:
    """A session of study `toy`."""
    return Session(world.plane(), "toy", "p", run, run)


def loop_of(ready: Trained, world: World, *, run: str = "run-1", **changes: Any) -> Loop:
    """The loop of that partition; `changes` are fields of `Loop`, or `loop` for fields of its `LoopSpec`."""
    loop = LoopSpec(**{**LOOP.model_dump(), **changes.pop("loop", {})})
    made = {"refines": REFINES, "profile": ASKED, "session": session_of(world, run), "label": "toy", **changes}
    return Loop(ready=ready, kernel=kernel(), spec=SPEC.model_copy(update={"loop": loop}), **made)
