"""Options that commands share: what reaches the command, and what is refused."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from quantum_assets.cli.options import home_option, partition_option, tracking_option
from quantum_assets.contracts.errors import PlanError


@click.command()
@home_option
@tracking_option
@partition_option
def shows(**values: Any) -> None:
    """Print what arrived."""
    click.echo(repr(dict(sorted(values.items()))))


def given(*arguments: str, **environment: str) -> dict[str, Any]:
    answer = CliRunner().invoke(shows, arguments, env=environment, catch_exceptions=False)
    return eval(answer.output, {"PosixPath": Path})  # our own repr


def test_the_home_is_absolute_and_named_by_option_or_environment(tmp_path: Path) -> None:
    assert given("--home", str(tmp_path / "a"))["home"] == tmp_path / "a"
    assert given(QUANTUM_ASSETS_HOME=str(tmp_path / "b"))["home"] == tmp_path / "b"
    assert given("--home", "relative")["home"] == Path.cwd() / "relative"


def test_the_tracking_uri_is_empty_unless_named() -> None:
    assert given()["tracking_uri"] == ""
    assert given(QUANTUM_ASSETS_TRACKING_URI="http://a")["tracking_uri"] == "http://a"
    assert given("--tracking-uri", "http://b", QUANTUM_ASSETS_TRACKING_URI="http://a")["tracking_uri"] == "http://b"


def test_partitions_arrive_as_a_mapping() -> None:
    found = given("--partition", "profile=ideal", "--partition", "day=a=b")
    assert found["partition"] == {"profile": "ideal", "day": "a=b"}
    assert given("--profile", "noisy")["profile"] == "noisy"
    assert given()["partition"] == {}


@pytest.mark.parametrize("text", ["profile", "=ideal", "profile=", ""])
def test_a_partition_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="is not NAME=VALUE"):
        given("--partition", text)
