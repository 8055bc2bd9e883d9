"""How the assets of a study of any kind are declared, and their steps' way into the execution room."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import dagster as dg

from quantum_assets.components.study_look import StudyLook
from quantum_assets.components.study_records import StudyPlan
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.automation import on_changed_content
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.partitions import partition_key_of
from quantum_assets.orchestration.pools import Pools
from quantum_assets.orchestration.steps import Result

Declaration = Callable[[Callable[..., Result | Iterator[Result]]], dg.AssetsDefinition]


def declarations(plan: StudyPlan, look: StudyLook, kind: str) -> Callable[..., Declaration]:
    """What every asset of a study has in common; `kind` is its tag."""

    def declare(
        kinds: set[str],
        about: str,
        *upstream: str,
        over: dg.PartitionsDefinition[str] | None,
        runs: bool = False,
        waits: bool = False,
        after: Sequence[str] = (),
    ) -> Declaration:
        return dg.asset(
            key_prefix=plan.name,
            ins={name: dg.AssetIn([plan.name, name]) for name in upstream},
            deps=[dg.AssetKey([plan.name, name]) for name in after],
            description=about,
            group_name=plan.name,
            owners=[look.owner] if look.owner else None,
            tags={"quantum_assets/kind": kind, **look.tags},
            kinds=kinds,
            code_version=look.code_version,
            automation_condition=None if after else on_changed_content(),
            metadata={"study": plan.name, "question": plan.fingerprint, "folder": str(plan.base)},
            partitions_def=over,
            # no backfill policy: a run a partition, which the run's tag dagster/partition names
            io_manager_key=STORAGE_KEY,
            required_resource_keys={EXECUTION_KEY, STORAGE_KEY} if runs else None,
            output_required=not waits,
        )

    return declare


def session_of(plan: StudyPlan, context: dg.AssetExecutionContext) -> Session:
    """This step's way into the execution room, in the study's name; the run's id is the correlation id."""
    room: ExecutionRoom = getattr(context.resources, EXECUTION_KEY)
    session = room.session(plan.name, partition_key_of(context), context.run_id)
    return replace(session, slot=Pools(context, session.plane).slot)
