"""Ending a task from outside, by the token that was handed out with it (`.waitForTaskToken`)."""

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.errors import Conflict, NotFound
from linkflow.execution.advance import expects
from linkflow.execution.events import TaskFailed, TaskHeartbeat, TaskSucceeded
from linkflow.execution.tokens import Token, proves, read_token
from linkflow.language.json import Json


async def succeed(engine: Engine, workspace: str, token: str, output: Json) -> None:
    """Raises, as all here, `NotFound` for a token that was never handed out, and `Conflict` for one whose task is
    over."""
    task, now = await _waiting(engine, workspace, token), engine.clock.now()
    news = TaskSucceeded(task.scope, task.task, output, now, now)
    await tell(engine, workspace, task.execution, news)


async def fail(engine: Engine, workspace: str, token: str, error: str | None, cause: str | None) -> None:
    task, now = await _waiting(engine, workspace, token), engine.clock.now()
    await tell(engine, workspace, task.execution, TaskFailed(task.scope, task.task, error, cause, now, now))


async def heartbeat(engine: Engine, workspace: str, token: str) -> None:
    """The task is still being worked on."""
    task = await _waiting(engine, workspace, token)
    await tell(engine, workspace, task.execution, TaskHeartbeat(task.scope, task.task))


async def _waiting(engine: Engine, workspace: str, text: str) -> Token:
    token = read_token(text)
    book = await engine.books.load(workspace, token.execution) if token is not None else None
    if token is None or book is None or token.workspace != workspace:
        raise NotFound("task token", text[:12] + "…")
    state = book.state
    if state.closed:
        raise Conflict(f"The execution is over already: {state.status}.")
    if not proves(token, state):
        raise NotFound("task token", text[:12] + "…")
    if not expects(state, token.scope, token.task):
        raise Conflict("The task is over already: it ended, timed out, or was given up.")
    return token
