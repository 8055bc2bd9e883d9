"""Exact Gram matrices: ours beside qiskit-machine-learning and plain Aer, on the same data in one run, as ratios.

Run it from the repository root::

    python -m benchmarks.gram            # n = 4, 8, 12 qubits, N = 400 and 1000; some minutes
    python -m benchmarks.gram --quick    # a smoke test; prints, and writes only where --out says

Every method runs on one thread (BLAS through threadpoolctl, Aer through its own option), on the same angles, with the
same circuit (ZZ map, two repetitions). CPU seconds are what to compare; wall seconds are shown beside them. Fast
methods are the best of several runs, the peers are run once, all on all rows. Differences are to our matrix.

- `engine`: batched states and the real-arithmetic product, nothing else.
- `platform`: plan, provider with its cross-check, envelope, trust boundary, matrix; what a user gets.
- `qiskit-machine-learning`: `FidelityStatevectorKernel.evaluate`.
- `aer`: a list of bound circuits, `save_statevector`, one complex matrix product.
"""

import argparse
import os
import platform as machine
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from quantum_assets.circuits.build import diagonal_form
from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.fidelity import fidelities
from quantum_assets.kernels.plan import plan
from quantum_assets.kernels.reconstruct import gram
from quantum_assets.providers import diagonal
from quantum_assets.providers.statevector import StatevectorProvider
from quantum_assets.trust.admit import require

PROFILE = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector",))
RESULTS = Path(__file__).parent / "results"
FULL = (
    (4, "linear", 400),
    (4, "linear", 1000),
    (8, "full", 400),
    (8, "full", 1000),
    (12, "full", 400),
    (12, "full", 1000),
)
QUICK = ((3, "linear", 20), (4, "full", 20))
PACKAGES = ("numpy", "scipy", "qiskit", "qiskit-aer", "qiskit-machine-learning")

Method = Callable[[FeatureMapSpec, FloatArray], FloatArray]


@dataclass(frozen=True)
class Row:
    """One method on one size; `ratio` is its CPU time over the platform's, `first_*` its first call in the process."""

    method: str
    n_qubits: int
    entanglement: str
    n_samples: int
    repeats: int
    cpu_seconds: float
    wall_seconds: float
    first_cpu_seconds: float
    ratio: float
    max_abs_difference: float


def by_engine(spec: FeatureMapSpec, angles: FloatArray) -> FloatArray:
    """States and product only."""
    form = diagonal_form(spec, angles)
    assert form is not None
    return fidelities(diagonal.states(form, angles.shape[1]))


def by_platform(spec: FeatureMapSpec, angles: FloatArray) -> FloatArray:
    """The whole walk, as an asset takes it."""
    workload = plan(spec, 1.0, angles, PROFILE)
    order = Order("0" * 64, (workload,), PROFILE)
    provider = StatevectorProvider()
    (envelope,) = provider.fetch(provider.submit(order), order)
    assert isinstance(envelope, ResultEnvelope)
    admitted = require(envelope, workload, PROFILE)
    return gram(admitted, workload, PROFILE, [str(row) for row in range(len(angles))]).values


def by_qiskit_machine_learning(spec: FeatureMapSpec, angles: FloatArray) -> FloatArray:
    """The peer's fast exact kernel, with its default projection switched off as it would only cost it time."""
    from qiskit.circuit.library import zz_feature_map
    from qiskit_machine_learning.kernels import FidelityStatevectorKernel

    circuit = zz_feature_map(angles.shape[1], reps=spec.reps, entanglement=spec.entanglement)
    kernel = FidelityStatevectorKernel(feature_map=circuit, cache_size=len(angles), enforce_psd=False)
    return np.asarray(kernel.evaluate(angles))


def by_aer(spec: FeatureMapSpec, angles: FloatArray) -> FloatArray:
    """What one would write with Aer alone."""
    from qiskit.circuit.library import zz_feature_map
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method="statevector", max_parallel_threads=1)
    circuit = zz_feature_map(angles.shape[1], reps=spec.reps, entanglement=spec.entanglement)
    circuit.save_statevector()
    result = simulator.run([circuit.assign_parameters(row) for row in angles], shots=1).result()
    states = np.array([np.asarray(result.get_statevector(index)) for index in range(len(angles))])
    return np.asarray(np.abs(states @ states.conj().T) ** 2)


METHODS: dict[str, tuple[Method, int]] = {
    "engine": (by_engine, 5),
    "platform": (by_platform, 5),
    "qiskit-machine-learning": (by_qiskit_machine_learning, 1),
    "aer": (by_aer, 1),
}


def measure(
    method: Method, repeats: int, spec: FeatureMapSpec, angles: FloatArray
) -> tuple[list[float], list[float], FloatArray]:
    """CPU and wall seconds of every run, and the matrix."""
    cpu, wall, values = [], [], np.empty(0)
    for _ in range(repeats):
        started, started_cpu = time.perf_counter(), time.process_time()
        values = method(spec, angles)
        cpu.append(time.process_time() - started_cpu)
        wall.append(time.perf_counter() - started)
    return cpu, wall, values


def compare(n_qubits: int, entanglement: str, n_samples: int) -> list[Row]:
    """All methods on one size."""
    spec = FeatureMapSpec.model_validate({"kind": "zz", "reps": 2, "entanglement": entanglement})
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, size=(n_samples, n_qubits))
    found = {name: measure(method, repeats, spec, angles) for name, (method, repeats) in METHODS.items()}
    ours = found["platform"]
    return [
        Row(
            name,
            n_qubits,
            entanglement,
            n_samples,
            len(cpu),
            min(cpu),
            min(wall),
            cpu[0],
            min(cpu) / min(ours[0]),
            float(np.abs(values - ours[2]).max()),
        )
        for name, (cpu, wall, values) in found.items()
    ]


def markdown(rows: Sequence[Row], environment: str) -> str:
    """The table for people."""
    lines = [
        "# Exact Gram matrices",
        "",
        environment,
        "",
        "| qubits | N | method | CPU s | wall s | CPU ratio to platform | first call CPU s | max difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.n_qubits} {row.entanglement} | {row.n_samples} | {row.method} | {row.cpu_seconds:.4f} | "
        f"{row.wall_seconds:.4f} | {row.ratio:.2f} | {row.first_cpu_seconds:.4f} | {row.max_abs_difference:.1e} |"
        for row in rows
    ]
    seconds = {(row.n_qubits, row.n_samples, row.method): row.cpu_seconds for row in rows}
    lines += ["", "Platform over engine (plan, cross-check, envelope, trust), CPU milliseconds a call:", ""]
    for n, m in dict.fromkeys((row.n_qubits, row.n_samples) for row in rows):
        lines.append(f"- n = {n}, N = {m}: {1e3 * (seconds[n, m, 'platform'] - seconds[n, m, 'engine']):.1f}")
    return "\n".join(lines) + "\n"


def environment_line(threads: Sequence[int]) -> str:
    """Versions, thread counts and how busy the machine was; nothing that names it."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"ZZ map, 2 repetitions. Python {machine.python_version()}, {versions}; BLAS threads {sorted(set(threads))}; "
        f"load average at the end {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores (CPU seconds grow with it)."
    )


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print, and write `gram.parquet` and `gram.md`."""
    from threadpoolctl import threadpool_info, threadpool_limits

    parser = argparse.ArgumentParser(description="Exact Gram matrices beside two peers.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, some seconds")
    parser.add_argument("--out", type=Path, help="folder for the results; default benchmarks/results, none for --quick")
    options = parser.parse_args(arguments)
    compare(2, "linear", 4)  # imports and first-use costs are nobody's ratio
    with threadpool_limits(limits=1):
        threads = [int(library["num_threads"]) for library in threadpool_info()]
        rows: list[Row] = []
        for size in QUICK if options.quick else FULL:
            rows += compare(*size)
            print(f"measured n = {size[0]} {size[1]}, N = {size[2]}", file=sys.stderr, flush=True)
    report = markdown(rows, environment_line(threads))
    print(report)
    folder = options.out or (None if options.quick else RESULTS)
    if folder is not None:
        write(rows, report, folder)
    return rows


def write(rows: Sequence[Row], report: str, folder: Path) -> None:
    """Store the rows as Parquet and the report as Markdown."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows]), folder / "gram.parquet")
    (folder / "gram.md").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
