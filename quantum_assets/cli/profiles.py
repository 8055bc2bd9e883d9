"""`quantum-assets profiles`: the ways to run that this installation knows, with their limits."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from quantum_assets.contracts.profile import ExecutionProfile


@click.command(epilog="Example: quantum-assets profiles")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another profiles.yaml; by default the one in the defs folder.",
)
def profiles(file: Path | None) -> None:
    """Print the execution profiles and their limits.

    A profile says how to run and is the partition key of every quantum asset.
    """
    import quantum_assets
    from quantum_assets.orchestration.profiles import FILE_NAME, read_profiles

    path = file or Path(quantum_assets.__file__).parent / "defs" / FILE_NAME
    for name, profile in read_profiles(path).items():
        click.secho(name, bold=True)
        for line in described(profile):
            click.echo(f"  {line}")


def described(profile: "ExecutionProfile") -> list[str]:
    """What a person wants to know of a profile, a line each."""
    limits, noise = profile.guardrails, profile.noise
    samples = "all samples" if limits.max_samples is None else f"{limits.max_samples} samples"
    memory = f"{limits.max_memory_bytes / 1e9:.1f} GB"
    lines = [
        " ".join(profile.description.split()),
        f"mode {profile.mode}, estimator {profile.estimator}, on {' or '.join(profile.providers)}",
        f"{profile.shots} shots an entry, seed {profile.seed}" if profile.shots is not None else "no shots",
        f"at most {limits.max_qubits} qubits, {samples}, {limits.max_circuits:,} circuits, {memory}",
    ]
    if profile.backend is not None:
        suitable = profile.routing.choose == "suitable"
        chosen = ": whichever is wide enough and best by queue and two-qubit error" if suitable else ""
        lines.append("backend " + ", or ".join((profile.backend, *profile.alternatives)) + chosen)
    lines.append(_waiting(profile))
    lines.append(_standing_in(profile))
    if noise is not None:
        given = noise.model_dump(exclude_none=True)
        spoken = [f"{name} {value:g}" for name, value in given.items() if not isinstance(value, str)]
        lines.append("simulated noise: " + (f"as {noise.backend} has it" if noise.backend else ", ".join(spoken)))
    return [line for line in lines if line]


def _waiting(profile: "ExecutionProfile") -> str:
    how = "asynchronous: submits, and the sensor collects" if profile.asynchronous else "waits for its answer"
    limit = "" if profile.deadline_seconds is None else f", within {profile.deadline_seconds:g} s"
    return f"{how}{limit}; project {profile.project} pays"


def _standing_in(profile: "ExecutionProfile") -> str:
    policy = profile.routing
    if policy.prefer != "quantum":
        path = f"prefers the {policy.prefer} path, with {policy.fallback}"
    else:
        path = (
            f"falls back to {policy.fallback}"
            if policy.fallback is not None
            else "no fallback: a failure is the answer"
        )
    return path if policy.flag else f"{path}; the quantum path is switched off"
