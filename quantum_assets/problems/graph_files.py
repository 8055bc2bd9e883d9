"""Graphs from text files: the rudy format of BiqMac and Gset, and the DIMACS format of ``.gph`` files."""

from collections.abc import Sequence
from pathlib import Path

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.graphs import MAX_NODES, Graph, from_edges


def read_rudy(path: Path) -> Graph:
    """A graph in the rudy format of BiqMac and Gset: ``n m``, then ``i j w`` an edge, nodes from 1; w is 1 if absent.

    Raises:
        PlanError: Naming file, line and value.
    """
    lines = _lines(path)
    if not lines:
        raise PlanError(path.name, "the file is empty", "Write nodes and edges in the first line")
    (first, header), *rest = lines
    n_nodes, n_edges = _sizes(path, first, header)
    edges, weights = [], []
    for line, fields in rest:
        i, j, weight = _numbers(path, line, fields if len(fields) != 2 else [*fields, "1"], (int, int, float))
        _check_ends(path, line, (i, j), n_nodes)
        edges.append((int(i), int(j)))
        weights.append(weight)
    _check_count(path, n_edges, len(edges))
    return from_edges(path.name, edges, weights, range(1, n_nodes + 1))


def read_dimacs(path: Path) -> Graph:
    """A graph in the DIMACS format of ``.gph`` files: ``c`` comments, ``p edge n m``, then ``e i j``, nodes from 1.

    Raises:
        PlanError: Naming file, line and value.
    """
    n_nodes, n_edges, edges = None, 0, []
    for line, fields in _lines(path):
        if fields[0] == "p" and n_nodes is None:
            n_nodes, n_edges = _sizes(path, line, fields[2:])
        elif fields[0] == "e" and n_nodes is not None:
            i, j = _numbers(path, line, fields[1:], (int, int))
            _check_ends(path, line, (i, j), n_nodes)
            edges.append((int(i), int(j)))
        elif fields[0] != "c":
            raise PlanError(
                f"{path.name}: line {line}",
                f"begins with {fields[0]!r}",
                "Write c comments, then one line p edge n m, then lines e i j",
            )
    if n_nodes is None:
        raise PlanError(path.name, "has no line p", "Write p edge n m before the edges")
    _check_count(path, n_edges, len(edges))
    return from_edges(path.stem, edges, nodes=range(1, n_nodes + 1))


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The fields of every line that is not blank, with its number."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(
            path.name, f"cannot be read ({type(error).__name__})", "Correct the path or the file"
        ) from error
    return [(line, fields) for line, row in enumerate(text.splitlines(), start=1) if (fields := row.split())]


def _sizes(path: Path, line: int, fields: Sequence[str]) -> tuple[int, int]:
    """Stated numbers of nodes and edges; judged before anything of that size is made."""
    n_nodes, n_edges = (int(number) for number in _numbers(path, line, fields, (int, int)))
    if not 1 <= n_nodes <= MAX_NODES:
        raise PlanError(f"{path.name}: line {line}", f"states {n_nodes} nodes", f"Give 1 … {MAX_NODES:,} nodes")
    return n_nodes, n_edges


def _numbers(path: Path, line: int, fields: Sequence[str], types: Sequence[type]) -> list[float]:
    if len(fields) != len(types):
        raise PlanError(
            f"{path.name}: line {line}", f"has {len(fields)} numbers where {len(types)} belong", "Correct the line"
        )
    found = []
    for field, kind in zip(fields, types, strict=True):
        try:
            found.append(kind(field))
        except ValueError as error:
            what = "a whole number" if kind is int else "a number"
            raise PlanError(f"{path.name}: line {line}", f"{field!r} is not {what}", "Correct the line") from error
    return found


def _check_ends(path: Path, line: int, ends: Sequence[float], n_nodes: int) -> None:
    for end in ends:
        if not 1 <= end <= n_nodes:
            raise PlanError(
                f"{path.name}: line {line}", f"names node {end} of {n_nodes}", "Number nodes from 1 to the stated count"
            )


def _check_count(path: Path, stated: int, found: int) -> None:
    if stated != found:
        raise PlanError(
            path.name, f"states {stated} edges and lists {found}", "Correct the count, or add what is cut off"
        )
