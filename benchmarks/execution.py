"""The control plane beside direct calls, the cache beside running again, batches beside one by one; in one run.

Run it from the repository root::

    python -m benchmarks.execution            # some minutes
    python -m benchmarks.execution --quick    # under 40 s; prints, and writes only where --out says

Everything runs on one thread (BLAS through threadpoolctl, Aer through its own option) and the routes take turns, so
that whatever else the machine does meets all of them. CPU seconds are what to compare; wall seconds are stored beside
them. Every call gets a fresh workload value, and every answer is compared with the provider's own, bit for bit.

- `aer`: qiskit-aer alone, on a circuit compiled before: SamplerV2 for overlaps, saved state vectors for states.
- `provider`: our provider's submit and fetch: compilation, cross-checks and envelope come on top.
- `plane`: a request through the control plane, its answer not kept; `plane kept`: kept in the cache (emptied before).
- `hit`: the same request again, answered by the cache, checksums and trust boundary included.
- `… added`: the time of a call through the plane less the time inside the provider during that same call; this is the
  plane itself with its ledger and the trust boundary. `… judged`: the trust boundary's part of it.
"""

import argparse
import os
import platform as machine
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

from quantum_assets.circuits.build import build, diagonal_form
from quantum_assets.contracts.answer import Answer, Request
from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.answering import answer, answer_all
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.orchestration.execution import trust_reasons
from quantum_assets.providers.aer import AerProvider
from quantum_assets.providers.base import Provider
from quantum_assets.providers.remote import RemoteProvider
from quantum_assets.providers.statevector import StatevectorProvider

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "qiskit", "qiskit-aer", "sqlalchemy", "httpx")
ZZ = FeatureMapSpec(kind="zz", reps=2, entanglement="linear")
NOISE = NoiseSpec(depolarizing_1q=0.01, depolarizing_2q=0.03, amplitude_damping=0.02, readout=0.04)
IDEAL = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector",))
NOISY = ExecutionProfile(
    name="noisy", mode="noisy", estimator="circuits", shots=512, seed=5, noise=NOISE, providers=("aer",)
)
SAMPLED = ExecutionProfile(
    name="sampled", mode="ideal", estimator="circuits", shots=512, seed=5, cache=False, providers=("aer",)
)
MANAGED = SAMPLED.model_copy(update={"name": "managed", "mode": "managed", "providers": ("remote",)})
BUDGETS = {"default": Budget(simulator_per_month=1e6, approval_above_requests_per_day=1_000_000)}
SHIPPED_POLL, QUICK_POLL = RemoteProvider.poll_seconds, 0.05

# measure, rows, qubits, repetitions: from a few circuits to over one second of Aer
FULL = (
    ("states", 10, 4, 21),
    ("states", 100, 8, 15),
    ("states", 300, 10, 7),
    ("states", 700, 12, 9),
    ("overlaps", 3, 3, 11),
    ("overlaps", 10, 4, 5),
    ("overlaps", 25, 5, 9),
)
QUICK = (("states", 10, 4, 5), ("overlaps", 3, 3, 3))


@dataclass(frozen=True)
class Row:
    """One route on one workload (or many): seconds of its calls, and how many orders they made."""

    case: str
    circuits: int
    route: str
    repeats: int
    cpu_min: float
    cpu_median: float
    wall_min: float
    wall_median: float
    orders: int = 0


@dataclass
class Times:
    """CPU and wall seconds of one thing, one entry a call."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def row(self, case: str, circuits: int, route: str, orders: int = 0) -> Row:
        """The figures of all calls."""
        cpu, wall = self.cpu, self.wall
        return Row(case, circuits, route, len(cpu), min(cpu), median(cpu), min(wall), median(wall), orders)


@dataclass
class Watch:
    """Sums the time spent in named places since it was last read."""

    spent: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Count what happens inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            before = self.spent.get(place, (0.0, 0.0))
            self.spent[place] = (before[0] + time.process_time() - cpu, before[1] + time.perf_counter() - wall)

    def read(self, place: str) -> tuple[float, float]:
        """CPU and wall seconds in a place since this was asked before."""
        return self.spent.pop(place, (0.0, 0.0))


class Watched:
    """A provider whose running and handing over are timed; it does nothing else that another would not."""

    def __init__(self, provider: Provider, watch: Watch) -> None:
        self.provider, self.watch = provider, watch

    def __getattr__(self, name: str) -> object:
        return getattr(self.provider, name)

    def submit(self, order: Order) -> str:
        """Hand in, timed."""
        with self.watch.at("provider"):
            return self.provider.submit(order)

    def fetch(self, job: str, order: Order) -> tuple[object, ...]:
        """Fetch, timed."""
        with self.watch.at("provider"):
            return self.provider.fetch(job, order)


def plane_in(home: Path, watch: Watch, remote: Mapping[str, float | str] | None = None) -> ControlPlane:
    """A control plane of its own whose in-process providers and judge are watched."""

    def judge(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        with watch.at("judge"):
            return trust_reasons(envelope, workload, profile)

    providers = {
        "statevector": lambda: Watched(StatevectorProvider(), watch),
        "aer": lambda: Watched(AerProvider(), watch),
        "remote": lambda: RemoteProvider(**(remote or {})),
    }
    plane = ControlPlane.in_home(home, providers, judge, budgets=BUDGETS)
    plane.ledger.prepare()
    return plane


def workload_of(measure: str, rows: int, width: int, seed: int = 0) -> Workload:
    """States of some rows, or the overlaps of all their pairs."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, (rows, width))
    circuit = build(ZZ, width)
    if measure == "states":
        return Workload(circuit, angles, "states", diagonal=diagonal_form(ZZ, angles))
    return Workload(circuit, angles, "overlaps", pairs=np.argwhere(np.tri(rows, k=-1) > 0))


def by_aer(workload: Workload, profile: ExecutionProfile) -> Callable[[], object]:
    """What one would call with Aer alone; circuit, simulator and noise model are made before."""
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import SamplerV2

    from quantum_assets.providers.aer_circuits import prepared
    from quantum_assets.providers.aer_states import expanded
    from quantum_assets.providers.qpy import circuit_of

    if workload.pairs is not None:
        setup = prepared(workload, profile)
        measured, values = setup.compiled.measured(), setup.compiled.values(workload.bindings, workload.pairs)
        sampler = SamplerV2.from_backend(setup.simulator, seed=profile.seed)
        return lambda: sampler.run([(measured, values)], shots=profile.shots).result()[0].data.meas.array
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)
    circuit = expanded(circuit_of(workload.circuit), set(simulator.configuration().basis_gates))
    parameters = list(circuit.parameters)
    circuit.save_statevector()

    def states() -> object:
        binds = {parameter: list(column) for parameter, column in zip(parameters, workload.bindings.T, strict=True)}
        result = simulator.run(circuit, parameter_binds=[binds], shots=1).result()
        return np.array([np.asarray(result.data(row)["statevector"]) for row in range(workload.n_bindings)])

    return states


def values_of(envelope: ResultEnvelope) -> object:
    """What was measured."""
    return envelope.data.outcomes


def clock(call: Callable[[], object], times: Times) -> object:
    """Time one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    times.cpu.append(time.process_time() - cpu)
    times.wall.append(time.perf_counter() - wall)
    return result


def through(plane: ControlPlane, watch: Watch, request: Request, found: dict[str, Times], route: str) -> ResultEnvelope:
    """One request through the plane: the whole, what the plane added, and the judge's part of that."""
    watch.spent.clear()
    answered = clock(lambda: answer(plane, request), found[route])
    assert isinstance(answered, Answer)
    assert answered.cache_hit == (route == "hit")
    inside, judged = watch.read("provider"), watch.read("judge")
    for name, cpu, wall in (
        (f"{route} added", found[route].cpu[-1] - inside[0], found[route].wall[-1] - inside[1]),
        (f"{route} judged", *judged),
    ):
        found[name].cpu.append(cpu)
        found[name].wall.append(wall)
    return answered.envelope


def overhead(measure: str, rows: int, width: int, repeats: int) -> list[Row]:
    """All routes of one workload, taking turns; the plane has answered another one before."""
    profile = IDEAL if measure == "states" else NOISY
    kept, lost = (profile.model_copy(update={"cache": cache}) for cache in (True, False))
    workload, provider, watch = workload_of(measure, rows, width), new_provider(profile), Watch()
    direct, found = by_aer(workload, profile), defaultdict[str, Times](Times)
    with tempfile.TemporaryDirectory() as folder:
        plane = plane_in(Path(folder), watch)
        warm = workload_of(measure, 3, 2)
        for asked in (lost, kept, kept):
            answer(plane, Request(warm, asked, study="bench"))
        for turn in range(repeats):
            clock(direct, found["aer"])
            order = Order(f"{turn:064d}", (replace(workload),), profile)
            (claim,) = clock(lambda order=order: provider.fetch(provider.submit(order), order), found["provider"])
            for route, asked in (("plane", lost), ("plane kept", kept), ("hit", kept)):
                if route == "plane kept":
                    plane.cache.clear()
                envelope = through(plane, watch, Request(replace(workload), asked, study="bench"), found, route)
                assert np.array_equal(values_of(envelope), values_of(claim)), f"{route} differs from the provider"
    circuits = workload.n_bindings if workload.pairs is None else len(workload.pairs)
    case = f"{measure}, {width} qubits, {circuits}"
    return [times.row(case, circuits, route) for route, times in found.items()]


def new_provider(profile: ExecutionProfile) -> Provider:
    """The provider that a profile names, unwatched."""
    return StatevectorProvider() if profile.providers == ("statevector",) else AerProvider()


def batching(
    case: str, profile: ExecutionProfile, n_workloads: int, repeats: int, remote: Mapping[str, float | str]
) -> list[Row]:
    """Small workloads of different data as one `answer_all` and one after another, taking turns."""
    workloads = [workload_of("overlaps", 3, 3, seed) for seed in range(n_workloads)]
    found, orders = defaultdict[str, Times](Times), {}
    routes: dict[str, Callable[[ControlPlane, list[Request]], Sequence[Answer]]] = {
        "one answer_all": answer_all,
        "one by one": lambda plane, requests: [answer(plane, request) for request in requests],
    }
    for _ in range(repeats):
        values = {}
        for route, call in routes.items():
            with tempfile.TemporaryDirectory() as folder:
                plane = plane_in(Path(folder), Watch(), remote)
                requests = [Request(replace(workload), profile, study="bench") for workload in workloads]
                answers = clock(lambda plane=plane, asked=requests, call=call: call(plane, asked), found[route])
                orders[route] = len({ticket.job for ticket in plane.ledger.tickets()})
            values[route] = np.concatenate([values_of(one.envelope) for one in answers])
        assert np.array_equal(*values.values()), "a batch gives other values"
    return [times.row(case, n_workloads, route, orders[route]) for route, times in found.items()]


@contextmanager
def service() -> Iterator[str]:
    """A stand-in service on loopback, a process of its own, nothing waits in its queue; its address."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "quantum_assets.service", "--home", home]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait()


def batches(*, quick: bool) -> list[Row]:
    """Batches beside one by one, here and at the service, which is asked as often as shipped and oftener; all warm."""
    n_workloads, polls = (6, (QUICK_POLL,)) if quick else (40, (QUICK_POLL, SHIPPED_POLL))
    batching("warm", SAMPLED, 2, 1, {})
    rows = batching(f"{n_workloads} in process", SAMPLED, n_workloads, 1 if quick else 2, {})
    note(rows[-1].case)
    with service() as url:
        batching("warm", MANAGED, 2, 1, {"url": url, "poll_seconds": QUICK_POLL})
        for seed, poll in enumerate(polls, MANAGED.seed + 1):  # another seed is another order: the service runs it
            case = f"{n_workloads} at the service, asked every {poll:g} s"
            profile = MANAGED.model_copy(update={"seed": seed})
            rows += batching(case, profile, n_workloads, 1, {"url": url, "poll_seconds": poll})
            note(case)
    return rows


def overhead_tables(rows: Sequence[Row]) -> list[str]:
    """Direct calls, the plane, the cache."""
    by_case: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_case.setdefault(row.case, {})[row.route] = row
    lines = [
        "## A ticket through the control plane beside direct calls",
        "",
        "CPU milliseconds, minimum / median. `added`: time of the call less the time inside the provider in that call;",
        "`judged`: the trust boundary's part of it. Shares are of the minima.",
        "",
        "| workload | repeats | Aer | provider | plane | added | judged | added µs/circuit | added/Aer | added/plane |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case, of in by_case.items():
        added, whole, direct = of["plane added"], of["plane"], of["provider"]
        cells = [_ms(of["aer"]), _ms(direct), _ms(whole), _ms(added), _ms(of["plane judged"])]
        shares = [
            f"{1e6 * added.cpu_min / added.circuits:.1f}",
            f"{added.cpu_min / of['aer'].cpu_min:.1%}",
            f"{added.cpu_min / whole.cpu_min:.1%}",
        ]
        lines.append(f"| {case} | {added.repeats} | {' | '.join(cells)} | {' | '.join(shares)} |")
    lines += ["", *targets(by_case), ""]
    lines += [
        "## The cache beside running again",
        "",
        "CPU milliseconds, minimum / median; wall milliseconds behind them. `added, kept`: with writing to the cache.",
        "",
        "| workload | through the plane | added, kept | hit | hit, wall | again / hit |",
        "|---|---|---|---|---|---|",
    ]
    for case, of in by_case.items():
        again = of["plane"].cpu_min / of["hit"].cpu_min
        cells = [_ms(of["plane"]), _ms(of["plane kept added"]), _ms(of["hit"]), _ms(of["hit"], wall=True)]
        lines.append(f"| {case} | {' | '.join(cells)} | {again:.1f} |")
    return lines


def targets(by_case: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """What was aimed at, and what came of it."""
    long = [of for of in by_case.values() if of["aer"].cpu_min > 1.0]
    share = max((of["plane added"].cpu_median / of["aer"].cpu_median for of in long), default=float("nan"))
    added = [of["plane added"] for of in by_case.values()]
    least, middle = (sum(getattr(row, name) < 5e-3 for row in added) for name in ("cpu_min", "cpu_median"))
    return [
        f"- Under 5 % for workloads over one second of Aer: at most {share:.1%} (medians, {len(long)} workloads).",
        f"- Under 5 ms a ticket: {least} of {len(added)} workloads by the minimum, {middle} by the median.",
    ]


def batch_table(rows: Sequence[Row]) -> list[str]:
    """Batched beside one by one."""
    lines = [
        "",
        "## Batched beside one by one",
        "",
        "Small workloads (three pairs on three qubits, 512 shots, no noise), shipped batching; best of the repeats.",
        "CPU is of the asking process alone; the service is a process of its own.",
        "",
        "| workloads | route | repeats | orders | wall s | CPU s | CPU ms a ticket |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.case} | {row.route} | {row.repeats} | {row.orders} | {row.wall_min:.2f} | {row.cpu_min:.2f} | "
        f"{1e3 * row.cpu_min / row.circuits:.1f} |"
        for row in rows
    ]
    return lines


def _ms(row: Row, *, wall: bool = False) -> str:
    least, middle = (row.wall_min, row.wall_median) if wall else (row.cpu_min, row.cpu_median)
    return f"{1e3 * least:.1f} / {1e3 * middle:.1f}"


def environment_line(threads: Sequence[int], load_before: float) -> str:
    """Versions, thread counts and how busy the machine was; nothing that names it."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"ZZ map, 2 repetitions; overlaps are noisy, 512 shots; ledger in SQLite on disk. Python "
        f"{machine.python_version()}, {versions}; BLAS threads {sorted(set(threads))}; load average {load_before:.1f} "
        f"before and {os.getloadavg()[0]:.1f} after on {os.cpu_count()} cores (CPU seconds grow with it)."
    )


def note(what: str) -> None:
    """Say how far it is."""
    print(f"measured {what}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print, and write `execution.parquet` and `execution.md`."""
    from threadpoolctl import threadpool_info, threadpool_limits

    parser = argparse.ArgumentParser(description="The control plane beside direct calls.")
    parser.add_argument("--quick", action="store_true", help="few sizes, under 40 s")
    parser.add_argument("--out", type=Path, help="folder for the results; default benchmarks/results, none for --quick")
    options = parser.parse_args(arguments)
    load, sizes, rows = os.getloadavg()[0], QUICK if options.quick else FULL, list[Row]()
    with threadpool_limits(limits=1):
        threads = [int(library["num_threads"]) for library in threadpool_info()]
        for size in sizes:
            rows += overhead(*size)
            note(rows[-1].case)
        batched = batches(quick=options.quick)
    lines = ["# The execution control plane", "", environment_line(threads, load), ""]
    report = "\n".join([*lines, *overhead_tables(rows), *batch_table(batched)]) + "\n"
    print(report)
    folder = options.out or (None if options.quick else RESULTS)
    if folder is not None:
        write([*rows, *batched], report, folder)
    return [*rows, *batched]


def write(rows: Sequence[Row], report: str, folder: Path) -> None:
    """Store the rows as Parquet and the report as Markdown."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows]), folder / "execution.parquet")
    (folder / "execution.md").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
