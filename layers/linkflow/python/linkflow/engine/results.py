"""Waiting for an execution's answer, for as long as somebody is ready to wait."""

import asyncio
from collections.abc import Callable

from linkflow.engine.chain import succeed
from linkflow.engine.engine import Engine
from linkflow.errors import NotFound
from linkflow.execution.state import State

LOOK_EVERY = 0.5
"""Seconds between looks into the book, in case another process drives the execution; and to the process's stop."""

Enough = Callable[[State], bool]


def is_closed(state: State) -> bool:
    return state.closed


def has_answered(state: State) -> bool:
    return state.closed or state.response is not None


async def await_result(
    engine: Engine, workspace: str, execution: str, seconds: float, enough: Enough = is_closed
) -> State | None:
    """The state, as soon as it is `enough`; None when it is not within `seconds`, or before this process stops. An
    execution that goes on in another one is waited for there. Raises `NotFound`."""
    deadline = engine.clock.now() + seconds
    while True:
        waiter = engine.closings.expect(execution)
        try:
            state = await _look(engine, workspace, execution, enough)
            remaining = deadline - engine.clock.now()
            if state is None and remaining > 0 and not engine.bells.dismissed:
                state = await _told(engine, waiter, min(LOOK_EVERY, remaining))
        finally:
            engine.closings.forget(execution, waiter)
        if state is not None and (following := await succeed(engine, workspace, execution, state)) is not None:
            execution = following
        elif state is not None and enough(state):
            return state
        if engine.clock.now() >= deadline or engine.bells.dismissed:
            return None


async def await_news(engine: Engine, workspace: str, execution: str, after: int, seconds: float) -> None:
    """Returns when the book has a turn behind number `after`, after `seconds`, or when this process stops."""
    deadline = engine.clock.now() + seconds
    while engine.clock.now() < deadline and not engine.bells.dismissed:
        last = await engine.books.last_number(workspace, execution)
        if last is not None and last > after:
            return
        await engine.clock.sleep(min(LOOK_EVERY, max(0.0, deadline - engine.clock.now())))


async def _look(engine: Engine, workspace: str, execution: str, enough: Enough) -> State | None:
    """What the store says. To know that an execution is open the summary will do; its answer is in the book."""
    if enough is is_closed:
        summary = await engine.summaries.get(workspace, execution)
        if summary is None:
            raise NotFound("execution", execution)
        if summary.status == "running":
            return None
    book = await engine.books.load(workspace, execution)
    if book is None:
        raise NotFound("execution", execution)
    return book.state if enough(book.state) else None


async def _told(engine: Engine, waiter: "asyncio.Future[State]", seconds: float) -> State | None:
    """What a visit in this process tells within `seconds`."""
    timer = asyncio.ensure_future(engine.clock.sleep(seconds))
    either: list[asyncio.Future[State] | asyncio.Future[None]] = [waiter, timer]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    return waiter.result() if waiter.done() else None
