"""Partition definitions: quantum assets are partitioned by execution profile, decisions also by period.

Profile names are validated by `ExecutionProfile` (a short lower-case word), so every key is safe in a path, in a URL,
and in Dagster's own key syntax; the store's encoder guards the same border again for keys that come from elsewhere.
"""

from collections.abc import Sequence

import dagster as dg

from quantum_assets.contracts.errors import PlanError

PERIOD, PROFILE = "period", "profile"


def profile_partitions(study: str, profiles: Sequence[str]) -> dg.StaticPartitionsDefinition:
    """The profiles of one study as partitions, in the order written.

    Raises:
        PlanError: For an empty list or a profile named twice.
    """
    if not profiles:
        raise PlanError(f"study {study}: profiles", "the list is empty", "Name at least one, for example [ideal]")
    repeated = sorted({name for name in profiles if list(profiles).count(name) > 1})
    if repeated:
        raise PlanError(f"study {study}: profiles", f"{', '.join(repeated)} is listed twice", "List each profile once")
    return dg.StaticPartitionsDefinition(list(profiles))


def period_partitions(periods: Sequence[str]) -> dg.StaticPartitionsDefinition:
    """The months of a study, in order.

    They are listed and not derived from today's date, so that a past month stays a partition and a new one is added by
    whoever edits the study.
    """
    return dg.StaticPartitionsDefinition(list(periods))


def period_and_profile(
    periods: dg.StaticPartitionsDefinition, profiles: dg.StaticPartitionsDefinition
) -> dg.MultiPartitionsDefinition:
    """Every profile of every month; a key reads ``2020-01|ideal``."""
    return dg.MultiPartitionsDefinition({PERIOD: periods, PROFILE: profiles})


def dimensions_of(key: str) -> dict[str, str]:
    """A partition key as the store knows it: dimension to value, period before profile.

    Names of profiles begin with a letter and months with a digit, so that a single key tells which of them it is.
    """
    period, bar, profile = key.partition("|")
    if bar:
        return {PERIOD: period, PROFILE: profile}
    return {PERIOD if key[:1].isdigit() else PROFILE: key}


def partition_key_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> str:
    """The one partition that a run is about; empty for none.

    A run names its partition by one tag, or, where it was launched for a range of partitions, by first and last.

    Raises:
        PlanError: For a range of several: the store commits one partition at a time, and a crash costs one partition.
    """
    if context.has_partition_key:
        return str(context.partition_key)
    if not context.has_partition_key_range:
        return ""
    wanted = context.partition_key_range
    if wanted.start != wanted.end:
        raise PlanError(
            f"run {context.run.run_id}",
            f"is asked for the partitions {wanted.start} to {wanted.end} at once",
            "Launch them as a backfill, which makes one run of each",
        )
    return str(wanted.start)
