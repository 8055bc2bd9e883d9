"""Nothing secret stays in a text, whoever wrote it and however it was quoted; and innocent text stays as it is."""

import json
import os
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.redact import MASK, leaks, redact, secrets

PLANTED = 'p1@nted/S3cret+with "quotes"\\'


@pytest.mark.parametrize(
    "name",
    ["QISKIT_IBM_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "MY_PASSPHRASE", "AZURE_CREDENTIAL", "api_key",
     "AWS_ACCESS_KEY_ID", "SIGNING_KEYS", "BASIC_AUTH"],
)  # fmt: skip
@pytest.mark.parametrize("written", [str, quote, repr, json.dumps, lambda v: quote(v, safe=""), lambda v: f"x{v}y"])
def test_values_of_telling_variables_are_removed_however_they_are_written(monkeypatch, name, written) -> None:
    monkeypatch.setenv(name, PLANTED)
    clean = redact(f"before {written(PLANTED)} after")
    assert "nted" not in clean
    assert "before" in clean
    assert "after" in clean
    assert MASK in clean


def test_innocent_variables_and_short_values_stay(monkeypatch) -> None:
    monkeypatch.setenv("PWD", "/somewhere/to/work")
    monkeypatch.setenv("KEYBOARD_LAYOUT", "colemak-de")
    monkeypatch.setenv("SHORT_TOKEN", "abc")
    assert redact("/somewhere/to/work abc colemak-de") == "/somewhere/to/work abc colemak-de"
    assert not {"/somewhere/to/work", "abc", "colemak-de"} & set(secrets())


def test_passwords_in_urls_of_any_variable_are_secrets(monkeypatch) -> None:
    monkeypatch.setenv("LEDGER_URL", "postgresql://quantum:hunter2%40home@db:5432/ledger")
    assert {"hunter2%40home", "hunter2@home"} <= set(secrets())
    assert "hunter2" not in redact("authentication failed with hunter2@home")


def test_a_secret_counts_from_the_moment_it_is_in_the_environment_and_no_longer(monkeypatch) -> None:
    monkeypatch.delenv("LATE_TOKEN", raising=False)
    assert redact("first-secret second-secret") == "first-secret second-secret"
    monkeypatch.setenv("LATE_TOKEN", "first-secret")
    assert redact("first-secret second-secret") == f"{MASK} second-secret"
    monkeypatch.setenv("LATE_TOKEN", "second-secret")
    assert redact("first-secret second-secret") == f"first-secret {MASK}"
    monkeypatch.delenv("LATE_TOKEN")
    monkeypatch.setenv("LATE_NAME", "second-secret")
    assert redact("first-secret second-secret") == "first-secret second-secret"


def test_values_that_are_no_text_and_environments_of_another_kind_are_read(monkeypatch) -> None:
    monkeypatch.setitem(os.environb, b"RAW_TOKEN", b"caf\xe9-secret")
    assert os.fsdecode(b"caf\xe9-secret") in secrets()
    monkeypatch.setattr(os, "environ", {"PLAIN_TOKEN": "plain-secret"})
    assert secrets() == ("plain-secret",)


def test_the_longest_secret_goes_first(monkeypatch) -> None:
    monkeypatch.setenv("A_TOKEN", "abcdefgh")
    monkeypatch.setenv("B_TOKEN", "abcdefghijkl")
    assert redact("abcdefghijkl") == MASK


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql://user:s3cr3t!pw@host/db", "s3cr3t!pw"),
        ("Authorization: Bearer abc.def-ghi_123", "abc.def-ghi_123"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ('"Authorization":"apikey 0123456789abcdef"', "0123456789abcdef"),
        ("proxy-authorization: rawtokenvalue", "rawtokenvalue"),
        ("sent Bearer 0123456789abcdefghij to it", "0123456789abcdefghij"),
        ("GET /x?access_token=q1w2e3r4t5&y=1", "q1w2e3r4t5"),
        ("apikey=q1w2e3r4t5, next", "q1w2e3r4t5"),
        ('{"api_key": "q1w2e3r4t5"}', "q1w2e3r4t5"),
        ("x-auth-token: q1w2e3r4t5", "q1w2e3r4t5"),
        ("accessToken=q1w2e3r4t5", "q1w2e3r4t5"),
        ("X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE&a=1", "IQoJb3JpZ2luX2VjEXAMPLE"),
        ("?X-Amz-Credential=AKIDEXAMPLE%2F20260101&X-Amz-Signature=5d672d79c15b", "5d672d79c15b"),
        ("AWS4-HMAC-SHA256 Credential=AKIDX/1/us-east-1, Signature=fe5f80f77d5f", "fe5f80f77d5f"),
        ("key AKIAIOSFODNN7EXAMPLE is not valid", "AKIAIOSFODNN7EXAMPLE"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ("got eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", "SflKxwRJSMeKKF2QT4"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQ\n-----END RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQ"),
    ],
)  # fmt: skip
def test_shapes_of_credentials_are_removed(text, secret) -> None:
    clean = redact(text)
    assert secret not in clean
    assert MASK in clean
    assert redact(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ibm submit unavailable (503): too many 503 error responses",
        "clientToken: 3f786850e387550fdab836ed7e6dc881",
        "order 89e6c98d92887913cadf06b2adb97f26cde4849b of study wine/zz-linear",
        "https://quantum.cloud.ibm.com/docs/errors#1305 at 12:00:01",
        "http://127.0.0.1:45985/jobs",
        "the key is missing; a token of thanks",
        "KeyError: 'result'",
        "max_tokens 4096, monkeypatch",
        "arn:aws:braket:us-east-1:123456789012:quantum-task/0a1b2c3d",
    ],
)
def test_innocent_text_stays(text) -> None:
    assert redact(text) == text


@given(st.text(max_size=200))
def test_redacting_twice_is_redacting_once(text) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_planted_value_is_never_left_whole(before, after) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANTED_TOKEN", "Zq7xK2m9Vt4w")
        assert "Zq7xK2m9Vt4w" not in redact(before + "Zq7xK2m9Vt4w" + after)


def test_hostile_text_does_not_make_it_slow() -> None:
    texts = [
        "a_" * 10_000 + "token",
        "://" * 7000,
        "authorization:" * 1500,
        "-----BEGIN A PRIVATE KEY-----" * 500,
        "eyJ" * 7000,
        "eyJ-" * 5000,
        "token " * 4000,
    ]
    started = time.process_time()
    for text in texts:
        redact(text)
    assert time.process_time() - started < 5  # quadratic in 20,000 characters would be minutes


def test_an_exception_leaks_by_its_causes_contexts_and_members_but_not_by_what_it_hides(monkeypatch) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", PLANTED)
    inner = ValueError(PLANTED)
    caused, met, hidden = RuntimeError("a"), RuntimeError("b"), RuntimeError("c")
    caused.__cause__ = inner
    met.__context__ = hidden.__context__ = inner
    hidden.__suppress_context__ = True
    assert [leaks(e) for e in (inner, caused, met, hidden)] == [True, True, True, False]
    assert leaks(ExceptionGroup("d", [inner]))
    assert not leaks(ExceptionGroup("d", [ValueError("token")]))


def test_it_is_fast_enough_for_every_value(monkeypatch, report_figures) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", "tok-5f2e9a77c1d04b")
    text = "braket fetch unavailable (503): " + "an ordinary message of a few hundred characters. " * 8
    redact(text)
    started = time.process_time()
    for _ in range(200):
        redact(text)
    micros = (time.process_time() - started) / 200 * 1e6
    report_figures(f"redact: {micros:.0f} µs for {len(text)} characters")
    assert micros < 20_000
