"""Materialises an asset that never ends, in the instance of the folder given: a worker for the tests to kill."""

import sys
import time
from pathlib import Path

import dagster as dg


@dg.asset
def endless(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Says that it is there, and sleeps."""
    Path(sys.argv[1], "started").write_text(context.run_id)
    time.sleep(600)
    return dg.MaterializeResult()


if __name__ == "__main__":
    with dg.DagsterInstance.local_temp(sys.argv[1], overrides={"telemetry": {"enabled": False}}) as instance:
        dg.materialize([endless], instance=instance)
