"""An optimisation study as one value: all that its steps need to know, checked against itself before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, Periods, ProblemSpec, QuantumSpec
from quantum_assets.contracts.profile import ExecutionProfile


@dataclass(frozen=True)
class OptimizationStudyPlan:
    """One study.

    Attributes:
        name: Key prefix of its assets.
        base: Folder that relative paths start from.
        problem: Which instance.
        periods: Months decided for; None: the problem has no periods.
        quantum: Circuit family, angles, training, samples.
        classical: Budget of the rivals.
        policy: Which path is published.
        profiles: Execution profiles by name.
        loop_profile: The profile of `quantum.loop`, resolved; None: no noisy evaluations.
    """

    name: str
    base: Path
    problem: ProblemSpec
    periods: Periods | None
    quantum: QuantumSpec
    classical: ClassicalSpec
    policy: DecisionPolicy
    profiles: Mapping[str, ExecutionProfile]
    loop_profile: ExecutionProfile | None = None

    def __post_init__(self) -> None:
        if (self.problem.kind == "portfolio") != (self.periods is not None):
            raise PlanError(
                f"study {self.name}: periods",
                f"{'are missing for' if self.periods is None else 'do not go with'} a {self.problem.kind}",
                "Give first and last month to a portfolio, and to no other problem",
            )
        if self.quantum.mixer != "x" and self.problem.kind != "portfolio":
            raise PlanError(
                f"study {self.name}: quantum.mixer",
                f"is {self.quantum.mixer}, and a {self.problem.kind} does not fix the number of ones",
                "Use mixer x",
            )
        if self.problem.kind == "qubo_file" and not (self.base / (self.problem.path or "")).is_file():
            raise PlanError(
                f"study {self.name}: problem.path",
                f"{self.problem.path} is not in {self.base.name}",
                "Put the file beside defs.yaml, or correct the path",
            )
        self._check_loop()

    def _check_loop(self) -> None:
        """Noisy evaluations run where answers are measured and come at once; shots are enough for one finalist."""
        name, loop, most = self.quantum.loop.profile, self.loop_profile, self.quantum.loop.max_shots
        whose = f"study {self.name}: quantum.loop.profile"
        if (name or None) != (loop.name if loop is not None else None):
            raise PlanError(whose, f"is {name}, and none of that name is resolved", "Resolve it from profiles.yaml")
        if loop is not None and loop.asynchronous:
            raise PlanError(
                whose,
                f"{name} is asynchronous, and every noisy evaluation waits for the one before",
                "Name a profile that answers at once",
            )
        if loop is not None and loop.estimator != "circuits":
            raise PlanError(
                whose,
                f"{name} has estimator {loop.estimator}, which measures no circuits",
                "Name a profile with estimator circuits",
            )
        for profile in self.profiles.values():
            if most is not None and profile.mode != "ideal" and (profile.shots or 0) > most:
                raise PlanError(
                    f"study {self.name}: quantum.loop.max_shots",
                    f"is {most}, and a single finalist takes {profile.shots} shots under profile {profile.name}",
                    "Allow as many at least, or leave max_shots out",
                )

    @property
    def fingerprint(self) -> str:
        """Hash of the question, whatever the profile; name and folder are not part of it."""
        return fingerprint(
            "optimization_study/v1",
            *(self.problem, self.periods, self.quantum, self.classical, self.policy),
        )

    @property
    def question_of_samples(self) -> str:
        """Hash of what samples of a month depend on, but for their profile: not on other months, rivals or policy."""
        return fingerprint("optimization_samples/v1", self.problem, self.quantum)
