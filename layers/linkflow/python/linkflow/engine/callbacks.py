"""Ending a task from outside, by the token that was handed out with it: `.waitForTaskToken`, remote workers, and the
isolated ones, which are believed of nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from linkflow.engine.engine import Engine
from linkflow.engine.lease import extend, settle
from linkflow.engine.news import tell
from linkflow.engine.wakes import wake
from linkflow.errors import Conflict, NotFound
from linkflow.execution.advance import expects, run_task
from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskFailed, TaskHeartbeat, TaskSucceeded
from linkflow.execution.state import State
from linkflow.execution.tokens import Token, proves, read_token
from linkflow.language.json import Json
from linkflow.messages import Ended


@dataclass(frozen=True, slots=True)
class Refusal:
    """How work outside failed; `retryable` False forbids retries that the definition would allow."""

    error: str | None
    cause: str | None
    retryable: bool = True
    details: Mapping[str, Json] | None = None


async def succeed(engine: Engine, workspace: str, token: str, output: Json) -> None:
    """Raises, as all here, `NotFound` for a token that was never handed out, and `Conflict` for one whose task is
    over."""
    task, now = await _waiting(engine, workspace, token), engine.clock.now()
    news = TaskSucceeded(task.scope, task.task, output, _began(task, now), now)
    await tell(engine, workspace, execution_of(token), news)
    await settle(engine, workspace, execution_of(token), task)


async def fail(engine: Engine, workspace: str, token: str, refusal: Refusal) -> None:
    task, now = await _waiting(engine, workspace, token), engine.clock.now()
    news = TaskFailed(
        task.scope,
        task.task,
        refusal.error,
        refusal.cause,
        _began(task, now),
        now,
        retryable=refusal.retryable,
        details=refusal.details,
    )
    await tell(engine, workspace, execution_of(token), news)
    await settle(engine, workspace, execution_of(token), task)


async def heartbeat(engine: Engine, workspace: str, token: str, worker: str = "") -> float | None:
    """The task is still being worked on. For a leased one, the moment until which its lease now lasts; None when it is
    another worker's."""
    task = await _waiting(engine, workspace, token)
    until = None
    if task.pattern == "activity":
        until = await extend(engine, workspace, execution_of(token), task, worker)
        if until is None:
            return None
    if task.heartbeat is not None or task.pattern != "activity":
        await tell(engine, workspace, execution_of(token), TaskHeartbeat(task.scope, task.task))
    return until


async def report(engine: Engine, text: str, ended: Ended) -> None:
    """What an isolated worker says of its task. Raises `NotFound` for a token that was not handed out with this one."""
    token, _ = await proven(engine, text)
    if (token.scope, token.task) != (ended.scope, ended.task):
        raise _unknown(text)
    await tell(engine, token.workspace, token.execution, ended)


async def proven(engine: Engine, text: str, workspace: str | None = None) -> tuple[Token, State]:
    """The token, and the execution whose it is. Raises `NotFound` for one that was never handed out; where it is
    brought in the name of a `workspace`, also for one of another, of which nothing is read."""
    token = read_token(text)
    if token is None or workspace not in (None, token.workspace):
        raise _unknown(text)
    book = await engine.books.load(token.workspace, token.execution)
    if book is None or not proves(token, book.state):
        raise _unknown(text)
    return token, book.state


def _unknown(text: str) -> NotFound:
    return NotFound("task token", text[:12] + "…")


def _began(task: RunTask, now: float) -> float:
    """0: its lease, which is in the book, says when."""
    return 0.0 if task.pattern == "activity" else now


def execution_of(text: str) -> str:
    token = read_token(text)
    return token.execution if token is not None else ""


async def end(engine: Engine, workspace: str, execution: str, news: TaskSucceeded) -> bool:
    """End the task that `news` is about. False: nobody waits for it any more. (Of several who end it at the same moment
    each may be told that it did; the first counts.)"""
    book = await engine.books.load(workspace, execution)
    if book is None or book.state.closed or not expects(book.state, news.scope, news.task):
        return False
    await tell(engine, workspace, execution, news)
    return True


async def _waiting(engine: Engine, workspace: str, text: str) -> RunTask:
    token, state = await proven(engine, text, workspace)
    if state.closed:
        raise Conflict(f"The execution is over already: {state.status}.")
    if not expects(state, token.scope, token.task):
        await engine.queue.send([wake(workspace, token.execution)])  # (who took it may have died before that)
        raise Conflict("The task is over already: it ended, timed out, or was given up.")
    program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
    return run_task(program, state, state.scopes[token.scope])
