"""Every mistake in the attributes of a study is told by field, value and what is allowed."""

from typing import Any

import pytest
from pydantic import BaseModel

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.components.yaml_mistakes import is_template, line_of, mistakes_in, not_known
from quantum_assets_tests.components.small import ATTRIBUTES
from quantum_assets_tests.components.small_optimization import PETERSEN

MISTAKES: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (
        OptimizationStudy,
        {"quantum": {"layer": 3}},
        "study s: quantum.layer: is no field. Did you mean layers? Allowed: mixer",
    ),
    (
        OptimizationStudy,
        {"quantum": {"training": {"optimizer": "powell"}}},
        "study s: quantum.training.optimizer: is no field. Did you mean optimiser?",
    ),
    (
        OptimizationStudy,
        {"quantum": {"shots": -5}},
        "study s: quantum.shots: is -5. It should be greater than or equal to 1",
    ),
    (
        OptimizationStudy,
        {"problem": {"kind": "qubo"}},
        "study s: problem.kind: is 'qubo'. Did you mean qubo_file? Allowed: portfolio",
    ),
    (
        OptimizationStudy,
        {"problem": {"kind": "qubo_file", "path": "a.csv", "sense": "minimize"}},
        "study s: problem.sense: is 'minimize'. Did you mean minimise? Allowed: minimise, maximise.",
    ),
    (
        OptimizationStudy,
        {"problem": {"kind": "max_cut"}},
        "study s: problem: a max_cut needs graph. Mend that section.",
    ),
    (OptimizationStudy, {"quantum": 3}, "study s: quantum: is 3. It should be a valid dictionary"),
    (KernelStudy, {"protocl": {}}, "study s: protocl: is no field. Did you mean protocol?"),
    (
        KernelStudy,
        {"protocol": {"outer_fold": 5}},
        "study s: protocol.outer_fold: is no field. Did you mean outer_folds?",
    ),
    (KernelStudy, {"protocol": {"outer_folds": -5}}, "study s: protocol.outer_folds: is -5. It should be greater than"),
    (
        KernelStudy,
        {"feature_maps": [{"kind": "zz"}, {"kind": "zz", "rep": 2}]},
        "study s: feature_maps.1.rep: is no field. Did you mean reps? Allowed: kind, reps, entanglement",
    ),
    (KernelStudy, {"feature_maps": {"kind": "zz"}}, "study s: feature_maps: is a section. It should be a valid list."),
    (KernelStudy, {"name": "My Study"}, "study s: name: is 'My Study'. String should match pattern"),
]


def _whole(kind: type[BaseModel], change: dict[str, Any]) -> dict[str, Any]:
    return (ATTRIBUTES if kind is KernelStudy else PETERSEN) | change


@pytest.mark.parametrize(("kind", "change", "told"), MISTAKES, ids=[told[9:40] for _, _, told in MISTAKES])
def test_a_mistake_is_one_sentence_with_field_value_and_mend(
    kind: type[BaseModel], change: dict[str, Any], told: str
) -> None:
    found = mistakes_in(_whole(kind, change), kind, "s")
    assert [str(one)[: len(told)] for one in found] == [told]
    assert "\n" not in str(found[0])


@pytest.mark.parametrize("kind", [KernelStudy, OptimizationStudy])
def test_a_study_as_it_should_be_has_none(kind: type[BaseModel]) -> None:
    assert mistakes_in(_whole(kind, {}), kind, "s") == []


def test_every_mistake_is_found_at_once() -> None:
    found = mistakes_in({"quantum": {"layer": 3, "shots": -5}, "owners": "me"}, OptimizationStudy, "s")
    assert sorted(one.culprit for one in found) == [
        "study s: owners",
        "study s: problem",
        "study s: quantum.layer",
        "study s: quantum.shots",
    ]


def test_what_dagster_fills_in_is_left_to_it() -> None:
    assert (
        mistakes_in(_whole(OptimizationStudy, {"quantum": {"shots": "{{ env.SHOTS }}"}}), OptimizationStudy, "s") == []
    )
    assert is_template({"a": [1, {"b": "{{ env.B }}"}]})
    assert not is_template({"a": [1, {"b": "env.B"}]})


def test_names_that_nobody_knows() -> None:
    assert not_known("layer", ("mixer", "layers")) == "Did you mean layers? Allowed: mixer, layers"
    assert not_known("zzzzz", ("mixer", "layers")) == "Allowed: mixer, layers"
    assert not_known("zzzzz", ()) == "Leave it out"


def test_the_line_of_a_field_or_of_what_is_around_it() -> None:
    text = "type: t\nattributes:\n  maps:\n    - kind: a\n    - kind: b\n      reps: 1\n"
    lines = {
        field: line_of(text, field) for field in ("maps", "maps.1", "maps.1.reps", "maps.1.kind", "other", "maps.0.no")
    }
    assert lines == {"maps": 3, "maps.1": 5, "maps.1.reps": 6, "maps.1.kind": 5, "other": 2, "maps.0.no": 4}
    assert line_of("attributes: {a: 1}\n---\nattributes: {b: 1}\n", "b") is None
