"""Partition definitions: quantum assets are partitioned by execution profile, one key a profile name.

Profile names are validated by `ExecutionProfile` (a short lower-case word), so every key is safe in a path, in a URL,
and in Dagster's own key syntax; the store's encoder guards the same border again for keys that come from elsewhere.
"""

from collections.abc import Sequence

import dagster as dg

from quantum_assets.contracts.errors import PlanError


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


#: One partition a run: the store commits one partition at a time, and a crash costs one partition.
ONE_PARTITION_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=1)
