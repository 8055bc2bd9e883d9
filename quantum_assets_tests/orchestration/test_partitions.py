"""Profile and period partitions keep their order, and a key tells its dimensions."""

import dagster as dg
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.partitions import (
    dimensions_of,
    partition_key_of,
    period_and_profile,
    period_partitions,
    profile_partitions,
)


def test_profiles_become_partitions_in_order() -> None:
    assert list(profile_partitions("wine", ["ideal", "noisy"]).get_partition_keys()) == ["ideal", "noisy"]


@pytest.mark.parametrize(("profiles", "word"), [([], "empty"), (["ideal", "ideal"], "twice")])
def test_senseless_lists_are_refused(profiles: list[str], word: str) -> None:
    with pytest.raises(PlanError, match=word):
        profile_partitions("wine", profiles)


@dg.asset(partitions_def=period_partitions(["2020-01", "2020-02"]))
def monthly(context: dg.AssetExecutionContext) -> str:
    return partition_key_of(context)


@dg.asset
def timeless(context: dg.AssetExecutionContext) -> str:
    return partition_key_of(context)


def _range(first: str, last: str) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def test_a_run_tells_its_partition_whichever_tag_names_it() -> None:
    assert dg.materialize([monthly], partition_key="2020-02").output_for_node("monthly") == "2020-02"
    assert dg.materialize([monthly], tags=_range("2020-02", "2020-02")).output_for_node("monthly") == "2020-02"
    assert dg.materialize([timeless]).output_for_node("timeless") == ""


def test_a_run_of_several_partitions_is_refused_with_the_way_to_do_it() -> None:
    with pytest.raises(PlanError, match=r"2020-01 to 2020-02 at once\. Launch them as a backfill"):
        dg.materialize([monthly], tags=_range("2020-01", "2020-02"))


def test_every_profile_of_every_month_is_a_partition_and_its_key_tells_both() -> None:
    both = period_and_profile(period_partitions(["2020-01", "2020-02"]), profile_partitions("stocks", ["ideal", "a1"]))
    keys = [str(key) for key in both.get_partition_keys()]
    assert sorted(keys) == ["2020-01|a1", "2020-01|ideal", "2020-02|a1", "2020-02|ideal"]
    assert [dimensions_of(key) for key in sorted(keys)][1] == {"period": "2020-01", "profile": "ideal"}
    assert list(dimensions_of(keys[0])) == ["period", "profile"]


def test_a_single_key_is_a_month_or_a_profile() -> None:
    assert dimensions_of("2020-01") == {"period": "2020-01"}
    assert dimensions_of("managed-braket") == {"profile": "managed-braket"}
