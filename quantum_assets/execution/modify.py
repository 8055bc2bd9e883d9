"""Change one thing of a profile before the next try, and say in a sentence what it was.

A rule lists its changes in the order in which they are tried; try n makes the n-th, and later tries go on with the last
one (shots are halved again and again, down to the floor). A change that has no room left gives its turn to the next in
the list; when none has, there is nothing to modify and the caller falls back.

What `split` means: an order is packed from at most `batching.max_workloads` workloads, and that number is halved. It
never touches `guardrails.max_circuits`, which would refuse the workload instead of splitting it; a single workload that
is too large for an order is split by the provider's own `Limits.max_circuits`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.failure import Knob, Modification, Rule
from quantum_assets.contracts.profile import ExecutionProfile

#: What a profile may ask for at most, whatever a rule says.
MOST_SHOTS = 10_000_000
_HIGHEST_LEVEL = 3
_SEEDS = 2**63

Modified = tuple[ExecutionProfile, str]


def modify(
    profile: ExecutionProfile, by: Rule | Sequence[Modification], tries: int, *, ordered: int | None = None
) -> Modified | None:
    """The profile for the next try, and what is other about it.

    Args:
        profile: As the last try ran it.
        by: The rule that matched, or its list of changes.
        tries: How many tries were made after the first: 0 makes the first change of the list.
        ordered: Workloads in the order that failed, where the caller knows: half of these is what `split` leaves, and
            one cannot be split.

    Returns:
        The changed profile and one sentence, such as ``shots 4096 → 2048``; None when nothing is left to change.

    Raises:
        PlanError: If `tries` is negative.
    """
    if tries < 0:
        raise PlanError("tries", f"is {tries}", "Count the tries after the first: 0, 1, …")
    changes = tuple(by.modify if isinstance(by, Rule) else by)
    for change in changes[min(tries, len(changes) - 1) if changes else 0 :]:
        modified = _split(profile, change, ordered) if change.knob == "split" else _KNOBS[change.knob](profile, change)
        if modified is not None:
            return modified
    return None


def candidates(profile: ExecutionProfile) -> tuple[ExecutionProfile, ...]:
    """The profile on each of its backends: as it is, then moved to every alternative, in its order."""
    names = dict.fromkeys((profile.backend, *profile.alternatives))
    return tuple(moved(profile, name) for name in names)


def moved(profile: ExecutionProfile, backend: str | None) -> ExecutionProfile:
    """The profile on another of its backends; the others are its alternatives, in the profile's order."""
    if backend == profile.backend:
        return profile
    others = dict.fromkeys(name for name in (profile.backend, *profile.alternatives) if name not in (None, backend))
    return _with(profile, backend=backend, alternatives=tuple(others))


def _shots(profile: ExecutionProfile, change: Modification) -> Modified | None:
    """Times the factor; at or above the floor for fewer, at or below it for more (a floor of 1 is then no bound)."""
    if profile.shots is None:
        return None
    wanted = int(profile.shots * change.factor)
    if change.factor < 1:
        shots = min(max(wanted, change.floor, 1), profile.shots)
    else:
        shots = max(min(wanted, change.floor if change.floor > 1 else MOST_SHOTS, MOST_SHOTS), profile.shots)
    if shots == profile.shots:
        return None
    return _with(profile, shots=shots), f"shots {profile.shots} → {shots}"


def _seed(profile: ExecutionProfile, change: Modification) -> Modified:  # noqa: ARG001 - every knob is asked alike
    seed = (profile.seed + 1) % _SEEDS
    return _with(profile, seed=seed), f"seed {profile.seed} → {seed}"


def _backend(profile: ExecutionProfile, change: Modification) -> Modified | None:  # noqa: ARG001 - as above
    """The alternative after the present one; the first, while the profile's own is in use."""
    others = profile.alternatives
    if profile.backend in others:
        others = others[others.index(profile.backend) + 1 :]
    following = next((name for name in others if name != profile.backend), None)
    if following is None:
        return None
    return _with(profile, backend=following), f"backend {profile.backend or 'of the provider'} → {following}"


def _optimization_level(profile: ExecutionProfile, change: Modification) -> Modified | None:  # noqa: ARG001 - as above
    level = profile.transpilation.optimization_level
    if level >= _HIGHEST_LEVEL:
        return None
    higher = profile.transpilation.model_copy(update={"optimization_level": level + 1})
    return _with(profile, transpilation=higher), f"optimization_level {level} → {level + 1}"


def _split(profile: ExecutionProfile, change: Modification, ordered: int | None) -> Modified | None:
    """Half as many workloads an order, rounded down, at or above the floor."""
    most = min(profile.batching.max_workloads, ordered or profile.batching.max_workloads)
    fewer = max(most // 2, change.floor)
    if fewer >= most:
        return None
    smaller = profile.batching.model_copy(update={"max_workloads": fewer})
    return _with(profile, batching=smaller), f"workloads an order {most} → {fewer}"


def _with(profile: ExecutionProfile, **changes: Any) -> ExecutionProfile:
    """A changed copy that passed every check of a profile again."""
    return ExecutionProfile.model_validate({**dict(profile), **changes})


_KNOBS: dict[Knob, Callable[[ExecutionProfile, Modification], Modified | None]] = {
    "shots": _shots,
    "seed": _seed,
    "backend": _backend,
    "optimization_level": _optimization_level,
}
