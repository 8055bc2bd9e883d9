"""One exact Max-Cut QAOA evaluation in PennyLane and in qiskit-algorithms, for `benchmarks.qaoa --peers PYTHON`.

Runs in an environment of its own, which has the peers and not this package: instances come as JSON on standard input,
times go as JSON to standard output. A peer that cannot be imported is left out, with a line on standard error.
Both get house angles; both return minus the mean cut.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Edges = Sequence[tuple[int, int]]
Evaluation = Callable[[], float]


def lightning(n: int, edges: Edges, gammas: Sequence[float], betas: Sequence[float]) -> Evaluation:
    """PennyLane's C++ state-vector device; the circuit by gates, the cost as one Hamiltonian."""
    import pennylane as qml

    cost = qml.Hamiltonian([0.5] * len(edges), [qml.PauliZ(i) @ qml.PauliZ(j) for i, j in edges])

    @qml.qnode(qml.device("lightning.qubit", wires=n))
    def circuit() -> Any:
        for wire in range(n):
            qml.Hadamard(wire)
        for gamma, beta in zip(gammas, betas, strict=True):
            for i, j in edges:
                qml.IsingZZ(gamma, wires=[i, j])
            for wire in range(n):
                qml.RX(2 * beta, wires=wire)
        return qml.expval(cost)

    return lambda: float(circuit()) - 0.5 * len(edges)


def qiskit_algorithms(n: int, edges: Edges, gammas: Sequence[float], betas: Sequence[float]) -> Evaluation:
    """What its QAOA class evaluates in each iteration, with a pass manager and Qiskit's exact sampler (8,192 shots)."""
    import numpy as np
    from qiskit.primitives import StatevectorSampler
    from qiskit.quantum_info import SparsePauliOp
    from qiskit.transpiler import generate_preset_pass_manager
    from qiskit_algorithms import QAOA
    from qiskit_algorithms.optimizers import OptimizerResult

    kept: list[Callable[[Any], float]] = []

    def keep(fun: Callable[[Any], float], x0: Any, jac: Any = None, bounds: Any = None) -> Any:  # noqa: ARG001
        """An optimiser, by the library's own protocol, that hands its objective out and ends."""
        kept.append(fun)
        result = OptimizerResult()
        result.x, result.fun, result.nfev = x0, fun(x0), 1
        return result

    cost = SparsePauliOp.from_sparse_list([("ZZ", [i, j], 0.5) for i, j in edges], n)
    passes = generate_preset_pass_manager(optimization_level=1, basis_gates=["rz", "rx", "h", "cx", "rzz"])
    values = np.array([*betas, *gammas])
    sampler = StatevectorSampler(default_shots=8192, seed=1)
    QAOA(sampler, keep, reps=len(gammas), initial_point=values, transpiler=passes).compute_minimum_eigenvalue(cost)
    return lambda: float(np.real(kept[0](values))) - 0.5 * len(edges)


PEERS: dict[str, Callable[..., Evaluation]] = {"lightning": lightning, "qiskit-algorithms": qiskit_algorithms}


def main() -> None:
    """Measure every instance on every peer that is here."""
    found: list[dict[str, Any]] = []
    for case in json.load(sys.stdin):
        for name, make in PEERS.items():
            try:
                evaluate = make(case["n"], case["edges"], case["gammas"], case["betas"])
            except ImportError as error:
                print(f"{name} is not here: {error}", file=sys.stderr)
                continue
            value = evaluate()  # first use compiles and caches
            cpu, wall = [], []
            for _ in range(case["repeats"]):
                started, started_cpu = time.perf_counter(), time.process_time()
                value = evaluate()
                cpu.append(time.process_time() - started_cpu)
                wall.append(time.perf_counter() - started)
            key = {field: case[field] for field in ("n", "layers")}
            found.append({"method": name, **key, "cpu": cpu, "wall": wall, "value": value})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
