"""Vehicle routing instances in TSPLIB's CVRP format (``.vrp``) and their solutions (``.sol``), as QOBLIB keeps them.

Distances follow TSPLIB's EUC_2D rule: the Euclidean length rounded to the nearest whole number, halves up (Reinelt
1991, "TSPLIB: a traveling salesman problem library"). In a solution customer i is the node i + 1 of the instance.
A fleet is part of an instance's name only (``k4``) and is not enforced: with more trucks than that, plans shorter than
the published optimum can exist.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.deliveries import Deliveries, Route

_SECTIONS = ("NODE_COORD_SECTION", "DEMAND_SECTION", "DEPOT_SECTION")


def read_instance(text: str, origin: str) -> Deliveries:
    """Read an instance whose depot is its first node and whose distances are EUC_2D.

    Args:
        text: The file's.
        origin: Begins every culprit: the file's name.

    Raises:
        PlanError: For a missing field or section, another kind of distance, a depot that is not node 1, or a line that
            cannot be read.
    """
    fields, sections = _parted(text, origin)
    for field, wanted in (("TYPE", "CVRP"), ("EDGE_WEIGHT_TYPE", "EUC_2D")):
        if fields.get(field) != wanted:
            problem = f"is {fields.get(field, 'missing')}, and only {wanted} is read"
            raise PlanError(f"{origin}: {field}", problem, f"Give a file of {wanted}")
    nodes = _numbers(sections["NODE_COORD_SECTION"], 3, f"{origin}: NODE_COORD_SECTION")
    demands = _numbers(sections["DEMAND_SECTION"], 2, f"{origin}: DEMAND_SECTION")
    size = _whole(fields, "DIMENSION", origin)
    expected = list(range(1, size + 1))
    if [row[0] for row in nodes] != expected or [row[0] for row in demands] != expected:
        problem = f"does not number its nodes from 1 to {size} in both sections"
        raise PlanError(origin, problem, "List every node once, in order")
    if [int(row.split()[0]) for row in sections["DEPOT_SECTION"]] != [1, -1] or demands[0][1] != 0:
        raise PlanError(f"{origin}: DEPOT_SECTION", "does not name node 1 alone, with no demand", "Put the depot first")
    points = np.array([row[1:] for row in nodes], dtype=np.float64)
    lengths = np.floor(np.hypot(*(points[:, None] - points).transpose(2, 0, 1)) + 0.5)
    return Deliveries(
        name=fields.get("NAME", origin),
        depot="1",
        stops=tuple(str(node) for node in expected[1:]),
        demands=np.array([row[1] for row in demands[1:]], dtype=np.int64),
        capacity=_whole(fields, "CAPACITY", origin),
        distances=lengths,
        positions=points,
        unit="length",
    )


def read_solution(text: str, origin: str) -> tuple[tuple[Route, ...], float]:
    """Routes of a solution by stop number from 0, and the cost that the file claims.

    Raises:
        PlanError: For a file without routes or cost.
    """
    routes = [tuple(int(stop) - 1 for stop in found.split()) for found in re.findall(r"Route #\d+:([ \d]+)", text)]
    cost = re.search(r"^Cost\s+([\d.]+)", text, re.MULTILINE)
    if not routes or cost is None:
        raise PlanError(origin, "has no lines 'Route #1: …' and 'Cost …'", "Give a CVRPLIB solution file")
    return tuple(routes), float(cost.group(1))


def _parted(text: str, origin: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    fields: dict[str, str] = {}
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in (raw.strip() for raw in text.splitlines()):
        if line in _SECTIONS:
            current = sections.setdefault(line, [])
        elif line == "EOF":
            break
        elif ":" in line and not line.startswith("#"):
            key, _, value = line.partition(":")
            fields[key.strip()] = value.strip()
        elif line and current is not None:
            current.append(line)
    for section in _SECTIONS:
        if section not in sections:
            raise PlanError(origin, f"has no {section}", "Give a TSPLIB file of a CVRP instance")
    return fields, sections


def _numbers(lines: Iterable[str], width: int, whose: str) -> list[Sequence[float]]:
    rows: list[Sequence[float]] = []
    for line in lines:
        try:
            row = [float(word) for word in line.split()]
        except ValueError as error:
            raise PlanError(f"{whose}: {line}", "is not made of numbers", "Correct the line") from error
        if len(row) != width:
            raise PlanError(f"{whose}: {line}", f"has {len(row)} numbers", f"Give {width}")
        rows.append(row)
    return rows


def _whole(fields: dict[str, str], key: str, origin: str) -> int:
    value = fields.get(key, "")
    if not value.isdigit():
        raise PlanError(f"{origin}: {key}", f"is {value or 'missing'}", "Give a whole number")
    return int(value)
