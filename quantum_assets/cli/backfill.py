"""`quantum-assets backfill`: ask the Dagster instance for many partitions of a study in one go, and go away.

It is one backfill of Dagster over assets, as the UI's Materialize button makes them: the daemon of `quantum-assets ui`
makes each month's problem, its decisions after that, and its outcome last, a run a partition, and goes on after a crash
where it was.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_assets.cli.options import home_option
from quantum_assets.contracts.errors import QuantumAssetsError

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

#: What is asked for: name of an asset in its study to its partition keys; none for an asset without partitions.
Targets = Mapping[str, tuple[str, ...]]

_ASK = """
mutation Ask($wanted: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $wanted) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""
_GRAPHQL = "from dagster_graphql.cli import main; main()"
_AFTER_A_CRASH = {"key": "dagster/max_retries", "value": "2"}


@click.command(epilog="Example: quantum-assets backfill sp500_portfolio --profile ideal")
@click.argument("study")
@click.option("--profile", "profiles", multiple=True, help="Profile to run under; repeat for several. Default: first.")
@click.option("--period", "periods", multiple=True, help="Month to decide for; repeat for several. Default: all.")
@home_option
def backfill(study: str, profiles: tuple[str, ...], periods: tuple[str, ...], home: Path) -> None:
    """Ask for every partition of a study at once; the daemon works them off unattended.

    The daemon is the one of `quantum-assets ui`. It may be stopped and started again meanwhile.
    """
    from quantum_assets.cli.rehearsal_tools import environment_of

    wanted = targets(graph_of(home), study, profiles, periods)
    name = ask(study, wanted, environment_of(home))
    click.echo(f"Backfill {name}: {sum(max(1, len(keys)) for keys in wanted.values())} partitions of {study}'s assets.")
    click.echo("`quantum-assets ui` works on it and shows it under Runs, Backfills.")


def graph_of(home: Path) -> "BaseAssetGraph[Any]":
    """The assets that a home's code location defines."""
    from quantum_assets.cli.run import quiet_previews
    from quantum_assets.definitions import build_defs

    quiet_previews()
    return build_defs(home).resolve_asset_graph()


def targets(
    graph: "BaseAssetGraph[Any]", study: str, profiles: Sequence[str] = (), periods: Sequence[str] = ()
) -> Targets:
    """The partitions of every asset of a study that some profiles and months touch.

    Args:
        graph: From `graph_of`.
        study: Its name.
        profiles: Wanted; empty for the study's first.
        periods: Wanted; empty for all.

    Raises:
        PlanError: For an unknown study, or a profile or month that it does not have.
    """
    from quantum_assets.cli.run import available_studies, plan_jobs
    from quantum_assets.orchestration.partitions import PERIOD, PROFILE

    offers = available_studies(graph)
    months = periods or (offers[study].periods if study in offers else ())
    jobs = plan_jobs(offers, [study], profiles, months)
    chosen = {PERIOD: {job.period for job in jobs}, PROFILE: {job.profile for job in jobs}}
    found: dict[str, tuple[str, ...]] = {}
    for key in sorted(graph.materializable_asset_keys):
        partitions = graph.get(key).partitions_def
        if key.path[0] == study:
            keys = () if partitions is None else tuple(map(str, partitions.get_partition_keys()))
            found[key.path[-1]] = tuple(key for key in keys if _is_chosen(key, chosen))
    return found


def _is_chosen(key: str, chosen: Mapping[str, set[str]]) -> bool:
    from quantum_assets.orchestration.partitions import dimensions_of

    return all(value in chosen[name] for name, value in dimensions_of(key).items())


def ask(study: str, wanted: Targets, environment: Mapping[str, str]) -> str:
    """Put one backfill into the instance that the environment names, through Dagster's GraphQL.

    Args:
        study: Whose assets.
        wanted: Which partitions of them.
        environment: With `DAGSTER_HOME`.

    Returns:
        The backfill's id.

    Raises:
        QuantumAssetsError: If Dagster refuses it.
    """
    from quantum_assets.cli.instance import WORKSPACE, project_file

    variables = json.dumps({"wanted": _parameters(study, wanted)})
    command = [sys.executable, "-c", _GRAPHQL, "--workspace", str(project_file(WORKSPACE)), "--text", _ASK]
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--variables", variables], env=dict(environment), capture_output=True, text=True, check=False
    )
    answer = _answer_in(done.stdout)
    if "backfillId" not in answer:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise QuantumAssetsError(
            f"study {study}",
            f"its backfill was refused: {answer.get('message', last)}",
            "Check that the definitions load, with `quantum-assets check`",
        )
    return str(answer["backfillId"])


def _parameters(study: str, wanted: Targets) -> dict[str, Any]:
    """As GraphQL wants it; each key is a range of its own, for a product of dimensions has no order."""
    return {
        "partitionsByAssets": [
            {
                "assetKey": {"path": [study, asset]},
                **({"partitions": {"ranges": [{"start": key, "end": key} for key in keys]}} if keys else {}),
            }
            for asset, keys in wanted.items()
        ],
        "tags": [{"key": "quantum_assets/study", "value": study}, _AFTER_A_CRASH],
        "title": f"Backfill of {study}",
    }


def _answer_in(output: str) -> dict[str, Any]:
    """The answer among what else the command prints."""
    for line in output.splitlines():
        if line.startswith('{"data"'):
            found: dict[str, Any] = (json.loads(line)["data"] or {}).get("launchPartitionBackfill") or {}
            return found
    return {}
