"""The shipped rules can be read and hold together; mistakes in a file are named by file, rule and field."""

import re
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.failure import Action, FailurePolicy
from quantum_assets.execution.policy import SHIPPED, read_policy

LAST = "  - {name: rest, action: fall_back, mend: Read it}\n"


def file_of(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_policy_is_read_by_default_and_by_name() -> None:
    assert read_policy() == read_policy(SHIPPED)
    assert len(read_policy().rules) > 80


def test_every_rule_has_a_sentence_that_mends_and_no_other_punctuation_than_ours() -> None:
    for rule in read_policy().rules:
        assert len(rule.mend.split()) >= 4, rule.name
        assert rule.mend[0].isupper(), rule.name
        assert not rule.mend.endswith((".", "\n")), rule.name


def test_no_pattern_holds_a_blank_that_folding_the_yaml_slipped_in() -> None:
    for rule in read_policy().rules:
        for pattern in (rule.exception, rule.code):
            assert pattern is None or not re.search(r"\s", pattern), rule.name


def test_what_is_never_tried_again_and_what_is_counted() -> None:
    for rule in read_policy().rules:
        if rule.action is Action.FATAL:
            assert not rule.counts_for_breaker, rule.name
        if rule.action is Action.BUDGET:
            assert not rule.counts_for_breaker, rule.name
        if rule.status == (429,):
            assert not rule.counts_for_breaker, rule.name


def test_trouble_on_submit_says_that_the_key_is_looked_up_first() -> None:
    rules = [rule for rule in read_policy().rules if rule.phase == "submit" and rule.action is Action.RETRY]
    assert len(rules) >= 4
    for rule in rules:
        assert "looked up by its key" in rule.mend, rule.name


def test_a_file_of_ones_own(tmp_path) -> None:
    text = "rules:\n  - {name: busy, status: [503], action: retry, at_most: 2, mend: Wait for it}\n" + LAST
    policy = read_policy(file_of(tmp_path, text))
    assert isinstance(policy, FailurePolicy)
    assert [rule.name for rule in policy.rules] == ["busy", "rest"]
    assert policy.rules[0].status == (503,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [", "is not YAML"),
        ("", "is not one list of rules"),
        ("rules: []", "is not one list of rules"),
        ("- name: x", "is not one list of rules"),
        ("rules: [1]\nmore: 2", "is not one list of rules"),
        ("rules:\n  - 7\n", r"rule 1 \(without a name\): is no mapping"),
        ("rules:\n  - {name: a, action: retyr, mend: M}\n" + LAST, r"rule 1 \(a\): action: "),
        ("rules:\n" + LAST + "  - {name: b, action: fatal}\n", r"rule 2 \(b\): mend: "),
        ("rules:\n  - {name: c, action: fatal, mend: M, status: 503}\n" + LAST, r"rule 1 \(c\): status"),
        ("rules:\n  - {name: d, action: fatal, mend: M, colour: red}\n" + LAST, r"rule 1 \(d\): colour"),
        ("rules:\n  - {name: e, action: modify, mend: M}\n" + LAST, r"rule 1 \(e\): .*belong together"),
        ("rules:\n  - {name: f, text: '(', action: fatal, mend: M}\n" + LAST, r"rule 1 \(f\): .*no regular expression"),
        ("rules:\n  - {name: g, text: x, action: fatal, mend: M}\n", "the last rule must have no condition"),
        ("rules:\n" + LAST + LAST, "two rules have one name"),
    ],
)
def test_mistakes_are_named(tmp_path, text, problem) -> None:
    with pytest.raises(PlanError, match=problem) as refused:
        read_policy(file_of(tmp_path, text))
    assert "rules.yaml" in str(refused.value)


def test_a_missing_a_huge_and_a_binary_file(tmp_path) -> None:
    with pytest.raises(PlanError, match="there is no such file"):
        read_policy(tmp_path / "none.yaml")
    with pytest.raises(PlanError, match="is over 1000000 bytes"):
        read_policy(file_of(tmp_path, "#" * 1_000_001))
    (tmp_path / "rules.yaml").write_bytes(b"\xff\xfe\x00rules")
    with pytest.raises(PlanError, match="is not YAML"):
        read_policy(tmp_path / "rules.yaml")


def test_tags_that_would_run_code_are_refused(tmp_path) -> None:
    with pytest.raises(PlanError, match="is not YAML"):
        read_policy(file_of(tmp_path, "rules: !!python/object/apply:os.getcwd []"))
