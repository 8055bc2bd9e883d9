"""The routes of the sidecar: what each path does, and how a rehearsed fault bends it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from quantum_assets.contracts.errors import LedgerError, PlanError, QuantumAssetsError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.ticket import question_of
from quantum_assets.contracts.wire import unpack_order
from quantum_assets.providers.rehearsal import Rehearsal, packages
from quantum_assets.service.door import Door, DoorPolicy, problem
from quantum_assets.service.faults import Fault, Place, read_faults
from quantum_assets.service.jobs import Job, Submission
from quantum_assets.service.prices import Prices, circuits, shots
from quantum_assets.service.results import Document
from quantum_assets.service.tampering import tampered
from quantum_assets.service.worker import Worker

Handler = Callable[[Request, Fault | None], Awaitable[Response]]
PACKED = "application/octet-stream"


class Dropped(Response):
    """Promises an answer and drops the connection instead: the client cannot know what was done."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send a head whose body never comes; the server then closes the connection."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})


@dataclass(frozen=True)
class Routes:
    """The paths over one worker and its account.

    Attributes:
        worker: Runs the jobs; holds the account, the results and the faults.
        idempotent: Whether a client token that is known gets the job it has. Off only to prove that the checker of the
            account notices.
        rehearsal: Whether faults and recalibrations may be asked for.
    """

    worker: Worker
    idempotent: bool = True
    rehearsal: bool = False

    def application(self, policy: DoorPolicy, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
        """The ASGI application behind its door."""
        routes = [
            Route("/jobs", self._bent("submit", self._submit), methods=["POST"]),
            Route("/jobs", self._bent("lookup", self._lookup), methods=["GET"]),
            Route("/jobs/{job}", self._bent("status", self._status), methods=["GET"]),
            Route("/jobs/{job}/result", self._bent("result", self._result), methods=["GET"]),
            Route("/jobs/{job}/cancel", self._bent("cancel", self._cancel), methods=["POST"]),
            Route("/calibration", self._bent("calibration", self._calibration), methods=["GET"]),
            Route("/witness", self._witness, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
        ]
        if self.rehearsal:
            routes.append(Route("/faults", self._faults, methods=["GET", "POST", "DELETE"]))
            routes.append(Route("/calibration", self._recalibrate, methods=["POST"]))
        return Starlette(routes=routes, middleware=[Middleware(Door, policy=policy)], lifespan=lifespan)

    def _bent(self, place: Place, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler, with the next rehearsed fault of that place applied to it."""

        async def bent(request: Request) -> Response:
            fault = self.worker.faults.take(place)
            kind = fault.kind if fault is not None else None
            if fault is not None and kind == "delay":
                await asyncio.sleep(fault.seconds)
            if fault is not None and kind == "refuse":
                after = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                return problem(fault.status, "service", f"refuses this {place}", "Try again later", **after)
            if kind == "hang_up":
                return Dropped()
            try:
                answer = await handler(request, fault)
            except QuantumAssetsError as error:
                status = 404 if isinstance(error, LedgerError) else 422
                answer = problem(status, error.culprit, error.problem, error.mend)
            return Dropped() if kind == "lose" else answer

        return bent

    async def _submit(self, request: Request, fault: Fault | None) -> Response:  # noqa: ARG002 - bent outside
        if request.headers.get("content-type", "").split(";")[0].strip() != PACKED:
            return problem(415, "Content-Type", f"is not {PACKED}", "Send a packed order as bytes")
        body = await request.body()
        return await run_in_threadpool(self._accept, body, request.headers.get("idempotency-key", ""))

    def _accept(self, body: bytes, token: str) -> Response:
        order = unpack_order(body)
        _require_support(order)
        submission = submission_of(order, body, token, self.worker.prices)
        job, new = self.worker.book.accept(submission, self.worker.now(), idempotent=self.idempotent)
        if job.content != submission.content:
            return problem(409, f"key {token}", "was used for another order", "Give every order a key of its own")
        return JSONResponse({"job": job.job, "key": job.key, "new": new}, status_code=201 if new else 200)

    async def _lookup(self, request: Request, fault: Fault | None) -> Response:  # noqa: ARG002 - bent outside
        key = request.query_params.get("key", "")
        if not key:
            raise PlanError("GET /jobs", "names no key", "Ask for ?key=… of one order")
        jobs = await run_in_threadpool(self.worker.book.by_key, key)
        return JSONResponse({"jobs": [job.job for job in jobs]})

    async def _status(self, request: Request, fault: Fault | None) -> Response:
        job = await run_in_threadpool(self._job, request)
        word = fault.word if fault is not None and fault.kind == "lie" else job.word
        ahead = await run_in_threadpool(self._ahead, job)
        charge = None if job.billed is None else {"micros": job.billed, "currency": job.currency}
        return JSONResponse(
            {
                "job": job.job,
                "key": job.key,
                "status": word,
                "queue_position": ahead,
                "charge": charge,
                "code": job.code,
                "message": job.message,
                "seconds": _seconds(job),
            }
        )

    async def _result(self, request: Request, fault: Fault | None) -> Response:
        job = await run_in_threadpool(self._job, request)
        document = self.worker.results.read(job.job) if job.word == "COMPLETED" else None
        if document is None:
            return problem(409, f"job {job.job}", f"has no result: it is {job.word}", "Ask for its status first")
        if fault is not None:
            return Response(tampered(document, fault, self._foreign(job)), media_type="application/json")
        return JSONResponse(document)

    async def _cancel(self, request: Request, fault: Fault | None) -> Response:  # noqa: ARG002 - bent outside
        job = await run_in_threadpool(self._job, request)
        await run_in_threadpool(self._end, job)
        after = await run_in_threadpool(self._job, request)
        return JSONResponse({"job": after.job, "status": after.word})

    def _end(self, job: Job) -> None:
        """A job that waits is cancelled free of charge; one that runs is stopped, and its price is due."""
        book, now = self.worker.book, self.worker.now()
        if not book.record(job.job, "CANCELLED", now, after={"QUEUED"}, billed=0):
            book.record(job.job, "CANCELLED", now, after={"RUNNING"}, billed=job.micros)

    async def _calibration(self, request: Request, fault: Fault | None) -> Response:  # noqa: ARG002 - bent outside
        return JSONResponse(vars(Rehearsal(version=self.worker.version).state()))

    async def _recalibrate(self, request: Request) -> Response:
        try:
            version = json.loads(await request.body())["version"]
        except (ValueError, KeyError, TypeError):
            return problem(422, "POST /calibration", "names no version", 'Send {"version": "2"}')
        self.worker.version = str(version)
        return JSONResponse(vars(Rehearsal(version=self.worker.version).state()))

    async def _witness(self, request: Request) -> Response:  # noqa: ARG002 - ASGI's signature
        jobs = await run_in_threadpool(self.worker.book.all)
        return JSONResponse({"jobs": [witness_line(job) for job in jobs]})

    async def _health(self, request: Request) -> Response:  # noqa: ARG002 - ASGI's signature
        return JSONResponse(
            {
                "service": "quantum-assets-sidecar",
                "same_key_same_job": self.idempotent,
                "rehearsal": self.rehearsal,
                "versions": packages(),
            }
        )

    async def _faults(self, request: Request) -> Response:
        book = self.worker.faults
        if request.method == "DELETE":
            book.clear()
        elif request.method == "POST":
            try:
                book.add(read_faults(await request.body(), "POST /faults"))
            except PlanError as error:
                return problem(422, error.culprit, error.problem, error.mend)
        return JSONResponse({"faults": book.json()})

    def _job(self, request: Request) -> Job:
        name = request.path_params["job"]
        job = self.worker.book.job(name)
        if job is None:
            raise LedgerError(f"job {name[:64]}", "is not known here", "Look its order up by GET /jobs?key=…")
        return job

    def _foreign(self, job: Job) -> Document | None:
        """The result of another job that answers other questions; None when there is none."""
        others = (other.job for other in self.worker.book.all() if other.questions != job.questions)
        return next((found for other in others if (found := self.worker.results.read(other))), None)

    def _ahead(self, job: Job) -> int | None:
        """Unfinished jobs that were accepted before; None once it has ended."""
        if job.ended:
            return None
        return sum(other.sequence < job.sequence for other in self.worker.book.unfinished())


def submission_of(order: Order, body: bytes, token: str, prices: Prices) -> Submission:
    """What the account keeps of an order."""
    profile = order.profile
    questions = tuple(question_of(w.fingerprint, profile.fingerprint, order.replicate) for w in order.workloads)
    return Submission(
        key=order.key,
        client_token=token,
        workloads=len(order.workloads),
        circuits=sum(circuits(workload) for workload in order.workloads),
        shots=sum(shots(workload, profile.shots) for workload in order.workloads),
        micros=prices.of(order),
        currency=prices.currency,
        questions=questions,
        content=fingerprint("order/v1", order.key, questions),
        digest=sha256(body).hexdigest(),
        body=body,
    )


def witness_line(job: Job) -> dict[str, Any]:
    """One accepted job for the checker: whose order, what was asked, and what it costs.

    ``micros`` is what is billed once the job ended, and the price it was accepted at until then. ``accepted`` and
    ``over`` number the events of all jobs as they were written; ``over`` is null until the job ended.
    """
    return {
        "sequence": job.sequence,
        "job": job.job,
        "key": job.key,
        "client_token": job.client_token,
        "questions": list(job.questions),
        "circuits": job.circuits,
        "shots": job.shots,
        "micros": job.micros if job.billed is None else job.billed,
        "currency": job.currency,
        "ended": job.ended,
        "status": job.word,
        "accepted": job.first_event,
        "over": job.last_event if job.ended else None,
        "digest": job.digest,
    }


def _seconds(job: Job) -> dict[str, float]:
    if job.started_at is None:
        return {}
    queued = {"queue": max(0.0, job.started_at - job.received_at)}
    return queued | ({"run": max(0.0, job.at - job.started_at)} if job.ended else {})


def _require_support(order: Order) -> None:
    for workload in order.workloads:
        reason = Rehearsal().supports(workload, order.profile)
        if reason is not None:
            raise PlanError(f"workload {workload.label or workload.circuit.name}", reason, "Change the profile")
