"""Profiles are data: what is wrong with them is said with file, profile and field."""

from pathlib import Path

import pytest
import yaml

from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.profiles import choose_profiles, read_profiles
from quantum_assets_tests.components.small import PROFILES

SHIPPED = Path(__file__).resolve().parents[2] / "quantum_assets" / "defs" / "profiles.yaml"


def test_the_shipped_profiles_are_ideal_sampled_and_noisy() -> None:
    profiles = read_profiles(SHIPPED)
    assert {"ideal", "sampled", "noisy"} <= set(profiles)
    assert profiles["ideal"].shots is None
    assert profiles["sampled"].estimator == "binomial"
    assert profiles["noisy"].noise is not None
    assert all(profile.description for profile in profiles.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["holds no profiles"]),
        ("[1, 2]", ["holds no profiles"]),
        ("ideal: {mode: ideal", ["is not YAML"]),
        ("ideal: 3", ["profiles.yaml: ideal", "is 3"]),
        ("ideal: {mode: idael, providers: [aer]}", ["ideal", "mode"]),
        ("ideal: {mode: ideal, providers: [aer], shotz: 3}", ["shotz", "Extra inputs"]),
        ("ideal: {mode: ideal, providers: [aer], estimator: binomial}", ["needs shots"]),
        ("../x: {mode: ideal, providers: [aer]}", ["../x", "name"]),
        ("a: {mode: noisy, providers: [aer], noise: {readout: 3}}", ["readout"]),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_profiles(path)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_and_an_unknown_name_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no such file"):
        read_profiles(tmp_path / "profiles.yaml")
    (tmp_path / "profiles.yaml").write_text(yaml.safe_dump(PROFILES, sort_keys=False))
    with pytest.raises(PlanError, match="Choose from ideal, sampled, noisy"):
        choose_profiles(read_profiles(tmp_path / "profiles.yaml"), ("hardware",), "wine")


IDEAL = "ideal: {mode: ideal, providers: [aer]}\n"
MANAGED = "managed: {mode: managed, estimator: circuits, shots: 8, providers: [x], routing: {fallback: %s}}\n"


@pytest.mark.parametrize(
    ("others", "fallback"),
    [
        (IDEAL, "ideal"),
        ("drawn: {mode: ideal, estimator: binomial, shots: 8, providers: [aer]}\n", "drawn"),
        ("run: {mode: ideal, estimator: circuits, shots: 8, providers: [aer]}\n", "run"),
    ],
)
def test_a_fallback_is_any_ideal_profile_of_the_file(tmp_path: Path, others: str, fallback: str) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(MANAGED % fallback + others)
    assert read_profiles(path)["managed"].routing.fallback == fallback


@pytest.mark.parametrize(
    ("others", "fallback", "words"),
    [
        (IDEAL, "idael", ["idael is not a profile of this file", "Choose from ideal"]),
        ("", "ideal", ["ideal is not a profile of this file", "none; add an ideal profile"]),
        (
            IDEAL + "noisy: {mode: noisy, estimator: circuits, shots: 8, providers: [aer], noise: {readout: 0.1}}\n",
            "noisy",
            ["profile noisy is of mode noisy", "Choose from ideal"],
        ),
        ("other: {mode: managed, estimator: circuits, shots: 8, providers: [x]}\n", "other", ["is of mode managed"]),
        ("late: {mode: ideal, providers: [aer], asynchronous: true}\n", "late", ["profile late is asynchronous"]),
        (
            "qpu: {mode: hardware, estimator: circuits, shots: 8, providers: [x], reproducible: false}\n",
            "qpu",
            ["profile qpu is of mode hardware"],
        ),
        (IDEAL, "managed", ["managed"]),
    ],
)
def test_a_fallback_that_is_none_names_file_and_profile(
    tmp_path: Path, others: str, fallback: str, words: list[str]
) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(MANAGED % fallback + others)
    with pytest.raises(PlanError) as caught:
        read_profiles(path)
    for word in ["profiles.yaml: managed", *words]:
        assert word in str(caught.value)


SECRET = "planted-5f3a9c1e77"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (f"ideal: {{mode: ideal, providers: [aer], token: {SECRET}}}", "ideal.token"),
        (f"ideal: {{mode: ideal, providers: [aer], api_key: {SECRET}}}", "ideal.api_key"),
        (f"ideal: {{mode: ideal, providers: [aer], routing: {{passwd: {SECRET}}}}}", "ideal.routing.passwd"),
        (f"ideal: {{mode: ideal, providers: [aer], AWS_SECRET_ACCESS_KEY: {SECRET}}}", "ideal.AWS_SECRET_ACCESS_KEY"),
        (f"IBM_TOKEN: {SECRET}", "IBM_TOKEN"),
        (f"ideal: {{mode: ideal, providers: [aer], backend: 'https://me:{SECRET}@host/x'}}", "ideal.backend"),
        (f"ideal: {{mode: ideal, providers: ['Bearer {SECRET}']}}", "ideal.providers[0]"),
        (
            f"ideal: {{mode: ideal, providers: [aer], description: 'AKIAABCDEFGHIJKLMNOP {SECRET}'}}",
            "ideal.description",
        ),
        (
            f"ideal: {{mode: ideal, providers: [aer], description: '-----BEGIN RSA PRIVATE KEY {SECRET}'}}",
            "description",
        ),
    ],
)
def test_what_looks_like_a_credential_is_refused_and_never_repeated(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match="looks like a credential") as caught:
        read_profiles(path)
    assert field in str(caught.value)
    assert SECRET not in str(caught.getrepr(chain=True, style="no"))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", [f"a: [\ntoken: {SECRET}\n", f"token: *{SECRET}", f"token: !{SECRET} x"])
def test_a_line_that_is_no_yaml_is_numbered_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match=r"is not YAML: line \d+: .+ Mend the line") as caught:
        read_profiles(path)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_ordinary_words_are_no_credentials(tmp_path: Path) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(
        "ideal:\n  mode: ideal\n  providers: [aer]\n"
        "  description: Tokens and passwords come from the environment; see https://example.org/keys.\n"
        "  backend: 'arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet'\n"
    )
    assert read_profiles(path)["ideal"].backend is not None
