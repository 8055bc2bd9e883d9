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
    from quantum_assets.components.profiles import FILE_NAME, read_profiles

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
    if noise is not None:
        lines.append("simulated noise: " + ", ".join(f"{name} {value:g}" for name, value in noise.model_dump().items()))
    return [line for line in lines if line]
