"""What those outside ask of a process: the verbs behind the routes, and in a word what they answer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from functions.api.operations.schemas import CreateOperation
from functions.api.operations.service import create as create_operation
from functions.api.schedules import service as schedules
from functions.api.schedules.schemas import Backfill
from functions.edge.service import HookAnswer, receive
from linkflow.engine import callbacks, lease
from linkflow.engine.approvals import Vote, approval_id, decide, look
from linkflow.engine.callbacks import Refusal
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.holds import Scope, hold, release
from linkflow.engine.lease import Leased, Wish
from linkflow.engine.links import open_link, read
from linkflow.engine.pauses import pause, resume
from linkflow.engine.publish import Published, publish
from linkflow.engine.resets import Reset, reset
from linkflow.engine.signal import IsOver, signal, signal_with_start
from linkflow.engine.start import Start
from linkflow.engine.synchronous import Outcome, start_and_wait
from linkflow.errors import Conflict, LinkOver, NotFound
from linkflow.execution.signals import SignalReceived
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.runtime.calls import Call
from linkflow.runtime.searching import Filters
from linkflow.runtime.wiring import World
from linkflow.stores.controls import Hold
from linkflow.stores.operations import Action, Operation
from linkflow.stores.rates import Rates
from linkflow.stores.records import ApiKey, Workflow
from tests.simulation.cast import Part
from tests.simulation.played import BEGINS
from tests.simulation.scenes import NEWS
from tests.unit.random_graphs import SIGNAL

BUSINESS_KEY: Final = "the order"
TAKEN: Final = "taken"


def call(key: str, given: Json) -> Call:
    headers = {"content-type": "application/json", "idempotency-key": key}
    return Call("req", "POST", "/hooks/x", "", headers, "", compact(given).encode())


async def started(world: World, workflow: Workflow, part: Part, given: Json, key: str) -> Outcome:
    engine = world.engine
    node = engine.programs.of(await engine.workflows.current(workflow)).manual_start
    begins = None if part.later is None else BEGINS + part.later
    request = Start(workflow, given, node=node, idempotency_key=key, begins=begins)
    if part.keyed is not None:
        request = replace(request, business_key=BUSINESS_KEY, key_policy=part.keyed)
    if part.greeted:
        return Outcome(await signal_with_start(engine, request, SignalReceived(SIGNAL, given, key)), None)
    return await start_and_wait(engine, request, part.patience)


async def received(world: World, token: str, call: Call) -> HookAnswer:
    return await receive(world, Rates(world.table), token, "", call)


async def asked_of_all(world: World, workflow: Workflow, action: Action, key: str) -> Operation:
    caller = ApiKey("key", workflow.workspace, "visitor", "visitor", BEGINS)
    body = CreateOperation(action=action, filter=Filters(workflow=workflow.id), reason="wanted")
    return await create_operation(world, caller, body, key)


async def looked_at(world: World, workspace: str, operation: str) -> Operation:
    return await world.engine.operations.get(workspace, operation)


async def triggered(world: World, workspace: str, schedule: str, key: str) -> str:
    return await schedules.triggered(world, workspace, schedule, key)


async def backfilled(world: World, workspace: str, schedule: str, until: float) -> list[tuple[int, str, bool]]:
    """Everything that was due before that, and before now as that process sees it."""
    ends = datetime.fromtimestamp(int(min(until, world.clock.now())), UTC)
    past = Backfill.model_validate({"from": datetime.fromtimestamp(BEGINS - 10.0, UTC), "to": ends})
    return await schedules.backfilled(world, workspace, schedule, past)


async def published(world: World, workspace: str, name: str, given: Json) -> Published:
    about = {"specversion": "1.0", "id": name, "source": "/outside", "type": NEWS}
    return await publish(world.engine, workspace, {**about, "data": given})


async def cancelled(world: World, workspace: str, execution: str) -> str:
    try:
        await cancel(world.engine, workspace, execution, "visitor", "wanted")
    except Conflict:
        return "too late"
    return "cancelled"


async def terminated(world: World, workspace: str, execution: str) -> str:
    try:
        await terminate(world.engine, workspace, execution, "visitor", "wanted")
    except Conflict:
        return "too late"
    return "terminated"


async def paused(world: World, workspace: str, execution: str) -> str:
    try:
        await pause(world.engine, workspace, execution, "visitor", "wanted")
    except Conflict:
        return "too late"
    return "paused"


async def resumed(world: World, workspace: str, execution: str) -> str:
    try:
        await resume(world.engine, workspace, execution, "visitor")
    except Conflict:
        return ", too late to resume"
    return ", resumed"


async def held(world: World, scope: Scope, *, drains: bool) -> None:
    made = Hold("drain" if drains else "pause", since=world.clock.now(), by="visitor", reason="wanted")
    await hold(world.engine, scope, made)


async def let_go(world: World, scope: Scope) -> None:
    await release(world.engine, scope)


async def signalled(world: World, workspace: str, execution: str, told: SignalReceived) -> str:
    try:
        await signal(world.engine, workspace, execution, told)
    except IsOver:
        return "over"
    except Conflict:
        return "full"
    return "heard"


async def succeeded(world: World, workspace: str, token: str, output: Json) -> str:
    try:
        await callbacks.succeed(world.engine, workspace, token, output)
    except (NotFound, Conflict) as refused:
        return refused.message
    return TAKEN


async def failed(world: World, workspace: str, token: str) -> str:
    try:
        await callbacks.fail(world.engine, workspace, token, Refusal("http_status", "The server answered 500."))
    except (NotFound, Conflict) as refused:
        return refused.message
    return TAKEN


async def polled(world: World, workspace: str, queue: str, wish: Wish) -> list[Leased]:
    return await lease.poll(world.engine, workspace, queue, wish)


async def beaten(world: World, workspace: str, token: str, worker: str) -> float | None:
    try:
        return await callbacks.heartbeat(world.engine, workspace, token, worker)
    except (NotFound, Conflict):
        return None


async def voted(world: World, text: str, vote: Vote) -> str:
    """As the link's page does it."""
    link = await read(world.engine, "approval", text)
    identifier = approval_id(link.execution, link.task)
    try:
        await look(world.engine, link.workspace, identifier)
        await open_link(world.engine, "approval", text)
        await decide(world.engine, link.workspace, identifier, vote)
    except (Conflict, LinkOver) as refused:
        return refused.message
    return TAKEN


async def taken_up(world: World, workspace: str, execution: str, wish: Reset) -> str | None:
    """None: nothing can go on from there."""
    try:
        return await reset(world.engine, workspace, execution, wish)
    except Conflict:
        return None
