"""What callbacks are told, and when.

    visit ── started, waiting ──▶ queue `callbacks` ──┐
          └─ closed ────────────▶ queue `closed` ─────┴──▶ spread: one delivery for each callback that wants to know

A delivery's id follows from callback, execution and event, and its process's id from that: however often a message
comes, each callback is told by one process. An execution of a workflow without callbacks, in a workspace without any,
costs nothing: no message is sent. A visit that dies before it has sent a message is repeated, and sends it then.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from linkflow import ids
from linkflow.engine.engine import Engine
from linkflow.engine.platform.system import SYSTEM, run
from linkflow.execution.state import Failure, Scope, State
from linkflow.execution.surroundings import moment_text
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.messages import CALLBACKS, Notice
from linkflow.ports import Send
from linkflow.stores.callbacks import Callback, Delivery, wants

MACHINE: Final = "callback_delivery"
LARGEST_OUTPUT = 64 * 1_024
"""Bytes of JSON above which an output is not told but only named."""
_ENDINGS = {"succeeded": "completed", "continued": ""}

_encoder = msgspec.json.Encoder()


def ending(state: State) -> str:
    """The event that a closed execution is; empty for one that goes on in another."""
    return _ENDINGS.get(state.status, "failed")


async def wanted(engine: Engine, workspace: str, program: Program, state: State, event: str) -> bool:
    """Whether a callback wants to be told. Nobody is told of the platform's own executions, nor of those that only work
    on a part of a Map."""
    if workspace == SYSTEM or state.part is not None or not event:
        return False
    return event in program.callbacks or await engine.callbacks.wanted(workspace, state.names.workflow_id, event)


async def tell_started(engine: Engine, workspace: str, program: Program, state: State) -> None:
    if await wanted(engine, workspace, program, state, "started"):
        await engine.queue.send([_send(Notice(workspace, state.names.execution_id, "started", state.started_at))])


async def tell_waiting(engine: Engine, workspace: str, program: Program, state: State) -> None:
    """Tell of everything the execution waits for now; what was told of before is told once all the same."""
    if await wanted(engine, workspace, program, state, "waiting"):
        execution = state.names.execution_id
        await engine.queue.send([_send(notice) for notice in _waits(workspace, execution, state)])


def _waits(workspace: str, execution: str, state: State) -> Iterator[Notice]:
    for scope in state.scopes.values():
        if _is_waiting(scope):
            what = f"{scope.id}-{scope.entered_id}"
            until = scope.due if scope.task is None else scope.task.deadline
            yield Notice(workspace, execution, "waiting", scope.entered_at, what, scope.state, until)


def _is_waiting(scope: Scope) -> bool:
    return scope.phase == "wait" or (scope.task is not None and scope.task.submitted and scope.task.pattern == "token")


def _send(notice: Notice) -> Send:
    return Send(CALLBACKS.name, _encoder.encode(notice))


async def closing_wanted(engine: Engine, workspace: str, program: Program, state: State) -> bool:
    return await wanted(engine, workspace, program, state, ending(state))


async def tell_closed(engine: Engine, workspace: str, execution: str, state: State) -> None:
    """The execution is over: tell those who want to know."""
    await _spread(engine, Notice(workspace, execution, ending(state), state.closed_at or state.started_at), state)


async def spread(engine: Engine, notice: Notice) -> None:
    book = await engine.books.load(notice.workspace, notice.execution)
    if book is not None and notice.workspace != SYSTEM:
        await _spread(engine, notice, book.state)


async def _spread(engine: Engine, notice: Notice, state: State) -> None:
    for callback in await engine.callbacks.listed(notice.workspace):
        if wants(callback, state.names.workflow_id, notice.event):
            await _deliver(engine, callback, notice, state)


async def _deliver(engine: Engine, callback: Callback, notice: Notice, state: State) -> None:
    what = f"{callback.id}/{notice.event}/{notice.what}"
    identifier = ids.derived(ids.DELIVERY, notice.execution, what)
    now = engine.clock.now()
    delivery = Delivery(identifier, callback.id, notice.workspace, notice.execution, notice.event, now)
    await engine.deliveries.open(delivery)
    await run(engine, MACHINE, given(delivery, 1, _told(identifier, notice, state)), process_id(identifier, 1))


def process_id(delivery: str, round_: int) -> str:
    """The id of the process that carries out a round of a delivery."""
    return ids.derived(ids.EXECUTION, delivery, str(round_))


def given(delivery: Delivery, round_: int, payload: Json) -> dict[str, Json]:
    """What a delivery's process begins with."""
    return {
        "workspace": delivery.workspace,
        "callback": delivery.callback,
        "delivery": delivery.id,
        "execution": delivery.execution,
        "event": delivery.event,
        "round": round_,
        "payload": payload,
    }


def _told(identifier: str, notice: Notice, state: State) -> dict[str, Json]:
    """The body of the call, once and for all attempts."""
    names = state.names
    told: dict[str, Json] = {
        "id": identifier,
        "event": notice.event,
        "at": moment_text(notice.at),
        "execution": {
            "id": notice.execution,
            "name": names.execution,
            "workflow": names.workflow_id,
            "workflow_name": names.workflow,
            "version": state.version,
            "trigger": state.trigger,
            "status": "running" if notice.event in ("started", "waiting") else state.status,
            "started_at": moment_text(state.started_at),
        },
    }
    if notice.event == "waiting":
        told["waiting"] = {"node": notice.node, "until": None if notice.until is None else moment_text(notice.until)}
    elif notice.event == "completed":
        told |= _output(state.output)
    elif notice.event == "failed":
        told["error"] = None if state.failure is None else _error(state.failure)
    return told


def _error(failure: Failure) -> dict[str, Json]:
    return {"code": failure.error, "message": failure.cause, "node": failure.node or None, "path": failure.path}


def _output(output: Json) -> dict[str, Json]:
    size = len(_encoder.encode(output))
    return {"output": output} if size <= LARGEST_OUTPUT else {"output": None, "output_bytes": size}


def drawn(
    workspace: str, workflow: str, callbacks: Sequence[tuple[str, tuple[str, ...]]], now: float
) -> list[Callback]:
    """The callbacks that stand in a workflow's definition, as (url, events)."""
    return [
        Callback(
            ids.derived(ids.CALLBACK, workflow, f"{position}/{url}"), workspace, url, on, now, now, workflow, drawn=True
        )
        for position, (url, on) in enumerate(callbacks)
    ]
