"""What the engine's verbs stand on: ports, stores and the catalogue, put together once by the wiring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from linkflow.engine.bells import Bells
from linkflow.engine.closings import Closings
from linkflow.engine.letters import Letters
from linkflow.engine.origins import Origins
from linkflow.engine.programs import Programs
from linkflow.engine.rules import Rules
from linkflow.engine.share import Share
from linkflow.engine.switchboard import Switchboard
from linkflow.engine.turns import Turns
from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskFailed, TaskPostponed, TaskSubmitted, TaskSucceeded, TaskTimedOut
from linkflow.language.json import Json
from linkflow.nodes.base import BaseNode
from linkflow.ports import Blobs, Clock, Http, Ids, KeyRing, Queue, Table
from linkflow.search import Catalogue
from linkflow.stores.approvals import Approvals
from linkflow.stores.books import Books
from linkflow.stores.callbacks import Callbacks, Deliveries
from linkflow.stores.catalogue import ScanningCatalogue
from linkflow.stores.controls import ControlStore
from linkflow.stores.dead_letters import DeadLetters
from linkflow.stores.files import Files
from linkflow.stores.leases import Leases
from linkflow.stores.limits import LimitItems
from linkflow.stores.operations import Operations
from linkflow.stores.records import Workflow
from linkflow.stores.rules import RuleItems
from linkflow.stores.schedules import Schedules
from linkflow.stores.subscriptions import Subscriptions
from linkflow.stores.summaries import Summaries
from linkflow.stores.workflows import Workflows


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations in seconds.

    `visit`: how long one visit may drive one execution (None: the process stays, so as long as it takes).
    `linger`: a moment this near is waited for inside the visit. `notice`: how often a visit that waits for tasks looks
    for news others wrote. `long_task`: a task running longer is recorded as started, so that people see it."""

    visit: float | None = None
    linger: float = 0.5
    notice: float = 1.0
    long_task: float = 1.0


class Call(msgspec.Struct, frozen=True):
    """A task of an execution, for whoever carries it out."""

    workspace: str
    execution: str
    task: RunTask


Told = TaskSucceeded | TaskFailed | TaskTimedOut | TaskSubmitted | TaskPostponed
"""What is said of a task that was carried out. `TaskSubmitted`: the request was made, the outcome follows.
`TaskPostponed`: a limit did not let it begin."""


class Integration(Protocol):
    """Carries out the tasks of one resource that is no node. Raises `NodeFailed`."""

    async def __call__(self, engine: "Engine", call: Call, /) -> Told: ...


class Integrations(Protocol):
    """Who carries out a resource, named without its pattern (`.sync`, `.waitForTaskToken`)."""

    def get(self, resource: str, /) -> Integration | None: ...


class Sign(Protocol):
    """The headers that prove who sent a body."""

    def __call__(self, secret: str, body: bytes, now: float, /) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What the platform's own processes need: their definitions by name, and how callbacks are signed (with the
    installation's `secret` where one has none of its own). `installed` are the machines this process has seen to."""

    machines: Callable[[str], Json]
    keyring: KeyRing
    sign: Sign
    secret: str
    installed: dict[str, Workflow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Engine:
    table: Table
    queue: Queue
    blobs: Blobs
    clock: Clock
    ids: Ids
    http: Http
    nodes: Mapping[str, type[BaseNode]]
    integrations: Integrations
    books: Books
    summaries: Summaries
    files: Files
    workflows: Workflows
    approvals: Approvals
    subscriptions: Subscriptions
    schedules: Schedules
    programs: Programs
    leases: Leases
    switchboard: Switchboard
    callbacks: Callbacks
    deliveries: Deliveries
    operations: Operations
    platform: Platform
    limit_items: LimitItems
    dead_letters: DeadLetters
    rule_items: RuleItems
    rules: Rules
    process: str
    """What this process is called where it holds something."""
    shares: dict[str, Share] = field(default_factory=dict)
    bells: Bells = field(default_factory=Bells)
    turns: Turns = field(default_factory=Turns)
    closings: Closings = field(default_factory=Closings)
    letters: Letters = field(default_factory=Letters)
    origins: Origins = field(default_factory=Origins)
    limits: Limits = field(default_factory=Limits)


def build(
    table: Table,
    queue: Queue,
    blobs: Blobs,
    clock: Clock,
    ids: Ids,
    http: Http,
    nodes: Mapping[str, type[BaseNode]],
    integrations: Integrations,
    limits: Limits,
    platform: Platform,
    catalogue: Catalogue | None = None,
    address: str = "",
) -> Engine:
    """The engine over a set of ports, reached from outside at `address`. Without a catalogue of its own, the table is
    read to find executions."""
    workflows = Workflows(table)
    return Engine(
        table,
        queue,
        blobs,
        clock,
        ids,
        http,
        nodes,
        integrations,
        Books(table, blobs),
        Summaries(table, catalogue or ScanningCatalogue(table)),
        Files(table, blobs),
        workflows,
        Approvals(table),
        Subscriptions(table),
        Schedules(table),
        Programs(workflows, nodes, address),
        Leases(table),
        Switchboard(ControlStore(table), clock),
        Callbacks(table, clock),
        Deliveries(table),
        Operations(table),
        platform,
        LimitItems(table),
        DeadLetters(table),
        RuleItems(table),
        Rules(RuleItems(table), clock),
        f"process {ids.secret()[:16]}",
        limits=limits,
    )
