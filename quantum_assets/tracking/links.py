"""Links both ways: from an asset to its MLflow run, and from the run back to Dagster."""

from urllib.parse import quote


def run_url(ui_url: str, experiment_id: str, run_id: str) -> str:
    """Where the MLflow UI at `ui_url` shows a run."""
    return f"{ui_url.rstrip('/')}/#/experiments/{quote(experiment_id, safe='')}/runs/{quote(run_id, safe='')}"


def dagster_tags(ui_url: str, run_id: str) -> dict[str, str]:
    """The tags that lead from an MLflow run to the Dagster run that made it; MLflow shows a URL tag as a link."""
    tags = {"dagster.run_id": run_id}
    if ui_url:
        tags["dagster.url"] = f"{ui_url.rstrip('/')}/runs/{quote(run_id, safe='')}"
    return tags
