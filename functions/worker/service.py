"""Tasks that run outside a visit: with all the engine has, or isolated, with nothing but a node and a message."""

import asyncio
import contextlib
from hashlib import sha256

import msgspec

from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.holds import news_of_hold
from linkflow.engine.news import tell
from linkflow.engine.tasks import run_alone, run_bounded
from linkflow.engine.wakes import wake
from linkflow.errors import NotFound, TryAgain
from linkflow.execution.advance import expects, run_task
from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskFailed, TaskPostponed
from linkflow.execution.failures import INTERRUPTED
from linkflow.execution.state import State
from linkflow.messages import (
    LARGEST_BODY,
    LARGEST_CONTENT,
    OUTCOMES,
    IsolatedTask,
    Outcome,
    Piece,
    TaskMessage,
    packed,
    unpacked,
)
from linkflow.ports import Absent, Item, Message, Send
from linkflow.runtime.wiring import World
from linkflow.stores import keys

LOOK_EVERY = 5.0
"""Seconds between two looks whether a task is still awaited."""
REMEMBERED = 86_400.0
"""Seconds for which it is known which message has a task that must not run twice: copies come within minutes."""
_encoder = msgspec.json.Encoder()


async def work(engine: Engine, message: Message) -> None:
    """Run the task and write its outcome into the book. Where its execution is paused or held it is not begun: it is
    put off instead, and sent again once the execution goes on."""
    given = msgspec.json.decode(message.body, type=TaskMessage)
    workspace, execution = given.workspace, given.execution
    state = await _awaiting(engine, given)
    if state is None:
        if message.receives > 1:  # (who wrote its outcome may have died before the wake)
            await engine.queue.send([wake(workspace, execution)])
        return
    task = await _whole(engine, given, state)
    if task.at_most_once and message.receives > 1:
        outcome: Told | None = _interrupted(task)
    elif state.paused is not None or await news_of_hold(engine, workspace, state):
        outcome = TaskPostponed(task.scope, task.task, engine.clock.now())
    elif task.at_most_once:
        outcome = await _once(engine, Call(workspace, execution, task), message)
    else:
        outcome = await _unless_unwanted(engine, Call(workspace, execution, task))
    if outcome is not None:
        with contextlib.suppress(NotFound):
            await tell(engine, workspace, execution, outcome)


async def _awaiting(engine: Engine, given: TaskMessage) -> State | None:
    """The execution, if it still awaits the task."""
    book = await engine.books.load(given.workspace, given.execution)
    return book.state if book is not None and expects(book.state, given.task.scope, given.task.task) else None


async def _whole(engine: Engine, given: TaskMessage, state: State) -> RunTask:
    """The task, with arguments that were too large to travel."""
    if not given.bare:
        return given.task
    program = await engine.programs.get(given.workspace, state.names.workflow_id, state.version, state.program)
    return run_task(program, state, state.scopes[given.task.scope])


def _interrupted(task: RunTask) -> TaskFailed:
    cause = "The process that ran this task ended before the task did, and it must not run twice."
    return TaskFailed(task.scope, task.task, INTERRUPTED, cause)


async def _once(engine: Engine, call: Call, message: Message) -> Told | None:
    """None too when a copy of the message has the task: a queue may hold two, sent by a caller that heard no answer."""
    key, now = keys.begun(call.workspace, call.execution, call.task.task), engine.clock.now()
    if await engine.table.put(Item(key, message.id.encode(), expires_at=now + REMEMBERED), Absent()) is not None:
        return None
    outcome = await _unless_unwanted(engine, call)
    if isinstance(outcome, TaskPostponed):  # (it will be sent again, and is not begun yet)
        await engine.table.delete(key)
    return outcome


async def _unless_unwanted(engine: Engine, call: Call) -> Told | None:
    """The task's outcome; None when nobody waits for it any more, which is noticed within `LOOK_EVERY` and ends it."""
    job = asyncio.ensure_future(run_bounded(engine, call))
    watch = asyncio.ensure_future(_unwanted(engine, call))
    try:
        await asyncio.wait([job, watch], return_when=asyncio.FIRST_COMPLETED)
        return job.result() if job.done() else None
    finally:
        job.cancel()
        watch.cancel()


async def _unwanted(engine: Engine, call: Call) -> None:
    """Returns when the task is not awaited any more. A look that fails says nothing."""
    seen = None
    while True:
        await engine.clock.sleep(LOOK_EVERY)
        with contextlib.suppress(TryAgain):
            last = await engine.books.last_number(call.workspace, call.execution)
            if last == seen:
                continue
            book = await engine.books.load(call.workspace, call.execution)
            if book is None or not expects(book.state, call.task.scope, call.task.task):
                return
            seen = last


async def work_isolated(world: World, message: Message) -> None:
    """Run the task with its node and the outside world alone, and send its outcome."""
    given = msgspec.json.decode(unpacked(message.body), type=IsolatedTask)
    task = given.task
    if task.at_most_once and message.receives > 1:
        ended: Told = _interrupted(task)
    else:
        ended = await run_alone(world.engine, task)
    content = _encoder.encode(Outcome(given.token, ended))
    if len(content) > LARGEST_CONTENT:
        content = _encoder.encode(Outcome(given.token, _too_large(task, len(content))))
    await world.queue.send(_sends(given.token, packed(content)))


def _too_large(task: RunTask, size: int) -> TaskFailed:
    cause = (
        f"An isolated task gives its outcome in messages of at most {LARGEST_CONTENT:,} bytes in all; this one takes "
        f"{size:,}. Let it give less, or put it where others can read it."
    )
    return TaskFailed(task.scope, task.task, "LinkFlow.OutputTooLarge", cause, retryable=False)


def _sends(token: str, body: bytes) -> list[Send]:
    """One message, or as many as the text needs: there is no other place that an isolated worker could put it."""
    if len(body) <= LARGEST_BODY:
        return [Send(OUTCOMES.name, body)]
    name = sha256(body).hexdigest()[:32]
    size = LARGEST_BODY - 1_000
    texts = [body[start : start + size].decode() for start in range(0, len(body), size)]
    pieces = [Piece(token, name, number, len(texts), text) for number, text in enumerate(texts)]
    return [Send(OUTCOMES.name, _encoder.encode(piece)) for piece in pieces]
