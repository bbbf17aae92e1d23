"""A definition compiled once: what the core executes. Both dialects end here, so there is one interpreter.

    Program ── root Machine ── states: Pass Choice Wait Succeed Fail Task Receive Node Parallel Map Graph
                                          Parallel has one Machine per branch, Map one for its items,
                                          Graph one (of a single state) per node

Everything is immutable, parsed and typed; an expression is an object that can be evaluated, never text. Machines have
an address (`""` the root, `/Fan/0` a branch, `/Each/*` a Map's processor, `/graph/fetch` a graph's node), by which a
stored state finds its machine again (`address_of`). What boxes are made of has rooms of its own: `flow` (how data goes
through them), `handlers` (who mends their failures), `items` (what stands around a Map's iterations).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, Protocol

import msgspec

from linkflow.language.flow import Condition, Expression, Flow, Moment
from linkflow.language.handlers import Catcher, Retrier
from linkflow.language.items import Batcher, Reader, Writer
from linkflow.language.json import Json
from linkflow.language.view import View

ITEM = "*"
"""The key under which a Map's processor is addressed: all iterations share one machine."""


@lru_cache(8_192)
def address_of(machine: str, state: str, key: int | str) -> str:
    """The address of the machine that runs under `key` while `machine` stands in `state`. A slash in a name is
    escaped as in a JSON pointer (RFC 6901), so that no two machines share an address."""
    return f"{machine}/{_escaped(state)}/{_escaped(key) if isinstance(key, str) else key}"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1") if "/" in name or "~" in name else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What every state has: its name, how data flows, and where it goes next (None: the machine ends)."""

    name: str
    flow: Flow
    next: str | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Box):
    """Input to output; `flow` holds what happens on the way (Result included)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One arm of a Choice: when `condition` is true, shape the output with `flow` and go to `next`."""

    condition: Condition
    next: str
    flow: Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Box):
    rules: tuple[Rule, ...]
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Box):
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(Box):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Box):
    error: Expression | None
    cause: Expression | None


Durability = Literal["step", "group", "end"]
"""When an outcome is in the book: before anything follows from it, with some others, or when the execution waits or
ends."""

Pattern = Literal["request", "sync", "token", "activity"]
"""How a Task ends: with its answer, when the job it started is done (`.sync`), when its token comes back, or when a
remote worker that polls for it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Box):
    """Needs a worker. `resource` names a node type (`linkflow:http_request`) or a service integration (an ARN)."""

    resource: str
    pattern: Pattern = "request"
    timeout: Expression | None = None
    heartbeat: Expression | None = None
    credentials: Expression | None = None
    default_timeout: float | None = None
    durability: Durability | None = None
    """Of its outcome; None: as the workflow says."""
    at_most_once: bool = False
    isolated: bool = False
    """Whether it runs where no table, key or secret is."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How tasks of a node type run wherever they stand, as in `Task`."""

    at_most_once: bool = False
    isolated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive(Box):
    """Waits for a signal. What it works on says for which: its `name`, and perhaps a `filter` over `signal` and over
    what stands in `with`."""

    timeout: Expression | None = None
    default_timeout: float | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What a pure node says: its output and the exit it leaves by, and the answer to a waiting webhook, if any."""

    output: Json
    exit: str = "default"
    response: Json | None = None


class Evaluation(Protocol):
    """A pure node's verb. Raises `EvaluationFailed`."""

    def __call__(self, config: Json, view: View, /) -> Outcome: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Box):
    """A pure graph node: evaluated inside the turn."""

    type: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Box):
    branches: tuple["Machine", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(Box):
    """One machine over many items. `items` gives the list; `selector` what an iteration receives (None: the item)."""

    processor: "Machine"
    items: Expression
    selector: Expression | None = None
    max_concurrency: Expression | None = None
    tolerated_count: Expression | None = None
    tolerated_percentage: Expression | None = None
    batcher: Batcher | None = None
    reader: Reader | None = None
    writer: Writer | None = None
    distributed: bool = False
    keep_errors: bool = False
    """Whether a tolerated failure leaves `{"error": …}` in the place of a result (graphs), or nothing."""
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` waits for `source`; live when the source left by `branch`."""

    source: str
    target: str
    branch: str = "default"


@dataclass(frozen=True, slots=True)
class Join:
    """How many live incoming edges a node waits for. None: all edges must be settled and at least one be live.
    With `gather` the node receives an object of its live predecessors' outputs even when there is only one."""

    quorum: int | None = None
    gather: bool = False


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node in its graph: the machine of its single state, the edges behind and before it. A `trigger`
    runs only when the execution started from it."""

    machine: "Machine"
    incoming: tuple[Edge, ...] = ()
    outgoing: tuple[Edge, ...] = ()
    join: Join = Join()
    trigger: bool = False


PASSES: Final = "passes"
"""The variable that says how often a graph was gone through. It has its own from the first pass, which hides that of a
graph around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph(Box):
    """Nodes that run when their incoming edges are settled; our extension of the States Language.

    `nodes` stands in the order of the definition, which is also the order in which ready nodes start. When all are
    settled and `again` holds, the state is entered once more, with what it made."""

    nodes: Mapping[str, GraphNode]
    again: Condition | None = None


State = Pass | Choice | Wait | Succeed | Fail | Task | Receive | Node | Parallel | Map | Graph


@dataclass(frozen=True, slots=True)
class Machine:
    address: str
    start_at: str
    states: Mapping[str, State]


WhenFull = Literal["queue", "skip", "cancel_oldest", "fail"]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` executions of the workflow, for each value of `key`: at once, or begun within `seconds`."""

    name: str
    most: int
    seconds: float | None = None
    key: Expression | None = None
    when_full: WhenFull = "queue"


@dataclass(frozen=True, slots=True)
class Program:
    """`hash` is of the definition's canonical text; `timeout` bounds an execution, in seconds."""

    hash: str
    dialect: Literal["asl", "graph"]
    root: Machine
    machines: Mapping[str, Machine]
    timeout: float | None = None
    clean_up: float = 60.0
    """Seconds that handlers may take when an execution is cancelled."""
    durability: Durability = "step"
    group_steps: int = 10
    group_seconds: float = 0.1
    """A group is put after so many outcomes, or so long after its first."""
    manual_start: str | None = None
    """The trigger node that a start by hand begins at (graphs)."""
    triggers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The trigger nodes that may start it, by type (graphs)."""
    error_workflow: str | None = None
    """Id or name of the workflow that is started when an execution fails."""
    callers: tuple[str, ...] | None = None
    """Ids and names of the workflows that may start it as a part of them; None: all."""
    callbacks: frozenset[str] = frozenset()
    """Of which events its own callbacks are told."""
    limits: tuple[Limit, ...] = ()
    """What its executions wait for before they begin: rates first, then slots."""
    address: str = ""
    """Where this installation is reached from outside: what links begin with."""
