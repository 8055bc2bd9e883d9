"""Profiles are data: what is wrong with them is said with file, profile and field."""

from pathlib import Path

import pytest
import yaml

from quantum_assets.components.profiles import choose_profiles, read_profiles
from quantum_assets.contracts.errors import PlanError
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
