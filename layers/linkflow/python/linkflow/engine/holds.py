"""Holding a workflow, a workspace or the engine, and letting it go.

Held executions are paused one by one, each by its next visit, in its own book: then the time of their tasks stands
still, nothing spins, and nothing has to be found before the hold works. When the hold ends, every open execution under
it is woken, page by page, and its visit lets it go on. What that misses, the watchdog finds.

    hold ── controls ──▶ the next visit: PauseRequested ──▶ waits ──▶ release: wake ──▶ visit: ResumeRequested
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from linkflow.engine.engine import Engine
from linkflow.engine.wakes import released, wake
from linkflow.errors import Conflict, Held, Maintenance
from linkflow.execution.events import News, PauseRequested, ResumeRequested
from linkflow.execution.state import State
from linkflow.messages import Release
from linkflow.stores import index_keys
from linkflow.stores.controls import MOST_HOLDS, Controls, Hold
from linkflow.stores.records import Summary, Workflow

HELD: Final = "linkflow:hold"
"""Who pauses executions that are held; others' pauses are left alone."""
CONSEQUENCES: Final = frozenset({"called", "error", "map", "platform"})
"""Triggers of executions that follow from others: they are never refused, only held."""
_SURE: Final = 1.0
"""Seconds: before an execution is stopped, or left as it is, what is known of holds must be this new."""
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """What is held: everything, a workspace, or one workflow of it."""

    workspace: str = ""
    workflow: str = ""


async def hold(engine: Engine, scope: Scope, hold: Hold) -> Controls:
    """Raises `Conflict` when too many are held one by one."""
    return await engine.switchboard.change(lambda controls: _with(controls, scope, hold))


async def release(engine: Engine, scope: Scope) -> Controls:
    """What was held goes on. Releasing what is not held only makes somebody look at it."""
    sends = [released(Release(scope.workspace, scope.workflow, shard)) for shard in range(index_keys.DUE_SHARDS)]
    return await engine.switchboard.change(lambda controls: _with(controls, scope, None), sends)


async def wake_released(engine: Engine, message: Release) -> None:
    """Wake a page of open executions, and leave the others to another message. Doing it twice is harmless."""
    found, cursor = await engine.summaries.open_ones(message.shard, _PAGE, message.cursor)
    sends = [wake(one.workspace, one.execution) for one in found if _concerns(message, one)]
    if cursor is not None:
        sends.append(released(replace(message, cursor=cursor)))
    await engine.queue.send(sends)


async def news_of_hold(engine: Engine, workspace: str, state: State) -> list[News]:
    """What a visit must tell its execution about being held, before anything else: nothing, nearly always."""
    ours = state.paused is not None and state.paused.by == HELD
    if state.closed or (state.paused is not None and not ours):
        return []
    found = _stops(await engine.switchboard.controls(), workspace, state)
    if found is not None:
        found = _stops(await engine.switchboard.controls(_SURE), workspace, state)
    if found is not None:
        return [] if ours or state.cancel is not None else [PauseRequested(HELD, found.reason)]
    return [ResumeRequested(HELD)] if ours else []


async def is_held(engine: Engine, workspace: str, workflow: str) -> bool:
    """Whether this workflow is to begin nothing now."""
    return next((await engine.switchboard.controls()).holds(workspace, workflow), None) is not None


async def admit_start(engine: Engine, workflow: Workflow, trigger: str) -> None:
    """Raises `Held` or `Maintenance` where new starts from outside are refused."""
    if trigger in CONSEQUENCES:
        return
    controls = await engine.switchboard.controls()
    for what, found in controls.holds(workflow.workspace, workflow.id):
        if found.starts == "refuse":
            raise Maintenance(found.reason) if what == "engine" else Held(what, found.mode, found.reason)


def _stops(controls: Controls, workspace: str, state: State) -> Hold | None:
    """The hold that stops this execution. What follows from others, or is waited for by them, is drained with them."""
    follows = state.parent is not None or state.trigger in CONSEQUENCES
    for _, found in controls.holds(workspace, state.names.workflow_id):
        if found.mode == "pause" or (state.started_at >= found.since and not follows):
            return found
    return None


def _with(controls: Controls, scope: Scope, hold: Hold | None) -> Controls:
    if not scope.workspace:
        return replace(controls, engine=hold)
    if not scope.workflow:
        return replace(controls, workspaces=_put(controls.workspaces, scope.workspace, hold))
    return replace(controls, workflows=_put(controls.workflows, f"{scope.workspace}/{scope.workflow}", hold))


def _put(holds: Mapping[str, Hold], name: str, hold: Hold | None) -> Mapping[str, Hold]:
    if hold is None:
        return {key: value for key, value in holds.items() if key != name}
    if name not in holds and len(holds) >= MOST_HOLDS:
        raise Conflict(f"{MOST_HOLDS:,} are held already; hold their workspace, or the engine.")
    return {**holds, name: hold}


def _concerns(message: Release, summary: Summary) -> bool:
    return message.workspace in ("", summary.workspace) and message.workflow in ("", summary.workflow)
