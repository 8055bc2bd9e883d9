"""The registry of best known values: every entry is recomputed from its certificate."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Problem
from quantum_assets.problems.best_known import BestKnown, find, packed, registry, unpacked, verify
from quantum_assets.problems.graph_files import read_dimacs, read_rudy
from quantum_assets.problems.graphs import NAMED, from_edges, named
from quantum_assets.problems.independent_set import IndependentSet
from quantum_assets.problems.labs import Labs
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets.problems.penalty import check
from quantum_assets_tests.problems.laws import SHARED

#: Instances whose files may be absent: how they are read.
PUBLISHED: dict[str, Callable[[], Problem]] = {
    "mammalia-kangaroo-interactions": lambda: IndependentSet(
        read_dimacs(SHARED / "independent_set" / "mammalia-kangaroo-interactions.gph")
    ),
    "g05_60.0": lambda: MaxCut(read_rudy(SHARED / "maxcut" / "g05_60.0")),
    "g05_80.0": lambda: MaxCut(read_rudy(SHARED / "maxcut" / "g05_80.0")),
    "w01_100.0": lambda: MaxCut(read_rudy(SHARED / "maxcut" / "w01_100.0")),
    "G11": lambda: MaxCut(read_rudy(SHARED / "maxcut" / "G11.txt")),
    "G14": lambda: MaxCut(read_rudy(SHARED / "maxcut" / "G14.txt")),
}


def instance(entry: BestKnown) -> Problem:
    if entry.kind == "labs":
        return Labs(int(entry.name.removeprefix("labs-")))
    if entry.name in NAMED:
        return {"max_cut": MaxCut, "independent_set": IndependentSet}[entry.kind](named(entry.name))
    if not SHARED.is_dir():
        pytest.skip("the published instances are not beside the repository")
    return PUBLISHED[entry.name]()


@pytest.mark.parametrize("entry", registry(), ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_entry_is_what_its_certificate_shows(entry: BestKnown) -> None:
    problem = instance(entry)
    verify(entry, problem)
    assert find(problem) == entry
    if entry.proven and "enumeration" in entry.source and entry.n_variables <= 18:
        assert check(problem).best_objective == entry.value


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("max_cut", "karate", 61),
        ("independent_set", "karate", 20),
        ("max_cut", "heawood", 21),
        ("max_cut", "pappus", 27),
        ("max_cut", "desargues", 30),
        ("independent_set", "mammalia-kangaroo-interactions", 4),
        ("max_cut", "g05_60.0", 536),
        ("max_cut", "g05_80.0", 929),
        ("max_cut", "w01_100.0", 651),
        ("max_cut", "G11", 564),
        ("max_cut", "G14", 3064),
        *(("labs", f"labs-{n}", value) for n, value in [(10, 13), (14, 19), (18, 25), (20, 26), (24, 36)]),
    ],
)
def test_published_values(kind: str, name: str, value: float) -> None:
    (entry,) = [entry for entry in registry() if (entry.kind, entry.name) == (kind, name)]
    assert entry.value == value
    assert entry.source


def test_entries_are_of_different_instances() -> None:
    assert len({entry.fingerprint for entry in registry()}) == len(registry())


def test_lookup_needs_no_name() -> None:
    karate = named("karate")
    renamed = from_edges("club", karate.edges[::-1].tolist(), nodes=range(34))
    assert find(MaxCut(renamed)) is find(MaxCut(karate))
    assert find(MaxCut(from_edges("other", [(0, 1)]))) is None


def test_nothing_is_found_that_its_certificate_does_not_give() -> None:
    problem = IndependentSet(named("petersen"))
    (entry,) = [entry for entry in registry() if entry.fingerprint == problem.fingerprint]
    assert find(problem, [entry]) is entry
    with pytest.raises(PlanError, match="best known of independent_set petersen: claims 5, and its certificate has 4"):
        find(problem, [replace(entry, value=5.0)])
    with pytest.raises(PlanError, match=r"claims 4\.0000001, and its certificate has 4"):
        find(problem, [replace(entry, value=4.0 + 1e-7)])


def test_verify_refuses_what_is_not_so() -> None:
    problem = IndependentSet(named("petersen"))
    entry = find(problem)
    assert entry is not None
    with pytest.raises(PlanError, match="claims 5, and its certificate has 4"):
        verify(replace(entry, value=5.0), problem)
    with pytest.raises(PlanError, match="has a certificate with violations 15"):
        verify(replace(entry, certificate=packed(np.ones(10))), problem)
    with pytest.raises(PlanError, match="is of another instance than heawood"):
        verify(entry, IndependentSet(named("heawood")))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 800])
def test_certificates_hold_every_bit(n: int) -> None:
    row = np.random.default_rng(n).integers(0, 2, n, dtype=np.uint8)
    assert (unpacked(packed(row), n) == row).all()
    assert packed(np.array([0, 1, 0, 0, 0, 0, 0, 0, 1])) == "0201"


def test_broken_certificates() -> None:
    with pytest.raises(PlanError, match="certificate 'xyz': is not hexadecimal"):
        unpacked("xyz", 8)
    with pytest.raises(PlanError, match="certificate '00': does not hold 9 bits"):
        unpacked("00", 9)
