"""Profile partitions keep their order and refuse lists that make no sense."""

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.partitions import ONE_PARTITION_A_RUN, profile_partitions


def test_profiles_become_partitions_in_order() -> None:
    assert list(profile_partitions("wine", ["ideal", "noisy"]).get_partition_keys()) == ["ideal", "noisy"]


@pytest.mark.parametrize(("profiles", "word"), [([], "empty"), (["ideal", "ideal"], "twice")])
def test_senseless_lists_are_refused(profiles: list[str], word: str) -> None:
    with pytest.raises(PlanError, match=word):
        profile_partitions("wine", profiles)


def test_a_backfill_runs_one_partition_a_run() -> None:
    assert ONE_PARTITION_A_RUN.max_partitions_per_run == 1
