"""The sidecar as a command: ``python -m quantum_assets.service --home DIR --port 8765``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from quantum_assets.contracts.errors import QuantumAssetsError
from quantum_assets.service.prices import Prices
from quantum_assets.service.server import Settings, serve

TOKEN_VARIABLE = "QUANTUM_ASSETS_REMOTE_TOKEN"  # noqa: S105 - the name of the variable, not its value


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code is 2 when it cannot start.

    The bearer token comes from the environment variable QUANTUM_ASSETS_REMOTE_TOKEN and from nowhere else.
    """
    try:
        serve(settings(arguments), lambda url: print(url, flush=True))  # noqa: T201 - the one line it promises
    except QuantumAssetsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def settings(arguments: Sequence[str] | None) -> Settings:
    """Read the command line.

    Raises:
        PlanError: For values that make no sense.
    """
    options = _parser().parse_args(arguments)
    return Settings(
        home=Path(options.home),
        host=options.host,
        port=options.port,
        queue_seconds=options.queue_seconds,
        prices=Prices.read(options.price_per_task, options.price_per_shot, options.currency),
        rehearsal=options.rehearsal,
        idempotent=not options.no_idempotency,
        token=os.environ.get(TOKEN_VARIABLE, ""),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m quantum_assets.service", description=__doc__)
    parser.add_argument("--home", required=True, help="folder of its account and results")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the URL is printed when ready")
    parser.add_argument("--queue-seconds", type=float, default=0.0, help="wait of every job before it runs")
    parser.add_argument("--price-per-task", default="0.30", help="of an accepted order, in made-up money")
    parser.add_argument("--price-per-shot", default="0.000004", help="of one shot of one circuit")
    parser.add_argument("--currency", default="USD")
    parser.add_argument("--rehearsal", action="store_true", help="allow faults to be asked for")
    parser.add_argument(
        "--no-idempotency",
        action="store_true",
        help="make every submission a job, known key or not; only to prove that a checker notices",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
