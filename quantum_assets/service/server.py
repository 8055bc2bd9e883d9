"""One running sidecar: its settings, the lock on its home, its socket, and how it starts and ends."""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from filelock import FileLock, Timeout
from starlette.applications import Starlette

from quantum_assets.contracts.errors import PlanError
from quantum_assets.providers.rehearsal import load
from quantum_assets.service.app import Routes
from quantum_assets.service.door import LOOPBACK, DoorPolicy
from quantum_assets.service.faults import FaultBook, faults_file
from quantum_assets.service.jobs import JobBook
from quantum_assets.service.prices import Prices
from quantum_assets.service.results import ResultFiles
from quantum_assets.service.worker import Worker

URL_FILE = "service.url"


@dataclass(frozen=True)
class Settings:
    """How a sidecar is to run.

    Attributes:
        home: Folder of its account, results and lock; made if missing.
        host: Address to listen at; anything but loopback needs a token.
        port: 0 takes a free one.
        queue_seconds: How long an accepted job waits before it runs.
        prices: What it charges.
        rehearsal: Whether faults and recalibrations may be asked for.
        idempotent: Whether a key that is known gets the job it has; off only to prove that a checker notices.
        token: Bearer token that clients must carry; empty: none.
        max_body: Largest order in bytes.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    queue_seconds: float = 0.0
    prices: Prices = field(default_factory=Prices)
    rehearsal: bool = False
    idempotent: bool = True
    token: str = field(default="", repr=False)
    max_body: int = 64_000_000

    def __post_init__(self) -> None:
        if self.queue_seconds < 0:
            raise PlanError("--queue-seconds", f"is {self.queue_seconds}", "Give zero or more")
        if not 0 <= self.port <= 65535:
            raise PlanError("--port", f"is {self.port}", "Give 0 to 65535; 0 takes a free one")
        if not self.token and _shown(self.host) not in LOOPBACK:
            raise PlanError(
                f"--host {self.host}",
                "can be reached from other machines, and no token is set",
                "Set QUANTUM_ASSETS_REMOTE_TOKEN, or listen at 127.0.0.1",
            )


def serve(settings: Settings, ready: Callable[[str], None], stop: Event | None = None) -> None:
    """Serve until told to stop by a signal or by `stop`.

    Args:
        settings: How.
        ready: Called with the URL once requests are answered; the URL is then in ``<home>/service.url`` too.
        stop: Ends the service when set; for threads, which get no signals.

    Raises:
        PlanError: When the address is taken, or another sidecar works in this home.
    """
    import uvicorn

    load()
    with _alone(settings.home), _socket(settings) as listening:
        url = f"http://{_shown(settings.host)}:{listening.getsockname()[1]}"
        app = application(settings, lambda: _announce(settings.home, url, ready))
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="asyncio",
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        watch = Thread(target=_watch, args=(stop, server), daemon=True) if stop is not None else None
        if watch is not None:
            watch.start()
        server.run(sockets=[listening])


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[str]:
    """A sidecar in a thread of this process; gives its URL, and ends it afterwards.

    Raises:
        PlanError: As `serve`.
    """
    load()
    stop, known, failed = Event(), Event(), list[BaseException]()
    urls: list[str] = []

    def ready(url: str) -> None:
        urls.append(url)
        known.set()

    def work() -> None:
        try:
            serve(settings, ready, stop)
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            failed.append(error)
        finally:
            known.set()

    thread = Thread(target=work, name="sidecar", daemon=True)
    thread.start()
    known.wait()
    if failed:
        raise failed[0]
    try:
        yield urls[0]
    finally:
        stop.set()
        thread.join()


def application(settings: Settings, started: Callable[[], None]) -> Starlette:
    """The ASGI application, whose worker works while it lives."""
    book = JobBook(settings.home / "service.db")
    faults = faults_file(settings.home) if settings.rehearsal else ()
    worker = Worker(
        book,
        ResultFiles(settings.home / "results"),
        settings.prices,
        settings.queue_seconds,
        FaultBook(faults),
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - Starlette's signature
        book.prepare()
        worker.start()
        started()
        yield
        worker.stop()
        # here and not after `run`: a signal that ended the server is raised again, and ends the process
        (settings.home / URL_FILE).unlink(missing_ok=True)

    policy = DoorPolicy(hosts=(_shown(settings.host),), token=settings.token, max_body=settings.max_body)
    return Routes(worker, settings.idempotent, settings.rehearsal).application(policy, lifespan)


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two workers on one account would run every job twice; the lock goes with its process, however that ends."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "service.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PlanError(f"home {home}", "has a running service", "Stop that one, or use another --home") from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _socket(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise PlanError(f"{settings.host}:{settings.port}", f"cannot be used: {error}", "Give another --port") from None
    with listening:
        yield listening


def _announce(home: Path, url: str, ready: Callable[[str], None]) -> None:
    half = home / f"{URL_FILE}.half"
    half.write_text(f"{url}\n", encoding="utf-8")
    half.replace(home / URL_FILE)
    ready(url)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _watch(stop: Event, server: object) -> None:
    stop.wait()
    server.should_exit = True  # type: ignore[attr-defined]
