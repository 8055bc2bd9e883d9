"""dimod's `BinaryQuadraticModel` as a problem: one in memory, or one in a file of dimod's binary format.

Labels become the variables' names; a model that is labelled 0 to n - 1 keeps those numbers. The spins of a SPIN model
are the house's, `z = 1 - 2 x`: bit 0 is spin +1. (dimod's own change of vartype takes bit 1 for spin +1. Energies and
spins are the same either way.)

The format of files is versions 1 and 2 of dimod's own description (`BinaryQuadraticModel.to_file`). It is read here and
not by dimod, which believes the numbers in a file: a damaged one can end the process.
"""

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Sense
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.problems.coordinates import FORMS, MAX_ROWS, Form
from quantum_assets.problems.polynomial import Term, from_bits, from_spins
from quantum_assets.problems.polynomial_problem import PolynomialProblem

_MAGIC, _LABELS = b"DIMODBQM", b"VARS"
_FLOATS = frozenset({"float32", "float64"})
_INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"})
_MEND = "Write it again with BinaryQuadraticModel.to_file"


@dataclass(frozen=True, eq=False)
class Read:
    """What a file holds: the problem, and whether its values weigh bits or spins."""

    problem: PolynomialProblem
    form: Form


def from_bqm(bqm: Any, name: str = "bqm", sense: Sense = "minimise", *, unit: str = "objective") -> PolynomialProblem:
    """The problem of a model in memory.

    Args:
        bqm: A `dimod.BinaryQuadraticModel`, of BINARY or SPIN variables.
        name: Of the instance.
        sense: Which way the objective goes; dimod minimises.
        unit: Of the objective, for people.

    Raises:
        PlanError: For another kind of model, labels that read alike, or a model without any weight.
    """
    import dimod

    if not isinstance(bqm, dimod.BinaryQuadraticModel):
        mend = "Give a dimod.BinaryQuadraticModel; dimod.cqm_to_bqm makes one of a constrained model"
        raise PlanError(f"model {name}", f"is a {type(bqm).__name__}", mend)
    labels = list(bqm.variables)
    place = {label: number for number, label in enumerate(labels)}
    terms: list[Term] = [((), float(bqm.offset))]
    terms += [((place[v],), float(weight)) for v, weight in bqm.linear.items()]
    terms += [((place[u], place[v]), float(weight)) for (u, v), weight in bqm.quadratic.items()]
    return _problem(name, FORMS[bqm.vartype.name], labels, terms, sense, unit)


def read_bqm(
    whose: str, data: bytes, name: str, sense: Sense = "minimise", *, unit: str = "objective", max_variables: int
) -> Read:
    """The problem in a file of dimod's binary format.

    Args:
        whose: The file's name, for messages.
        data: Its content.
        name: Of the instance.
        sense: Which way the objective goes.
        unit: Of the objective, for people.
        max_variables: More are refused.

    Raises:
        PlanError: For a file that is not whole, contradicts itself, or holds a model that is too large.
    """
    try:
        header, rest = _header(data)
        form, n, m = FORMS[header["vartype"]], *map(int, header["shape"])
        if not (0 < n <= max_variables and 0 <= m <= MAX_ROWS):
            problem = f"has {n:,} variables and {m:,} pairs"
            raise PlanError(whose, problem, f"Give 1 to {max_variables:,} variables, at most {MAX_ROWS:,} pairs")
        offset, linear, pairs, weights, rest = _weights(header, rest, n, m)
        labels = _labels(header, rest, n)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise PlanError(whose, f"is not a whole file of dimod's format ({error})", _MEND) from error
    terms: list[Term] = [((), offset)]
    terms += [((i,), float(weight)) for i, weight in enumerate(linear)]
    terms += [((int(i), int(j)), float(weight)) for (i, j), weight in zip(pairs, weights, strict=True)]
    return Read(_problem(name, form, labels, terms, sense, unit), form)


def _problem(
    name: str, form: Form, labels: Sequence[Any], terms: Iterable[Term], sense: Sense, unit: str
) -> PolynomialProblem:
    numbers = list(range(len(labels)))
    numbered = all(type(label) is int for label in labels) and sorted(labels) == numbers
    if numbered:  # then label i is variable i, in whatever order they came
        terms = [(tuple(labels[v] for v in variables), weight) for variables, weight in terms]
    polynomial = (from_bits if form == "qubo" else from_spins)(len(labels), terms)
    return PolynomialProblem(name, polynomial, sense, unit, () if numbered else tuple(map(str, labels)))


def _header(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header, and what follows it."""
    if data[:8] != _MAGIC:
        raise ValueError(f"it does not begin with {_MAGIC.decode()}")
    major, minor, length = struct.unpack_from("<BBI", data, 8)
    if major not in (1, 2):
        raise ValueError(f"version {major}.{minor} is not known")
    header = json.loads(data[14 : 14 + length].decode("ascii"))
    if header["dtype"] not in _FLOATS or {header["itype"], header["ntype"]} - _INTEGERS:
        raise ValueError(f"numbers are {header['dtype']}, {header['itype']} and {header['ntype']}")
    return header, data[14 + length :]


def _weights(
    header: dict[str, Any], data: bytes, n: int, m: int
) -> tuple[float, FloatArray, IntArray, FloatArray, bytes]:
    """Constant, one weight a variable, pairs with their weights, and what follows.

    Every pair stands twice, once in the list of each of its variables; a variable's list ends where the next begins.
    """
    real = np.dtype(header["dtype"]).newbyteorder("<")
    single = np.dtype([("begins", np.dtype(header["ntype"]).newbyteorder("<")), ("weight", real)])
    double = np.dtype([("other", np.dtype(header["itype"]).newbyteorder("<")), ("weight", real)])
    offset = np.frombuffer(data, real, 1)[0]
    linear = np.frombuffer(data, single, n, real.itemsize)
    begin = real.itemsize + n * single.itemsize
    quadratic = np.frombuffer(data, double, 2 * m, begin) if m else np.zeros(0, double)
    begins = np.append(linear["begins"].astype(np.int64), 2 * m)
    if begins[0] != 0 or (np.diff(begins) < 0).any():
        raise ValueError("its lists of neighbours overlap")
    whose, other = np.repeat(np.arange(n), np.diff(begins)), quadratic["other"].astype(np.int64)
    if (other < 0).any() or (other >= n).any() or (other == whose).any():
        raise ValueError("a list of neighbours names a variable that cannot stand there")
    lower, upper = (_half(quadratic, low, high) for low, high in ((other, whose), (whose, other)))
    if not np.array_equal(lower, upper) or len(np.unique(lower["pair"], axis=0)) != m:
        raise ValueError("its lists of neighbours contradict each other")
    rest = data[begin + 2 * m * double.itemsize :]
    return float(offset), linear["weight"].astype(np.float64), lower["pair"], lower["weight"], rest


def _half(quadratic: "np.ndarray", low: IntArray, high: IntArray) -> "np.ndarray":
    """Pairs that stand in this order, sorted, each with its weight."""
    chosen = np.flatnonzero(low < high)
    chosen = chosen[np.lexsort((high[chosen], low[chosen]))]
    found = np.zeros(len(chosen), np.dtype([("pair", np.int64, 2), ("weight", np.float64)]))
    found["pair"] = np.column_stack([low, high])[chosen]
    found["weight"] = quadratic["weight"][chosen]
    return found


def _labels(header: dict[str, Any], data: bytes, n: int) -> list[Any]:
    """A label a variable: in the header of version 1, after the weights in version 2, or none but numbers."""
    labels = header["variables"]
    if labels is True:
        if data[:4] != _LABELS:
            raise ValueError("its labels are missing")
        (length,) = struct.unpack_from("<I", data, 4)
        labels = json.loads(data[8 : 8 + length].decode("ascii"))
    elif labels is False:
        labels = list(range(n))
    if len(labels) != n:
        raise ValueError(f"it has {len(labels)} labels for {n} variables")
    return [_as_tuple(label) for label in labels]


def _as_tuple(label: Any) -> Any:
    """JSON has lists where dimod has tuples."""
    return tuple(map(_as_tuple, label)) if isinstance(label, list) else label
