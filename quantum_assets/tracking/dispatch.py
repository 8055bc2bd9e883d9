"""Sending a courier out, and the small files in the outbox by which it and the asset steps understand each other.

``courier.lock`` is held by the courier that lives, ``courier.json`` says how it is doing, ``destination`` names where
the records go now, and ``courier.log`` takes all it prints. Light to import: every asset step does.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

State = Literal["starting", "ready", "down"]
ORDER = "QUANTUM_ASSETS_COURIER"
LINGER = 60.0
LOG_LIMIT = 1_000_000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What a courier is told: the home, where to deliver, and how many idle seconds it lingers."""

    home: str
    tracking_uri: str
    linger: float = LINGER

    @property
    def root(self) -> Path:
        """The outbox."""
        return Path(self.home) / "outbox"

    @property
    def destination(self) -> str:
        """A name for where to, without the secrets in it."""
        return hashlib.sha256(self.tracking_uri.encode()).hexdigest()[:16]

    @property
    def lock(self) -> Path:
        """Held by the courier for as long as it lives."""
        return self.root / "courier.lock"


def launch(order: Order, patience: float) -> None:
    """Start a courier that outlives this process and wait until it holds its lock, `patience` seconds at most.

    The order travels in the environment: a tracking URI may hold a password, and everyone sees a process's arguments.

    Raises:
        OSError: If it cannot be started.
    """
    order.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    log_path = order.root / "courier.log"
    anew = log_path.exists() and log_path.stat().st_size > LOG_LIMIT
    with log_path.open("wb" if anew else "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "quantum_assets.tracking.courier"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **_environment(order)},
            start_new_session=True,
        )
    try:
        code = process.wait(patience)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, daemon=True).start()  # reaps it whenever it comes to an end
        return
    if code:
        raise OSError(f"the courier ended with code {code} as it started; {log_path} says why")


def is_alive(order: Order) -> bool:
    """Whether a courier holds the lock of the outbox."""
    if not order.lock.exists():
        return False
    try:
        with FileLock(order.lock, timeout=0):
            return False
    except Timeout:
        return True


def direct(order: Order) -> bool:
    """Write down where the records of this home go; a courier with another destination ends when it reads it.

    Returns:
        Whether the destination is another than before.
    """
    if read_destination(order) == order.destination:
        return False
    order.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(order.root / "destination", order.destination)
    return True


def is_wanted(order: Order) -> bool:
    """Whether records still go where this order says."""
    return read_destination(order) in (None, order.destination)


def read_destination(order: Order) -> str | None:
    """Where the records of the home go now, as `Order.destination` names it."""
    try:
        return (order.root / "destination").read_text()
    except FileNotFoundError:
        return None


def announce(order: Order, state: State, problem: str) -> None:
    """Say how the courier is doing; steps do not wait for one that is down."""
    if read_state(order) == (state, problem) and state != "starting":
        return
    try:
        _replace(order.root / "courier.json", json.dumps({"pid": os.getpid(), "state": state, "problem": problem}))
    except OSError as error:
        _LOG.warning("the state %s could not be written: %s", state, error)


def read_state(order: Order) -> tuple[State | None, str]:
    """What the last courier announced, and the reason with it."""
    try:
        content = json.loads((order.root / "courier.json").read_bytes())
        return content["state"], content["problem"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""


def _environment(order: Order) -> dict[str, str]:
    """The order, and this package on the path where it is run from a checkout that is not installed."""
    added = {ORDER: json.dumps(asdict(order)), "OMP_NUM_THREADS": "1"}
    package_root = str(Path(__file__).resolve().parents[2])
    if not package_root.endswith("-packages"):
        added["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), package_root]))
    return added


def _replace(target: Path, content: str) -> None:
    """Write a small hint that need not survive a power cut."""
    aside = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}")
    aside.write_text(content)
    aside.replace(target)
