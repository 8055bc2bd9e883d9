"""Max-Cut QAOA in PennyLane and in qiskit-algorithms, for `benchmarks.qaoa --peers PYTHON`: evaluations, optimisations.

Runs in an environment of its own, which has the peers and not this package: instances come as JSON on standard input,
times go as JSON to standard output. A peer that cannot be imported is left out, with a line on standard error.
Both get house angles, all gammas and then all betas; both return minus the mean cut. An optimisation is SciPy's
Nelder-Mead around an evaluation, with the first simplex and the number of evaluations that our own training has; a peer
that needs over two CPU seconds for one evaluation is measured once, and not optimised with.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Edges = Sequence[tuple[int, int]]
Evaluation = Callable[[Sequence[float]], float]

_PATIENCE = 2.0  # CPU seconds of one evaluation
_LEAST_SECONDS = 0.01  # CPU seconds of one timed run: the process clock can stand still over a shorter one


def lightning(n: int, edges: Edges, layers: int) -> Evaluation:
    """PennyLane's C++ state-vector device; the circuit by gates, the cost as one Hamiltonian."""
    import pennylane as qml

    cost = qml.Hamiltonian([0.5] * len(edges), [qml.PauliZ(i) @ qml.PauliZ(j) for i, j in edges])

    @qml.qnode(qml.device("lightning.qubit", wires=n))
    def circuit(angles: Sequence[float]) -> Any:
        for wire in range(n):
            qml.Hadamard(wire)
        for gamma, beta in zip(angles[:layers], angles[layers:], strict=True):
            for i, j in edges:
                qml.IsingZZ(gamma, wires=[i, j])
            for wire in range(n):
                qml.RX(2 * beta, wires=wire)
        return qml.expval(cost)

    return lambda angles: float(circuit(angles)) - 0.5 * len(edges)


def qiskit_algorithms(n: int, edges: Edges, layers: int) -> Evaluation:
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
    sampler = StatevectorSampler(default_shots=8192, seed=1)
    first = np.full(2 * layers, 0.1)
    QAOA(sampler, keep, reps=layers, initial_point=first, transpiler=passes).compute_minimum_eigenvalue(cost)

    def evaluate(angles: Sequence[float]) -> float:
        values = np.array([*angles[layers:], *angles[:layers]])  # it has betas first
        return float(np.real(kept[0](values))) - 0.5 * len(edges)

    return evaluate


PEERS: dict[str, Callable[..., Evaluation]] = {"lightning": lightning, "qiskit-algorithms": qiskit_algorithms}


def optimised(evaluate: Evaluation, start: Sequence[float], evaluations: int) -> float:
    """The lowest value of one Nelder-Mead run."""
    import numpy as np
    from scipy.optimize import minimize

    corners = np.vstack([start, start + 0.1 * np.eye(len(start))])
    options = {"initial_simplex": corners, "xatol": 1e-8, "fatol": 1e-10, "maxfev": evaluations}
    return float(minimize(evaluate, np.array(start), method="Nelder-Mead", options=options).fun)


def timed(work: Callable[[], float], repeats: int) -> dict[str, Any]:
    """CPU and wall seconds of one call in every run of ten milliseconds or more, and the value of the last."""
    cpu, wall, value, calls = [], [], 0.0, 1
    while len(cpu) < repeats:
        started, started_cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            value = work()
        spent, passed = time.process_time() - started_cpu, time.perf_counter() - started
        if spent < _LEAST_SECONDS:
            calls *= 2
            continue
        cpu.append(spent / calls)
        wall.append(passed / calls)
    return {"cpu": cpu, "wall": wall, "value": value}


def measured(case: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """One evaluation, repeated, and one optimisation, of one peer on one instance."""
    evaluate = PEERS[name](case["n"], case["edges"], case["layers"])
    start = [*case["gammas"], *case["betas"]]
    first = timed(lambda: evaluate(start), 1)  # first use compiles and caches
    key = {"method": name, "n": case["n"], "layers": case["layers"]}
    if first["cpu"][0] > _PATIENCE:
        print(f"{name} is not optimised with at n = {case['n']}, {case['layers']} layers: too slow", file=sys.stderr)
        return [{**key, "measure": "evaluation", "evaluations": 1, **first}]
    once = timed(lambda: evaluate(start), case["repeats"])
    whole = timed(lambda: optimised(evaluate, start, case["evaluations"]), 1)
    return [
        {**key, "measure": "evaluation", "evaluations": 1, **once},
        {**key, "measure": "optimisation", "evaluations": case["evaluations"], **whole},
    ]


def main() -> None:
    """Measure every instance on every peer that is here."""
    found: list[dict[str, Any]] = []
    for case in json.load(sys.stdin):
        for name in PEERS:
            try:
                found += measured(case, name)
            except ImportError as error:
                print(f"{name} is not here: {error}", file=sys.stderr)
                continue
            print(f"measured {name}, n = {case['n']}, {case['layers']} layers", file=sys.stderr, flush=True)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
