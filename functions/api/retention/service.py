"""How long a workspace keeps its executions."""

from functions.api.retention.schemas import RetentionView
from linkflow.errors import Fault, Invalid, NotFound
from linkflow.runtime.wiring import World
from linkflow.stores.archive import Archive, Retention


async def retention(world: World, workspace: str) -> RetentionView:
    return _view(await Archive(world.table, world.blobs).retention(workspace))


async def set_retention(world: World, workspace: str, wanted: RetentionView) -> RetentionView:
    """Raises `Invalid`, naming every workflow that is not there."""
    faults = [
        Fault(f"$.body.workflows.{one}", "not_found", f"There is no workflow '{one}' in this workspace.")
        for one in wanted.workflows
        if not await _is_there(world, workspace, one)
    ]
    if faults:
        raise Invalid("The request", faults)
    policy = Retention(wanted.days, wanted.archive, wanted.archive_days, dict(wanted.workflows))
    await Archive(world.table, world.blobs).set_retention(workspace, policy)
    return _view(policy)


async def _is_there(world: World, workspace: str, workflow: str) -> bool:
    try:
        await world.engine.workflows.get(workspace, workflow)
    except NotFound:
        return False
    return True


def _view(policy: Retention) -> RetentionView:
    return RetentionView(
        days=policy.days,
        archive=policy.archive,
        archive_days=policy.archive_days,
        workflows=dict(policy.workflows),
    )
