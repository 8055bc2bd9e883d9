"""The Dagster webserver behind the guard: ``python -m quantum_assets.cli.webserver``, started by `quantum-assets ui`.

Dagster's own command cannot be given middleware, so this builds the same application from the same parts (the instance
of `DAGSTER_HOME`, the workspace file), wraps it in `orchestration.guard` and serves it with uvicorn.
"""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from quantum_assets.orchestration.guard import Guard, GuardPolicy


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m quantum_assets.cli.webserver", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--workspace", required=True, help="workspace.yaml")
    parser.add_argument("--allow-host", action="append", default=[], help="further Host name to answer")
    parser.add_argument("--read-only", action="store_true", help="refuse every change")
    options = parser.parse_args(arguments)
    serve(
        options.workspace,
        options.host,
        options.port,
        GuardPolicy(hosts=tuple(options.allow_host), read_only=options.read_only),
    )


def serve(workspace: str, host: str, port: int, policy: GuardPolicy) -> None:
    """Build the application and run it on one address."""
    import uvicorn
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.version import __version__

    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(statement_timeout=15_000, pool_recycle=3_600, max_overflow=20)
        target = WorkspaceFileTarget(paths=[workspace])
        with WorkspaceProcessContext(instance, target, version=__version__, read_only=policy.read_only) as context:
            app = create_app_from_workspace_process_context(context, live_data_poll_rate=2_000, lifespan=_lifespan)
            uvicorn.run(
                Guard(app, policy),
                host=host,
                port=port,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=3,
            )


@contextlib.asynccontextmanager
async def _lifespan(app: Any) -> AsyncIterator[None]:  # noqa: ARG001
    with contextlib.suppress(asyncio.CancelledError):  # uvicorn cancels open subscriptions as it stops
        yield


if __name__ == "__main__":
    main()
