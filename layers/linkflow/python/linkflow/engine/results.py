"""Waiting for an execution's answer, for as long as somebody is ready to wait."""

import asyncio
from collections.abc import Callable

from linkflow.engine.engine import Engine
from linkflow.execution.state import State

LOOK_EVERY = 0.5
"""Seconds between looks into the book, in case another process drives the execution."""


def is_closed(state: State) -> bool:
    return state.closed


def has_answered(state: State) -> bool:
    return state.closed or state.response is not None


async def await_result(
    engine: Engine, workspace: str, execution: str, seconds: float, enough: Callable[[State], bool] = is_closed
) -> State | None:
    """The state, as soon as it is `enough`; None when it is not within `seconds`."""
    deadline = engine.clock.now() + seconds
    while True:
        waiter = engine.closings.expect(execution)
        try:
            book = await engine.books.load(workspace, execution)
            if book is not None and enough(book.state):
                return book.state
            remaining = deadline - engine.clock.now()
            if remaining <= 0:
                return None
            await _either(engine, waiter, min(LOOK_EVERY, remaining))
        finally:
            engine.closings.forget(execution, waiter)


async def await_news(engine: Engine, workspace: str, execution: str, after: int, seconds: float) -> None:
    """Returns when the book has a turn behind number `after`, or after `seconds`."""
    deadline = engine.clock.now() + seconds
    while engine.clock.now() < deadline:
        last = await engine.books.last_number(workspace, execution)
        if last is not None and last > after:
            return
        await engine.clock.sleep(min(LOOK_EVERY, max(0.0, deadline - engine.clock.now())))


async def _either(engine: Engine, waiter: "asyncio.Future[None]", seconds: float) -> None:
    timer = asyncio.ensure_future(engine.clock.sleep(seconds))
    await asyncio.wait([waiter, timer], return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
