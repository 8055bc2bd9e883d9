"""A file that people edit holds no credential; what is wrong with it is said without its text."""

from pathlib import Path
from typing import Any

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.yaml_file import LARGEST_FILE, check_no_secret_fields, read_documents, read_yaml

SECRET = "planted-5f3a9c1e77"


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"token": "abc"}, "token"),
        ({"ibm": {"api_key": "abc"}}, "ibm.api_key"),
        ({"studies": [{"name": "wine"}, {"password": 1234}]}, "studies[1].password"),
        ({"accessKey": "x"}, "accessKey"),
        ({"aws-secret-access-key": "x"}, "aws-secret-access-key"),
        ({"url": "postgresql://me:hunter22@db/x"}, "url"),
        ({"note": "use AKIAIOSFODNN7EXAMPLE"}, "note"),
        ({"clientSecret": ["x"]}, "clientSecret[0]"),
        ({"ibm": {"secret": {"value": "abc"}}}, "ibm.secret.value"),
        ({"token_of_ibm": "abc"}, "token_of_ibm"),
        ({"crn": "crn:v1:bluemix"}, "crn"),
        ({"note": "-----BEGIN RSA PRIVATE KEY MIIE"}, "note"),
        ({"headers": ["Bearer !hunter22"]}, "headers[0]"),
        ({"token": "abc{{ env.TOKEN }}"}, "token"),
        ({"url": "https://me:hunter22@h/{{ env.PATH }}"}, "url"),
        ({"a": {"https://me:hunter22@h": 1}}, "a.https://me:[removed]@h"),
    ],
)
def test_a_credential_in_yaml_is_refused_by_name_and_not_repeated(document: Any, where: str) -> None:
    with pytest.raises(PlanError) as refused:
        check_no_secret_fields(document, "wine/defs.yaml")
    assert str(refused.value).startswith(f"wine/defs.yaml: {where}: ")
    assert "hunter22" not in str(refused.value)
    assert "AKIA" not in str(refused.value)


def test_a_value_of_the_environment_in_yaml_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", "tok-5f2e9a77c1d04b")
    with pytest.raises(PlanError, match=r"configuration: description: looks like a credential"):
        check_no_secret_fields({"description": "run with tok-5f2e9a77c1d04b"})


def test_innocent_yaml_and_references_to_the_environment_pass() -> None:
    check_no_secret_fields(
        {
            "token": "{{ env.QISKIT_IBM_TOKEN }}",
            "crn": "{{env.QISKIT_IBM_INSTANCE}}",
            "url": "postgresql://me:{{ env.PASSWORD }}@db/x",
            "password": "",
            "secret": None,
            "has_token": True,
            "partition_key": "wine",
            "idempotency_key": "abc",
            "max_tokens_per_day": 7,
            "keys": ["a", "b"],
            "profiles": {"ideal": {"shots": 100, "description": "the key figure"}},
        }
    )


def test_a_value_that_many_names_share_is_looked_at_under_each() -> None:
    shared = {"value": "abc"}
    with pytest.raises(PlanError, match=r"configuration: token\.value: "):
        check_no_secret_fields({"first": shared, "token": shared})


def test_aliases_that_would_never_end_are_looked_through_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)), "self: &s [*s]"]
    (tmp_path / "x.yaml").write_text("\n".join(lines))
    assert len(read_yaml(tmp_path / "x.yaml", "Write it")) == 61


@pytest.mark.parametrize("text", [f"a: [\ntoken: {SECRET}\n", f"token: *{SECRET}", f"token: !{SECRET} x"])
def test_a_line_that_is_no_yaml_is_numbered_and_not_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(PlanError, match=r"is not YAML: line \d+: .+ Mend the line") as caught:
        read_yaml(tmp_path / "x.yaml", "Write it")
    assert SECRET not in str(caught.getrepr(chain=True, style="no"))
    assert caught.value.__suppress_context__


def test_a_missing_a_huge_a_binary_and_a_deep_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with pytest.raises(PlanError, match=r"x\.yaml: there is no such file\. Write it\."):
        read_yaml(path, "Write it")
    path.write_text("#" * (LARGEST_FILE + 1))
    with pytest.raises(PlanError, match="is over 1000000 bytes"):
        read_yaml(path, "Write it")
    path.write_bytes(b"\xff\xfe\x00rules")
    with pytest.raises(PlanError, match="is not YAML: UnicodeDecodeError"):
        read_yaml(path, "Write it")
    path.write_text("[" * 5000)
    with pytest.raises(PlanError, match="is not YAML"):
        read_yaml(path, "Write it")


def test_all_documents_of_a_file_are_looked_through_and_one_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n---\nb: 2\n")
    assert read_documents(path, "Write it", culprit="x") == [{"a": 1}, {"b": 2}]
    with pytest.raises(PlanError, match="2 documents in one file"):
        read_yaml(path, "Write it")
    path.write_text("a: 1\n---\ntoken: abc\n")
    with pytest.raises(PlanError, match=r"^wine/x\.yaml: token: looks like"):
        read_documents(path, "Write it", culprit="wine/x.yaml")
    path.write_text("")
    assert read_yaml(path, "Write it") is None


def test_what_is_read_is_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: {shots: 3}\nb: [x, 2.5]\n")
    assert read_yaml(tmp_path / "x.yaml", "Write it") == {"a": {"shots": 3}, "b": ["x", 2.5]}
