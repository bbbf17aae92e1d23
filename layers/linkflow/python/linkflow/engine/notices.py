"""Telling somebody outside about a wait: calls as `http_request` makes them, before the wait begins."""

from collections.abc import Sequence

from linkflow.engine.engine import Call, Engine
from linkflow.engine.tasks import context_of
from linkflow.execution.state import State
from linkflow.execution.tokens import filled_in
from linkflow.language.json import Json
from linkflow.nodes.http_request import HttpRequest

PATIENCE = 60.0
"""Seconds that one call may take."""


async def notify(engine: Engine, call: Call, requests: Sequence[Json]) -> None:
    """Make these calls, one after the other. Each has an idempotency key of its own, the same when the task is run
    again. Links and tokens are filled in here: the book holds only what stands for them. Raises `NodeFailed`,
    `EvaluationFailed`."""
    book = await engine.books.load(call.workspace, call.execution) if requests else None
    if book is None:
        return
    before = await _before(engine, call.workspace, book.state)
    for index, asked in enumerate(requests):
        request = filled_in(asked, book.state, call.task.scope, call.task.task, before)
        context = context_of(engine, call.task, call, engine.clock.now(), f"{call.task.key}-{index}", PATIENCE)
        await HttpRequest.configured(request).run(context)


async def _before(engine: Engine, workspace: str, state: State) -> list[State]:
    """The executions from whose books this one goes on, the nearest first."""
    found: list[State] = []
    while state.reset_of is not None:
        book = await engine.books.load(workspace, state.reset_of.execution)
        if book is None:
            break
        state = book.state
        found.append(state)
    return found
