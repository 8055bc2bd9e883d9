"""Exact QAOA: our engine beside Aer, PennyLane lightning and qiskit-algorithms, and beside what memory allows; one run.

Run it from the repository root::

    python -m benchmarks.qaoa                    # n = 10, 14, 18, 20 with 3 and 5 layers; some minutes
    python -m benchmarks.qaoa --peers PYTHON     # PYTHON: an interpreter that has pennylane and qiskit-algorithms
    python -m benchmarks.qaoa --quick            # a smoke test; prints, and writes only where --out says

Max-Cut on one random 3-regular graph a size, at the fixed angles. Everything runs on one thread. CPU seconds are what
to compare, the least of several runs; wall seconds are stored beside them.

- `engine`: `qaoa.engine`, the mean energy.
- `aer`: EstimatorV2 with the state-vector method, the same circuit, transpiled once before.
- `optimisation`: one Nelder-Mead run of so many evaluations from the fixed angles; our training loop around engine and
  Aer, SciPy's own around the peers.
- `lightning`, `qiskit-algorithms`: see `benchmarks.qaoa_peers`; the latter samples, as it does in every iteration.
- `bound`: two copies of the state a layer at the speed of memory, for each of two passes reads and writes all of it.
"""

import argparse
import json
import os
import platform as machine
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.qaoa_peers import timed as timed_runs
from quantum_assets.circuits.qaoa import ansatz_circuit
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec, Objective, TrainingBudget
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.qaoa.angles import fixed_angles_for
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.training import Evaluate, Reading, begin, exact_objective, train

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "scipy", "qiskit", "qiskit-aer")
# variables, layers, repetitions of an evaluation, evaluations of an optimisation
Size = tuple[int, int, int, int]
FULL: tuple[Size, ...] = (
    (10, 3, 50, 200),
    (10, 5, 50, 200),
    (14, 3, 30, 200),
    (14, 5, 30, 200),
    (18, 3, 7, 30),
    (18, 5, 7, 30),
    (20, 3, 5, 10),
    (20, 5, 5, 10),
)
QUICK: tuple[Size, ...] = ((4, 1, 3, 10), (6, 2, 3, 10))
_PEAK = """
import resource, sys
from benchmarks.qaoa import instance, start
from quantum_assets.contracts.qaoa import AnsatzSpec
from quantum_assets.qaoa.engine import prepare
ising, layers = instance(int(sys.argv[1])), int(sys.argv[2])
engine, angles = prepare(ising, AnsatzSpec(layers=layers)), start(ising, layers).vector
engine.mean(angles); engine.cvar(angles, 0.1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True)
class Row:
    """One method on one size; `ratio` is its CPU time over the engine's doing the same."""

    measure: str
    method: str
    n_variables: int
    layers: int
    evaluations: int
    cpu_seconds: float
    wall_seconds: float
    ratio: float
    value: float


def instance(n: int) -> Ising:
    """Max-Cut on a random 3-regular graph (4 variables: the complete graph); energy = minus the edges cut."""
    import networkx as nx

    edges = tuple((min(edge), max(edge)) for edge in nx.random_regular_graph(3, n, seed=n).edges)
    return Ising(n, edges, np.full(len(edges), 0.5), -0.5 * len(edges))


def start(ising: Ising, layers: int) -> AngleTable:
    """Where every method is evaluated and every optimisation begins."""
    return fixed_angles_for(ising, layers)


def aer_objective(ising: Ising, spec: AnsatzSpec) -> Evaluate:
    """What one would write with Aer alone: transpiled once, bound by the primitive."""
    from qiskit import transpile
    from qiskit.quantum_info import SparsePauliOp
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import EstimatorV2

    pairs = [
        ("Z" * len(term), list(term), weight) for term, weight in zip(ising.terms, ising.coefficients, strict=True)
    ]
    cost = SparsePauliOp.from_sparse_list(pairs, ising.n_variables)
    circuit = transpile(ansatz_circuit(ising, spec), AerSimulator(method="statevector"), optimization_level=1)
    order = [0 if parameter.name.startswith("gamma") else 1 for parameter in circuit.parameters]
    estimator = EstimatorV2(
        options={"backend_options": {"method": "statevector", "max_parallel_threads": 1}, "default_precision": 0.0}
    )

    def evaluate(_: int, angles: FloatArray) -> Reading:
        halves = [list(angles[: spec.layers]), list(angles[spec.layers :])]
        values = [halves[kind].pop(0) for kind in order]
        (result,) = estimator.run([(circuit, cost, values)]).result()
        return Reading(float(result.data.evs) + ising.offset)

    return evaluate


def timed(work: Callable[[], float], repeats: int) -> tuple[float, float, float]:
    """Least CPU and wall seconds of one call, over several runs, and the value of the last; as the peers are timed."""
    runs = timed_runs(work, repeats)
    return min(runs["cpu"]), min(runs["wall"]), runs["value"]


def bound(n: int, layers: int) -> tuple[float, float, float]:
    """Two copies a layer of as many bytes as the state has."""
    source = np.ones(2 << n)
    target = np.empty_like(source)
    cpu, wall, _ = timed(lambda: float(np.copyto(target, source) is None), 50)
    return 2 * layers * cpu, 2 * layers * wall, 0.0


def compare(size: Size) -> list[Row]:
    """Engine, Aer and the bound on one size; evaluations first, then optimisations."""
    n, layers, repeats, evaluations = size
    ising, spec = instance(n), AnsatzSpec(layers=layers)
    angles = start(ising, layers)
    objectives = {"engine": exact_objective(prepare(ising, spec), Objective()), "aer": aer_objective(ising, spec)}
    budget = TrainingBudget(optimiser="nelder_mead", evaluations=evaluations)
    found: list[tuple[str, str, int, tuple[float, float, float]]] = []
    for name, objective in objectives.items():
        objective(0, angles.vector)  # first use is nobody's time
        few = repeats if name == "engine" else min(repeats, 5)
        found.append(("evaluation", name, 1, timed(lambda o=objective: o(0, angles.vector).value, few)))
    found.append(("evaluation", "bound", 1, bound(n, layers)))
    for name, objective in objectives.items():
        run = lambda o=objective: _best(train(begin(angles, budget, "benchmark"), o, "benchmark"))  # noqa: E731
        found.append(("optimisation", name, evaluations, timed(run, 1)))
    ours = {measure: times[0] for measure, name, _, times in found if name == "engine"}
    return [
        Row(measure, name, n, layers, count, cpu, wall, cpu / ours[measure], value)
        for measure, name, count, (cpu, wall, value) in found
    ]


def _best(state: Any) -> float:
    return float(state.history[state.best].value)


def peer_rows(python: str, sizes: Sequence[Size], ours: Sequence[Row]) -> list[Row]:
    """Rows of the peers in another environment; nothing, and a line, where that does not run."""
    cases = []
    for n, layers, repeats, evaluations in sizes:
        ising = instance(n)
        table = start(ising, layers)
        cases.append(
            {"n": n, "layers": layers, "edges": ising.terms, "gammas": table.gammas, "betas": table.betas}
            | {"repeats": min(repeats, 3), "evaluations": evaluations}
        )
    script = Path(__file__).with_name("qaoa_peers.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [python, str(script)],
            input=json.dumps(cases),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"peers skipped: {error}", file=sys.stderr)
        return []
    engine = {(r.measure, r.n_variables, r.layers): r.cpu_seconds for r in ours if r.method == "engine"}
    return [
        Row(
            line["measure"],
            line["method"],
            line["n"],
            line["layers"],
            line["evaluations"],
            min(line["cpu"]),
            min(line["wall"]),
            min(line["cpu"]) / engine[line["measure"], line["n"], line["layers"]],
            line["value"],
        )
        for line in json.loads(done.stdout)
    ]


def peak_megabytes(n: int, layers: int) -> float:
    """Largest resident size of a fresh process that prepares and evaluates, everything it imports included."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(n), str(layers)], capture_output=True, text=True, check=True
    )
    return int(done.stdout) / (1 << (20 if sys.platform == "darwin" else 10))


def markdown(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The table for people."""
    lines = ["# Exact QAOA", "", *notes, ""]
    lines += ["| n | layers | measure | method | CPU ms | wall ms | CPU ratio to engine | value |", "|---" * 8 + "|"]
    lines += [
        f"| {row.n_variables} | {row.layers} | {row.measure} ({row.evaluations}) | {row.method} | "
        f"{1e3 * row.cpu_seconds:.3f} | {1e3 * row.wall_seconds:.3f} | {row.ratio:.2f} | {row.value:.8f} |"
        for row in rows
    ]
    lines += ["", "Engine over the memory bound, CPU time of an evaluation:", ""]
    lines += [
        f"- n = {row.n_variables}, {row.layers} layers: {1 / row.ratio:.1f}" for row in rows if row.method == "bound"
    ]
    return "\n".join(lines) + "\n"


def picture(rows: Sequence[Row], path: Path) -> None:
    """CPU time of an evaluation by size, one line a method and number of layers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    kept = [row for row in rows if row.measure == "evaluation"]
    for name in dict.fromkeys(row.method for row in kept):
        for layers in sorted({row.layers for row in kept}):
            line = [(r.n_variables, r.cpu_seconds) for r in kept if (r.method, r.layers) == (name, layers)]
            if line:
                axes.plot(*zip(*sorted(line), strict=True), marker="o", label=f"{name}, {layers} layers")
    axes.set(yscale="log", xlabel="variables", ylabel="CPU seconds an evaluation", title="Exact QAOA, one thread")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", loc="lower right", ncols=2)
    figure.savefig(path, dpi=120)


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print, and write `qaoa.parquet`, `qaoa.md` and `qaoa.png`."""
    from threadpoolctl import threadpool_limits

    parser = argparse.ArgumentParser(description="Exact QAOA beside its peers and the memory bound.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, some seconds")
    parser.add_argument("--only", help="sizes as n:layers, for example 18:5,10:3")
    parser.add_argument("--peers", help="interpreter of an environment with pennylane and qiskit-algorithms")
    parser.add_argument("--out", type=Path, help="folder for the results; default benchmarks/results, none for --quick")
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else FULL
    if options.only:
        wanted = {tuple(map(int, pair.split(":"))) for pair in options.only.split(",")}
        sizes = tuple(size for size in sizes if size[:2] in wanted)
    rows: list[Row] = []
    with threadpool_limits(1):
        for size in sizes:
            rows += compare(size)
            print(f"measured n = {size[0]}, {size[1]} layers", file=sys.stderr, flush=True)
    if options.peers:
        rows += peer_rows(options.peers, sizes, rows)
    largest = max(sizes)
    notes = [environment_line(), "", f"Peak memory of a process, n = {largest[0]}, {largest[1]} layers: "]
    notes[-1] += f"{peak_megabytes(largest[0], largest[1]):.0f} MB."
    report = markdown(rows, notes)
    print(report)
    folder = options.out or (None if options.quick else RESULTS)
    if folder is not None:
        write(rows, report, folder)
    return rows


def environment_line() -> str:
    """Versions and how busy the machine was; nothing that names it."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"Max-Cut, 3-regular, fixed angles, one thread. Python {machine.python_version()}, {versions}; load average at "
        f"the end {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores (CPU seconds grow with it)."
    )


def write(rows: Sequence[Row], report: str, folder: Path) -> None:
    """Store the rows as Parquet, the report as Markdown and the plot as PNG."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows]), folder / "qaoa.parquet")
    (folder / "qaoa.md").write_text(report, encoding="utf-8")
    picture(rows, folder / "qaoa.png")


if __name__ == "__main__":
    main()
