"""`quantum-assets sandbox`: a slow, durable, priced provider on this machine, to rehearse with before paying one.

It is `quantum_assets.service` with a queue: its jobs outlive whoever submitted them, its prices are made up, and its
own account of what it accepted is the witness that nothing was submitted twice.
"""

import contextlib
import os
from pathlib import Path

import click

from quantum_assets.cli.options import home_option

FOLDER = "sandbox"
TOKEN_VARIABLE = "QUANTUM_ASSETS_REMOTE_TOKEN"  # noqa: S105 - the name of the variable, not its value
URL_VARIABLE = "QUANTUM_ASSETS_REMOTE_URL"


@click.command(epilog="Example: quantum-assets sandbox --queue-seconds 20")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Other than loopback, a token is needed.")
@click.option(
    "--queue-seconds", default=5.0, show_default=True, type=click.FloatRange(0), help="Wait of a job before it runs."
)
@click.option("--price-per-task", default="0.30", show_default=True, help="Of an accepted order, in made-up money.")
@click.option("--price-per-shot", default="0.000004", show_default=True, help="Of one shot of one circuit.")
@click.option("--currency", default="USD", show_default=True, help="Of both prices.")
@home_option
def sandbox(
    port: int,
    host: str,
    queue_seconds: float,
    price_per_task: str,
    price_per_shot: str,
    currency: str,
    home: Path,
) -> None:
    """Serve the rehearsal provider of profile `slow` until Ctrl-C.

    Jobs wait in its queue and are then run by simulators here. They are kept in <home>/sandbox and go on when it is
    started again. A bearer token is read from $QUANTUM_ASSETS_REMOTE_TOKEN.
    """
    from quantum_assets.service.prices import Prices
    from quantum_assets.service.server import Settings, serve

    settings = Settings(
        home=home / FOLDER,
        host=host,
        port=port,
        queue_seconds=queue_seconds,
        prices=Prices.read(price_per_task, price_per_shot, currency),
        rehearsal=True,
        token=os.environ.get(TOKEN_VARIABLE, ""),
    )
    prices = f"{price_per_task} {currency} an order and {price_per_shot} {currency} a shot, made up"
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it ends; the server has closed by then
        serve(settings, lambda url: click.echo(ready(url, settings.home, queue_seconds, prices, bool(settings.token))))
    click.echo("Stopped; unfinished jobs go on when it is started again.")


def ready(url: str, home: Path, queue_seconds: float, prices: str, guarded: bool) -> str:
    """What a person does next, once it answers."""
    token = f"  export {TOKEN_VARIABLE}=…  # the same as here\n" if guarded else ""
    return (
        f"Rehearsal provider at {url}: each job waits {queue_seconds:g} s; {prices}.\n"
        f"Its account is kept in {home}; {url}/witness shows it.\n"
        "In the shell that runs studies, or before `quantum-assets ui`:\n"
        f"  export {URL_VARIABLE}={url}\n"
        f"{token}"
        "Press Ctrl-C to stop."
    )
