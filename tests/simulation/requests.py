"""What those outside ask of a process: the verbs behind the routes, and in a word what they answer."""

from functions.edge.service import HookAnswer, receive
from linkflow.engine import callbacks
from linkflow.engine.cancel import cancel, terminate
from linkflow.engine.pauses import pause, resume
from linkflow.engine.signal import IsOver, signal
from linkflow.engine.start import Start, start
from linkflow.errors import Conflict, NotFound
from linkflow.execution.signals import SignalReceived
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.runtime.calls import Call
from linkflow.runtime.wiring import World
from linkflow.stores.rates import Rates
from linkflow.stores.records import Workflow


def call(key: str, given: Json) -> Call:
    headers = {"content-type": "application/json", "idempotency-key": key}
    return Call("req", "POST", "/hooks/x", "", headers, "", compact(given).encode())


async def started(world: World, workflow: Workflow, given: Json, key: str) -> str:
    engine = world.engine
    node = engine.programs.of(await engine.workflows.current(workflow)).manual_start
    return await start(engine, Start(workflow, given, node=node, idempotency_key=key))


async def received(world: World, token: str, call: Call) -> HookAnswer:
    return await receive(world, Rates(world.table), token, "", call)


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
    return "taken"
