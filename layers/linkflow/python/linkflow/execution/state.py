"""The state of one execution: a tree of scopes, held flat by number.

A scope is a running machine. It stands in one state; when that state is a Parallel, a Map or a Graph, the scope holds
a `composite` whose children are scopes of their own. `phase` says what the scope waits for:

    enter ──▶ run ──▶ task ────▶ finish ──▶ enter …      `agenda` holds the scopes that have something to decide:
               │  ├─▶ wait ─────▲                        those in enter, run, finish, failed, and composites of
               │  └─▶ composite ▲                        which a child was settled.
               └──▶ failed ──▶ backoff ──▶ run

The records are mutable and owned by whoever drives the execution: `evolve` writes into them, so that a turn costs the
same however large the tree is. On a conflict the state is thrown away and read again.
"""

from typing import Literal

import msgspec
from msgspec import UNSET

from linkflow.execution.events import Names, Value
from linkflow.language.json import Json

Phase = Literal["enter", "run", "task", "wait", "backoff", "composite", "finish", "failed", "ended"]
_UNDECIDED: frozenset[Phase] = frozenset({"enter", "run", "finish", "failed", "ended"})
Status = Literal["running", "succeeded", "failed", "timed_out", "cancelled"]


class Failure(msgspec.Struct, frozen=True):
    """Why a state failed. `retryable` False forbids retries that its definition would allow; `retry_after` (seconds)
    is the other side's wish for the pause."""

    error: str | None
    cause: str | None
    retryable: bool = True
    retry_after: float | None = None


class OpenTask(msgspec.Struct):
    """A task that is owed: scheduled and without an outcome."""

    task: int
    attempt: int
    arguments: Json
    scheduled: float = 0.0
    deadline: float | None = None
    heartbeat: float | None = None
    pattern: str = "request"
    started: bool = False
    interruptions: int = 0


class Branches(msgspec.Struct, tag=True):
    """A Parallel at work. `results` by branch."""

    width: int
    open: dict[int, int] = {}
    results: dict[int, Json] = {}
    failed: Failure | None = None


class Iterations(msgspec.Struct, tag=True):
    """A Map at work: `open` maps an index to its scope, `next` is the first index not begun."""

    items: list[Json]
    max_concurrency: int
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    distributed: bool = False
    open: dict[int, int] = {}
    results: dict[int, Json] = {}
    next: int = 0
    failures: int = 0
    failed: Failure | None = None


class Nodes(msgspec.Struct, tag=True):
    """A Graph at work. `exits` says by which exit a settled node left (None: skipped); `fresh` are the settled nodes
    whose edges nobody has looked at yet."""

    width: int
    open: dict[str, int] = {}
    results: dict[str, Json] = {}
    exits: dict[str, str | None] = {}
    fresh: list[str] = []
    begun: bool = False
    failed: Failure | None = None


Composite = Branches | Iterations | Nodes


class Scope(msgspec.Struct):
    """One running machine; see the module. `carry` is the value on its way into the next state, `entered_id` the number
    that Step Functions' history would give to the current state's entry."""

    id: int
    parent: int | None
    key: int | str
    machine: str
    carry: Json = None
    phase: Phase = "enter"
    next: str | None = None
    state: str = ""
    input: Json = None
    entered_at: float = 0.0
    entered_id: int = 0
    attempt: int = 0
    retries: dict[int, int] = {}
    task: OpenTask | None = None
    due: float | None = None
    result: Value = UNSET
    exit: str = "default"
    failure: Failure | None = None
    composite: Composite | None = None
    variables: dict[str, Json] = {}


class State(msgspec.Struct):
    """`history_id` counts events as Step Functions' history would; `moments` is a heap of (moment, scope) whose
    top is never outdated."""

    workspace: str = ""
    names: Names = Names("", "", "", "")
    version: int = 0
    program: str = ""
    trigger: str = "manual"
    start_at: str | None = None
    input: Json = None
    started_at: float = 0.0
    deadline: float | None = None
    status: Status = "running"
    closed_at: float | None = None
    output: Json = None
    failure: Failure | None = None
    response: Json = None
    cancel: str | None = None
    scopes: dict[int, Scope] = {}
    next_scope: int = 0
    next_task: int = 1
    agenda: list[int] = []
    moments: list[tuple[float, int]] = []
    history_id: int = 0

    @property
    def closed(self) -> bool:
        return self.status != "running"

    def resume(self) -> None:
        """After reading a book: put on the agenda exactly the scopes that were left with something to decide."""
        self.agenda = [scope.id for scope in self.scopes.values() if scope.phase in _UNDECIDED]
