"""The state of one execution: a tree of scopes, held flat by number.

A scope is a running machine. It stands in one state; when that state is a Parallel, a Map or a Graph, the scope holds
a `composite` whose children are scopes of their own. `phase` says what the scope waits for:

    (delayed ──▶)
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

from linkflow.execution.events import Names, Parent, Part, ResetOf, Value
from linkflow.language.json import Json

Phase = Literal[
    "delayed", "enter", "run", "task", "wait", "receive", "backoff", "composite", "finish", "failed", "ended"
]
_UNDECIDED: frozenset[Phase] = frozenset({"enter", "run", "composite", "finish", "failed", "ended"})
Status = Literal["running", "succeeded", "failed", "timed_out", "cancelled", "terminated", "continued"]


class Failure(msgspec.Struct, frozen=True):
    """Why a state failed. `retryable` False forbids retries that its definition would allow; `retry_after` (seconds)
    is the other side's wish for the pause; `composite` as in `StateFailed`. `node` is the innermost one that failed, at
    `path`; both are empty while it is the scope's own."""

    error: str | None
    cause: str | None
    retryable: bool = True
    retry_after: float | None = None
    composite: bool = False
    node: str = ""
    path: str = ""


class OpenTask(msgspec.Struct):
    """A task that is owed: scheduled and without an outcome."""

    task: int
    attempt: int
    arguments: Json
    scheduled: float = 0.0
    deadline: float | None = None
    heartbeat: float | None = None
    beat: float | None = None
    """The moment by which a sign of life is due."""
    pattern: str = "request"
    credentials: Json = None
    started: bool = False
    submitted: bool = False
    interruptions: int = 0
    postponed: float | None = None
    """The moment until which a limit makes it wait; `paid` as in `TaskPostponed`."""
    paid: str = ""


class Signal(msgspec.Struct, frozen=True):
    """A signal that nobody has taken yet."""

    name: str
    payload: Json
    id: str
    by: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """The signal a scope waits for, as in `SignalAwaited`."""

    name: str
    filter: str | None = None
    seen: dict[str, Json] = {}


class Branches(msgspec.Struct, tag=True):
    """A Parallel at work. `results` by branch."""

    width: int
    open: dict[int, int] = {}
    results: dict[int, Json] = {}
    failed: Failure | None = None


Stage = Literal["starting", "reading", "running", "writing"]


class Iterations(msgspec.Struct, tag=True):
    """A Map at work: `open` maps an index to its scope, `next` is the first index not begun.

    A distributed Map goes through all stages: its run is yet to start; a task reads its items; it runs; tasks write
    its results (`written` of them are). One that is wide is `dealt` to child executions, so many items to each: then
    `open` holds scopes that stand for a part, by its first item. Every other Map only runs. `errors` keeps what failed
    where failures are tolerated."""

    items: list[Json]
    max_concurrency: int
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    distributed: bool = False
    keep_errors: bool = False
    stage: Stage = "running"
    run: str = ""
    max_items: int | None = None
    writer: Json = None
    written: int = 0
    dealt: int = 0
    open: dict[int, int] = {}
    results: dict[int, Json] = {}
    errors: dict[int, Failure] = {}
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
    that Step Functions' history would give to the current state's entry. `history` is the scope whose history tells of
    this one: the root, or the iteration of a distributed Map, which is an execution of its own there; `given` is the
    input of such an iteration. `steps` counts the states entered, `entries` those since it, or a scope inside it, last
    waited."""

    id: int
    parent: int | None
    key: int | str
    machine: str
    carry: Json = None
    history: int = 0
    given: Value = UNSET
    phase: Phase = "enter"
    next: str | None = None
    state: str = ""
    input: Json = None
    entered_at: float = 0.0
    entered_id: int = 0
    attempt: int = 0
    entries: int = 0
    steps: int = 0
    retries: dict[int, int] = {}
    task: OpenTask | None = None
    wanted: Wanted | None = None
    due: float | None = None
    result: Value = UNSET
    exit: str = "default"
    failure: Failure | None = None
    last_failure: Failure | None = None
    """What the attempt before failed with."""
    composite: Composite | None = None
    variables: dict[str, Json] = {}
    cleaning: bool = False
    """It caught the execution's being cancelled, so that it runs on to clean up."""


class Pause(msgspec.Struct, frozen=True):
    by: str
    reason: str
    since: float


class State(msgspec.Struct):
    """`histories` counts events as Step Functions' histories would, by the scope that has one; `moments` is a heap of
    (moment, scope) whose top is never outdated; `orphans` are tasks given up while a child execution worked on them,
    `unasked` those given up that waited for their token. `started_by` is who asked for the execution, if that is known;
    `errors` as in `ExecutionStarted`. `cancel` is why the execution is to end, `clean_up` the moment until which
    handlers may see to that. While it is `paused`, nothing follows from what is recorded. `successor` is the execution
    that goes on in its place.

    `mailbox` holds the signals that nobody has taken, `heard` the ids of the newest ones, taken or not; `receivers` are
    the scopes that wait for one, in the order in which they began to."""

    workspace: str = ""
    names: Names = Names("", "", "", "")
    version: int = 0
    program: str = ""
    trigger: str = "manual"
    start_at: str | None = None
    input: Json = None
    started_at: float = 0.0
    begins: float | None = None
    """The moment before which nothing was to happen."""
    deadline: float | None = None
    status: Status = "running"
    closed_at: float | None = None
    output: Json = None
    failure: Failure | None = None
    response: Json = None
    cancel: str | None = None
    cancel_request: str = ""
    clean_up: float | None = None
    paused: Pause | None = None
    successor: str | None = None
    newest: bool = False
    scopes: dict[int, Scope] = {}
    next_scope: int = 0
    next_task: int = 1
    agenda: list[int] = []
    moments: list[tuple[float, int]] = []
    histories: dict[int, int] = {}
    salt: str = ""
    parent: Parent | None = None
    part: Part | None = None
    orphans: list[int] = []
    unasked: list[int] = []
    started_by: str = ""
    reset_of: ResetOf | None = None
    continued_from: str | None = None
    chain: str | None = None
    mailbox: list[Signal] = []
    heard: dict[str, None] = {}
    receivers: list[int] = []
    priority: int = 0
    errors: int = 0
    queued: str | None = None
    """The limit that the execution waits for before it begins; `queued_until` as in `ExecutionQueued`."""
    queued_until: float | None = None
    admitted: bool = False
    held_until: float | None = None
    renewed: bool = False
    """Whether a visit must see to what is owed as if it were new: it was taken over from another execution's book, or
    the visit that was to send it died, and the next one found the execution paused."""

    @property
    def closed(self) -> bool:
        return self.status != "running"

    @property
    def fresh(self) -> bool:
        """Whether nothing has been entered yet."""
        root = self.scopes.get(0)
        return root is not None and not root.state

    def resume(self) -> None:
        """After reading a book: put on the agenda the scopes that may have something to decide. (A composite may have
        heard of a child since it decided last; if it has not, it decides nothing.)"""
        self.agenda = [scope.id for scope in self.scopes.values() if scope.phase in _UNDECIDED]
        if self.mailbox:
            self.agenda += self.receivers
