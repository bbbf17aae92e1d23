"""What an execution is at: read from its book and its summary, for people and programs that look after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from linkflow.engine import children
from linkflow.engine.engine import Engine
from linkflow.engine.place import place
from linkflow.errors import NotFound
from linkflow.execution.advance import run_task
from linkflow.execution.commands import RunTask
from linkflow.execution.state import Failure, Nodes, OpenTask, State
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.stores.records import Summary


@dataclass(frozen=True, slots=True)
class PendingTask:
    """`since` is when this attempt was scheduled; `deadline` and `beat` (the next sign of life) are moments.
    `placement` says where it runs (`outside` once its request was made), `child` which execution works on it, `failure`
    what the attempt before ended with."""

    node: str
    task: int
    attempt: int
    since: float
    pattern: str
    placement: str
    deadline: float | None
    beat: float | None
    started: bool
    child: str | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class PendingTimer:
    """`kind`: a `wait` of a node, the `retry` of one, the `start` of the execution, its `deadline`, or the end of its
    `clean_up`."""

    kind: str
    node: str
    at: float


@dataclass(frozen=True, slots=True)
class PendingSignal:
    """A state that waits to be told something of this name, at the latest until the moment `until`."""

    node: str
    name: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Description:
    """`turns` is the number of the last turn; `bytes` are read to load the book: its last snapshot and what is behind
    it, which stays in proportion to the state however long the book is."""

    summary: Summary
    state: State
    tasks: tuple[PendingTask, ...]
    timers: tuple[PendingTimer, ...]
    signals: tuple[PendingSignal, ...]
    turns: int
    bytes: int


async def describe(engine: Engine, workspace: str, execution: str) -> Description:
    """Raises `NotFound`."""
    summary = await engine.summaries.get(workspace, execution)
    book = await engine.books.load(workspace, execution)
    if summary is None or book is None:
        raise NotFound("execution", execution)
    state = book.state
    program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
    tasks = tuple(_tasks(engine, program, execution, state))
    size = book.snapshot + book.weight
    return Description(summary, state, tasks, tuple(_timers(state)), tuple(_signals(state)), book.number, size)


@dataclass(frozen=True, slots=True)
class Answer:
    """`variables` are those of the whole execution, `nodes` the outputs of the nodes that are done, as the expressions
    of a graph see them; inside containers and branches are others."""

    status: str
    input: Json
    output: Json
    variables: Mapping[str, Json]
    nodes: Mapping[str, Json]
    running: tuple[str, ...]


async def query(engine: Engine, workspace: str, execution: str) -> Answer:
    """The data of an execution, open or closed (of a closed one only what it ended with). Raises `NotFound`."""
    book = await engine.books.load(workspace, execution)
    if book is None:
        raise NotFound("execution", execution)
    state, root = book.state, book.state.scopes.get(0)
    work = root.composite if root is not None else None
    nodes = dict(work.results) if isinstance(work, Nodes) else {}
    running = tuple(scope.state for scope in state.scopes.values() if scope.composite is None and scope.state)
    variables = {} if root is None else dict(root.variables)
    return Answer(state.status, state.input, state.output, variables, nodes, running)


def _tasks(engine: Engine, program: Program, execution: str, state: State) -> Iterator[PendingTask]:
    for scope in state.scopes.values():
        task = scope.task
        if task is not None:
            where = "outside" if task.submitted else _place(engine, run_task(program, state, scope))
            yield PendingTask(
                scope.state,
                task.task,
                task.attempt,
                task.scheduled,
                task.pattern,
                where,
                task.deadline,
                task.beat,
                task.started,
                _child(execution, task),
                scope.last_failure,
            )


def _place(engine: Engine, task: RunTask) -> str:
    return place(task, engine.limits.visit, engine.nodes)


def _child(execution: str, task: OpenTask) -> str | None:
    return children.child_id(execution, task.task) if task.submitted and task.pattern == "sync" else None


def _signals(state: State) -> Iterator[PendingSignal]:
    for scope in state.scopes.values():
        if scope.wanted is not None:
            yield PendingSignal(scope.state, scope.wanted.name, scope.due)


def _timers(state: State) -> Iterator[PendingTimer]:
    kinds = {"wait": "wait", "backoff": "retry", "delayed": "start"}
    for scope in state.scopes.values():
        if scope.due is not None and scope.phase in kinds:
            yield PendingTimer(kinds[scope.phase], scope.state, scope.due)
    if not state.closed and state.deadline is not None:
        yield PendingTimer("deadline", "", state.deadline)
    if not state.closed and state.clean_up is not None:
        yield PendingTimer("clean_up", "", state.clean_up)
