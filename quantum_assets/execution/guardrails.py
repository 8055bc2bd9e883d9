"""Refuse a workload that breaks a limit, from its values alone, before anything is started or spent.

Two sets of limits hold: the profile's guardrails, which a person chose, and the provider's, which it has. All that is
broken is said at once, so that nobody mends one figure to meet the next. What is only too large (`GuardrailError`) is
told apart from what no limit would let pass.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from quantum_assets.contracts.errors import GuardrailError, PlanError
from quantum_assets.contracts.jobs import Limits
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload

#: What is wrong, and what mends it.
Fault = tuple[str, str]

_ONE_QUBIT = "h id p r rx ry rz s sdg sx sxdg t tdg u u1 u2 u3 x y z"
_TWO_QUBITS = (
    "ch cp crx cry crz cs csdg csx cu cu1 cu3 cx cy cz dcx ecr iswap rxx ryy rzx rzz swap xx_minus_yy xx_plus_yy"
)
#: Unitary gates with a definition that every compiler knows, by Qiskit's names, and the barrier, which does nothing.
GATES = frozenset({"barrier", "global_phase", *_ONE_QUBIT.split(), *_TWO_QUBITS.split()})
#: Steps inside a circuit that look at a qubit or reset it: they have no inverse.
MID_CIRCUIT = frozenset({"measure", "reset"})
_CONTROL_STATE = re.compile(r"_o\d+$")  # cx_o0: a CX that acts on control 0
_QASM_INPUT = re.compile(r"^\s*input\s", re.MULTILINE)


def check_guardrails(workload: Workload, profile: ExecutionProfile) -> None:
    """Hold width, depth, gates, parameters, number of circuits and memory against the profile's guardrails.

    An overlap runs the circuit and its inverse, so its depth and its two-qubit gates count double.

    Raises:
        GuardrailError: With every limit that is broken: its figure, the limit and what to do.
        PlanError: The same, where something else is wrong as well: gates that nobody knows, unbound parameters.
    """
    wrong = [fault for rule in _FORM for fault in rule(workload, profile)]
    _refuse(workload, profile, [fault for rule in _SIZE for fault in rule(workload, profile)], wrong)


def check_limits(workload: Workload, profile: ExecutionProfile, limits: Limits) -> None:
    """Hold shots, and where they would run, against what the provider takes.

    More circuits than one order may hold are no fault: such a workload is split.

    Raises:
        PlanError: With every limit that is broken.
    """
    faults: list[Fault] = []
    shots = profile.shots if profile.estimator == "circuits" else None
    if shots is not None and limits.max_shots is not None and shots > limits.max_shots:
        faults.append((f"{shots} shots are asked for, the provider takes {limits.max_shots}", "Lower shots"))
    if limits.hardware and profile.mode != "hardware":
        faults.append(
            (f"a quantum device would run it, and the profile's mode is {profile.mode}", "Say mode: hardware, if meant")
        )
    _refuse(workload, profile, (), faults)


def estimate_memory(workload: Workload, profile: ExecutionProfile) -> int:
    """Estimate the peak bytes of one run on a simulator.

    States are kept for every binding beside one working copy; measured circuits are simulated one after the other, on a
    state vector or, under noise, on a density matrix, and leave three numbers a pair, or every shot, eight qubits a
    byte, twice while they are put together.
    """
    width = workload.circuit.n_qubits
    if not workload.sampled:
        return 2 * 16 * workload.n_bindings * (1 << width)
    kept = 3 * 8 if workload.pairs is not None else 2 * (profile.shots or 0) * -(-width // 8)
    return 2 * 16 * (1 << (2 * width if profile.noise is not None else width)) + kept * workload.n_circuits


def _refuse(workload: Workload, profile: ExecutionProfile, too_large: Sequence[Fault], wrong: Sequence[Fault]) -> None:
    faults = [*too_large, *wrong]
    if faults:
        raise (PlanError if wrong else GuardrailError)(
            f"{workload.label or workload.circuit.name} under profile {profile.name}",
            "; ".join(problem for problem, _ in faults),
            "; ".join(dict.fromkeys(mend for _, mend in faults)),
        )


def _width(workload: Workload, profile: ExecutionProfile) -> Iterator[Fault]:
    has, allowed = workload.circuit.n_qubits, profile.guardrails.max_qubits
    if has > allowed:
        yield (
            f"the circuit has {has} qubits, the profile allows {allowed}",
            "Reduce the number of qubits, or raise guardrails.max_qubits",
        )


def _gates(workload: Workload, profile: ExecutionProfile) -> Iterator[Fault]:
    times = 1 if workload.pairs is None else 2
    both = "" if times == 1 else " with its inverse"
    circuit, limits = workload.circuit, profile.guardrails
    if times * circuit.depth > limits.max_depth:
        yield (
            f"the circuit{both} has depth {times * circuit.depth}, the profile allows {limits.max_depth}",
            "Use fewer repetitions or less entanglement, or raise guardrails.max_depth",
        )
    if times * circuit.two_qubit_gates > limits.max_two_qubit_gates:
        yield (
            f"it has {times * circuit.two_qubit_gates} two-qubit gates{both}, the profile allows "
            + str(limits.max_two_qubit_gates),
            "Use fewer repetitions or less entanglement, or raise guardrails.max_two_qubit_gates",
        )


def _operations(workload: Workload, profile: ExecutionProfile) -> Iterator[Fault]:
    """Names that are left after decomposition: what is no known gate is opaque, or hides gates from the figures."""
    names = workload.circuit.operations
    inside = sorted(MID_CIRCUIT.intersection(names))
    if inside and workload.pairs is not None:
        yield (
            f"{' and '.join(inside)} inside the circuit cannot be inverted, and an overlap runs the inverse",
            "Leave measuring to the provider",
        )
    elif inside and not profile.guardrails.allow_mid_circuit:
        yield (
            f"{' and '.join(inside)} inside the circuit, and the profile does not allow it",
            "Leave measuring to the provider, or set guardrails.allow_mid_circuit",
        )
    unknown = [name for name in names if name not in MID_CIRCUIT and _CONTROL_STATE.sub("", name) not in GATES]
    if unknown:
        yield (
            f"unsupported operations: {', '.join(unknown)}",
            "Build the circuit from standard gates; control flow, channels and opaque instructions cannot be checked",
        )


def _parameters(workload: Workload, profile: ExecutionProfile) -> Iterator[Fault]:  # noqa: ARG001 - a rule
    names = workload.circuit.parameters
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"parameters are listed twice: {', '.join(twice)}", "Archive the circuit again"
    declared, columns = len(_QASM_INPUT.findall(workload.circuit.qasm3)), workload.bindings.shape[1]
    if declared > columns:
        yield (
            f"{declared - columns} of the circuit's {declared} parameters would stay unbound",
            "Give one column of bindings a parameter",
        )


def _circuits(workload: Workload, profile: ExecutionProfile) -> Iterator[Fault]:
    circuits, allowed = workload.n_circuits if workload.sampled else 0, profile.guardrails.max_circuits
    if circuits > allowed:
        yield (
            f"{circuits} circuits are needed, the profile allows {allowed}",
            "Use fewer rows, or raise guardrails.max_circuits",
        )


def _memory(workload: Workload, profile: ExecutionProfile) -> Iterator[Fault]:
    needed, allowed = estimate_memory(workload, profile), profile.guardrails.max_memory_bytes
    if needed > allowed:
        yield (
            f"about {needed / 1e9:.3g} GB of memory is needed, the profile allows {allowed / 1e9:.3g}",
            "Use fewer rows or qubits, or raise guardrails.max_memory_bytes",
        )


Rule = Callable[[Workload, ExecutionProfile], Iterator[Fault]]

#: What is too large for the profile, and what is wrong under any.
_SIZE: tuple[Rule, ...] = (_width, _gates, _circuits, _memory)
_FORM: tuple[Rule, ...] = (_operations, _parameters)
