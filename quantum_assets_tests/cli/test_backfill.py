"""What a backfill asks for, and that Dagster takes it."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from quantum_assets.cli.backfill import ask, graph_of, targets
from quantum_assets.cli.main import main
from quantum_assets.cli.rehearsal_tools import environment_of
from quantum_assets.contracts.errors import PlanError, QuantumAssetsError

MONTHLY, DECIDED = {"problem", "classical_solutions", "outcome"}, {"quantum_jobs", "quantum_samples", "decision"}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return graph_of(tmp_path_factory.mktemp("home"))


def test_every_month_of_the_first_profile_unless_others_are_named(graph: Any) -> None:
    wanted = targets(graph, "sp500_portfolio")
    assert {len(wanted[name]) for name in MONTHLY | DECIDED} == {24}
    assert (wanted["problem"][0], wanted["problem"][-1]) == ("2020-01", "2021-12")
    assert (wanted["decision"][0], wanted["decision"][-1]) == ("2020-01|ideal", "2021-12|ideal")


def test_named_months_and_profiles_reach_the_assets_that_have_them(graph: Any) -> None:
    wanted = targets(graph, "sp500_portfolio", ["ideal", "sampled"], ["2020-02"])
    assert {wanted[name] for name in MONTHLY} == {("2020-02",)}
    assert {tuple(sorted(wanted[name])) for name in DECIDED} == {("2020-02|ideal", "2020-02|sampled")}


def test_assets_without_partitions_belong_to_it(graph: Any) -> None:
    routes = targets(graph, "delivery_routes", ["sampled"])
    assert (routes["problem"], routes["decision"]) == ((), ("sampled",))
    kernels = targets(graph, "iris")
    assert (kernels["dataset"], kernels["verdict"]) == ((), ("ideal",))


@pytest.mark.parametrize(
    ("study", "profiles", "periods", "word"),
    [
        ("no_such", (), (), "no_such: is not defined"),
        ("iris", ("no_such",), (), "no_such: is not one of its partitions"),
        ("sp500_portfolio", (), ("1999-01",), "1999-01: is not one of its partitions"),
    ],
)
def test_what_a_study_does_not_have_is_refused(
    graph: Any, study: str, profiles: tuple[str, ...], periods: tuple[str, ...], word: str
) -> None:
    with pytest.raises(PlanError, match=word):
        targets(graph, study, profiles, periods)


@pytest.mark.slow
def test_the_command_leaves_a_backfill_that_survives_crashes(tmp_path: Path) -> None:
    call = ["backfill", "sp500_portfolio", "--period", "2020-01", "--period", "2020-02", "--home", str(tmp_path)]
    answer = CliRunner().invoke(main, call)
    assert answer.exit_code == 0, answer.output
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        (found,) = instance.get_backfills()
        assert f"Backfill {found.backfill_id}:" in answer.output
        assert found.tags["dagster/max_retries"] == "2"
        asked = found.get_asset_backfill_data(graph_of(tmp_path)).target_subset
    keys = {(pair.asset_key.path[-1], pair.partition_key) for pair in asked.iterate_asset_partitions()}
    assert {key for name, key in keys if name == "decision"} == {"2020-01|ideal", "2020-02|ideal"}
    assert {key for name, key in keys if name == "outcome"} == {"2020-01", "2020-02"}


@pytest.mark.slow
def test_what_dagster_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(QuantumAssetsError, match=r"study iris: its backfill was refused: .*no_such"):
        ask("iris", {"no_such": ("ideal",)}, environment_of(tmp_path))
