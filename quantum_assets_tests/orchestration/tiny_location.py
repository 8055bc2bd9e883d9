"""A code location with one asset, for the tests that need a real one."""

import dagster as dg


@dg.asset
def tiny() -> dg.MaterializeResult:
    """Remembers nothing but a number."""
    return dg.MaterializeResult(metadata={"answer": 4})


defs = dg.Definitions(assets=[tiny])
