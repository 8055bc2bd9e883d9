"""In which order `quantum-assets run` starts Dagster runs: what the decisions of a month share is made once for all.

A study without months is one run a profile. A month is its problem first, then a decision for every profile at the same
time, then the comparison of the profiles. Months and studies wait for one another nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from quantum_assets.cli.report import Job, Outcome


@dataclass(frozen=True)
class Task:
    """One Dagster run.

    Attributes:
        name: Of the Dagster job.
        key: Partition.
        serves: What was asked for that needs it.
        after: Tasks that must have succeeded before.
    """

    name: str
    key: str
    serves: tuple[Job, ...]
    after: tuple["Task", ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a task ended.

    Attributes:
        seconds: It took.
        run_id: Dagster's.
        problem: Empty on success.
    """

    seconds: float
    run_id: str
    problem: str = ""


def tasks_of(jobs: Sequence[Job]) -> tuple[Task, ...]:
    """The Dagster runs behind some jobs, each after those that it needs."""
    tasks = [Task(f"{job.study}_job", job.key, (job,)) for job in jobs if not job.period]
    for study, period in dict.fromkeys((job.study, job.period) for job in jobs if job.period):
        serves = tuple(job for job in jobs if (job.study, job.period) == (study, period))
        problem = Task(f"{study}_problem_job", period, serves)
        decisions = tuple(Task(f"{study}_job", job.key, (job,), (problem,)) for job in serves)
        tasks += [problem, *decisions, Task(f"{study}_modes_job", period, serves, decisions)]
    return tuple(tasks)


@dataclass
class Agenda:
    """What is to be started, and what came of it.

    Attributes:
        tasks: All of them.
        ended: Those that ended, with how.
        started: Those handed out.
    """

    tasks: tuple[Task, ...]
    ended: dict[Task, Ended] = field(default_factory=dict)
    started: set[Task] = field(default_factory=set)

    def due(self) -> tuple[Task, ...]:
        """Tasks that can be started now, each handed out once.

        A comparison of profiles waits for all decisions of its month, and is made for those that succeeded.
        """
        found = tuple(task for task in self.tasks if task not in self.started and self._may_start(task))
        self.started.update(found)
        return found

    def note(self, task: Task, how: Ended) -> tuple[Outcome, ...]:
        """A task has ended.

        Returns:
            Outcomes of the jobs that are finished by it: all their tasks ended, or one that they need failed.
        """
        open_before = {job for job in task.serves if not self._is_finished(job)}
        self.ended[task] = how
        return tuple(self._outcome(job) for job in task.serves if job in open_before and self._is_finished(job))

    def _may_start(self, task: Task) -> bool:
        if any(before not in self.ended for before in task.after if not self._is_dead(before)):
            return False
        return not task.after or any(before in self.ended and not self.ended[before].problem for before in task.after)

    def _is_dead(self, task: Task) -> bool:
        """Whether it will never start, for nothing that it comes after succeeded."""
        return bool(task.after) and all(before in self.ended and self.ended[before].problem for before in task.after)

    def _is_finished(self, job: Job) -> bool:
        mine = [task for task in self.tasks if job in task.serves]
        return any(task in self.ended and self.ended[task].problem for task in mine) or all(
            task in self.ended for task in mine
        )

    def _outcome(self, job: Job) -> Outcome:
        """Its decision's run, or the one that failed; the time is that of all its runs."""
        ends = [(task, self.ended[task]) for task in self.tasks if job in task.serves and task in self.ended]
        failed = [how for _, how in ends if how.problem]
        told = failed[0] if failed else next(how for task, how in ends if task.key == job.key)
        return Outcome(job, sum(how.seconds for _, how in ends), told.run_id, told.problem)
