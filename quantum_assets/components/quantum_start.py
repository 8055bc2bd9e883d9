"""Where training begins: the ansatz with its first state, and the first angles.

First angles are tabulated, a ramp, random, or found on fewer variables of the same instance and carried over by the
size of its energies. The first state is uniform, or warm: turned towards the instance's greedy row.
"""

from dataclasses import dataclass

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import QuantumSpec
from quantum_assets.contracts.problem import Bits, Encoding, Problem
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec
from quantum_assets.problems.narrowing import narrow
from quantum_assets.qaoa.angles import fixed_angles_for, flip_scale, linear_ramp, random_angles, transfer
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.training import Guard, begin, exact_objective, train


@dataclass(frozen=True)
class Origin:
    """Where training of one ansatz begins.

    Attributes:
        ansatz: The circuit family, its first state included.
        angles: The first ones.
        halted: Why there was no time to find them on fewer variables; empty where nothing was amiss.
    """

    ansatz: AnsatzSpec
    angles: AngleTable
    halted: str = ""


def origin_of(kernel: Problem, spec: QuantumSpec, label: str, guard: Guard | None = None) -> Origin:
    """Where training of an instance begins, as the study says.

    Args:
        kernel: The instance as the quantum step gets it.
        spec: The quantum step.
        label: Whose it is, for messages.
        guard: Halts training on fewer variables; its angles are then left alone, and those of the polynomial serve.

    Raises:
        PlanError: For an xy mixer on a problem that does not fix the number of ones, a polynomial without energies, or
            an instance that cannot be reduced to `transfer_variables`.
    """
    encoding = kernel.encode()
    greedy = kernel.greedy() if spec.warm_start is not None else None
    ansatz = ansatz_of(encoding, spec, label, greedy)
    if spec.transfer_variables is None:
        return Origin(ansatz, first_angles(encoding, spec))
    angles, halted = _carried_over(kernel, encoding, spec, spec.transfer_variables, label, guard)
    return Origin(ansatz, angles, halted)


def ansatz_of(encoding: Encoding, spec: QuantumSpec, label: str = "", greedy: Bits | None = None) -> AnsatzSpec:
    """The circuit family of a study on one instance.

    Args:
        encoding: Of the instance.
        spec: The quantum step.
        label: Whose it is, for messages.
        greedy: The row that a warm start begins at; other starts do not look at it.

    Raises:
        PlanError: For an xy mixer on a problem that does not fix the number of ones, or a warm start without a row.
    """
    if spec.mixer != "x" and encoding.cardinality is None:
        raise PlanError(
            f"study {label}: quantum.mixer",
            f"is {spec.mixer}, and the instance does not fix the number of ones",
            "Use mixer x; where the instance was reduced, raise quantum.most_variables",
        )
    if spec.warm_start is None:
        ones = encoding.cardinality if spec.mixer != "x" else None
        return AnsatzSpec(mixer=spec.mixer, layers=spec.layers, cardinality=ones)
    if greedy is None:
        raise PlanError(f"study {label}: quantum.warm_start", "has no row to begin at", "Give the greedy row")
    return AnsatzSpec(
        mixer=spec.mixer, layers=spec.layers, probabilities=greedy.astype(float).tolist(), epsilon=spec.warm_start
    )


def first_angles(encoding: Encoding, spec: QuantumSpec) -> AngleTable:
    """Angles that the polynomial alone gives: random, a ramp, or tabulated, which start transfer falls back on.

    Raises:
        PlanError: For a polynomial without energies.
    """
    scale = flip_scale(encoding.ising)
    if spec.start == "random":
        return random_angles(spec.layers, scale, spec.seed)
    if spec.start == "ramp" or spec.mixer != "x":  # the tables are for mixer x
        return linear_ramp(spec.layers, scale)
    return fixed_angles_for(encoding.ising, spec.layers)


def _carried_over(
    kernel: Problem, encoding: Encoding, spec: QuantumSpec, most: int, label: str, guard: Guard | None
) -> tuple[AngleTable, str]:
    """Train on fewer variables, with the same ansatz, objective and budget, and scale the angles up to the instance.

    Returns:
        First angles, and why training was halted; empty where it was not.
    """
    if len(kernel.variables) <= most:  # there is nothing narrower to learn from
        return first_angles(encoding, spec), ""
    try:
        smaller = narrow(kernel, most, spec.narrowing)
        begun = origin_of(smaller, spec.model_copy(update={"start": "fixed", "transfer_variables": None}), label)
    except PlanError as exc:
        raise PlanError(
            f"study {label}: quantum.transfer_variables",
            f"is {most}, and {exc.culprit} {exc.problem}",
            "Raise it, or take another start",
        ) from exc
    ising = smaller.encode().ising
    question = f"{ising.fingerprint}/{begun.ansatz.model_dump_json()}/{spec.objective.model_dump_json()}"
    objective = exact_objective(prepare(ising, begun.ansatz), spec.objective)
    done = train(begin(begun.angles, spec.training, question), objective, question, guard=guard)
    if guard is not None and done.ending == guard(done.history):  # whose sentence ends it only where it halted it
        return first_angles(encoding, spec), done.ending
    named = done.angles.model_copy(update={"source": f"Found on {smaller.name}. {done.angles.source}"})
    return transfer(named, flip_scale(encoding.ising)), ""
