"""The facts of scopes: what state they are in, what they wait for, what opens inside them. Part of `events`, which has
the unions.
"""

from collections.abc import Mapping
from typing import final

from msgspec import UNSET

from linkflow.execution.lifecycle import Fact, Value
from linkflow.language.json import Json

# ---------------------------------------------------------------- scopes and states


@final
class ScopeOpened(Fact, frozen=True):
    """A branch, an iteration or a node began, in the composite state `parent` is in. Its first input is `input`, or
    comes from what `parent` holds: the outputs of the nodes `sources`, the item at index `key`, or the parent's input.
    """

    parent: int
    scope: int
    key: int | str
    input: Value = UNSET
    sources: tuple[str, ...] = ()
    gather: bool = False


@final
class StateEntered(Fact, frozen=True):
    scope: int
    state: str


@final
class StateExited(Fact, frozen=True):
    """The state is done and left for `next`; with None its machine is done, and left by `exit`.
    `output` is left out when it is the state's result (or, when there was none, its input)."""

    scope: int
    output: Value = UNSET
    next: str | None = None
    exit: str = "default"
    assigned: Mapping[str, Json] = {}


class StateFailed(Fact, frozen=True):
    """A state failed by itself (not its task). `location` names the field whose expression could not be evaluated;
    `composite`: it is a Parallel's or Map's own failure, which histories tell of when nothing retries it."""

    scope: int
    error: str | None
    cause: str | None
    location: str = ""
    composite: bool = False


class ScopeFailed(Fact, frozen=True):
    """Nobody in the scope mended the failure: its machine ended with it."""

    scope: int
    error: str | None
    cause: str | None


class ScopeCancelled(Fact, frozen=True):
    """The execution is being cancelled: whatever the scope was at was given up, and its state failed."""

    scope: int


class ScopeAborted(Fact, frozen=True):
    """A scope and all below it were given up, because a sibling failed or the execution was ended."""

    scope: int


class Responded(Fact, frozen=True):
    """A respond node gave the answer for whoever waits at the webhook: `{"status", "headers", "body"}`."""

    scope: int
    response: Json


# ---------------------------------------------------------------- waiting


class WaitStarted(Fact, frozen=True):
    scope: int
    until: float


class RetryScheduled(Fact, frozen=True):
    """The state runs again at `until`; `retrier` is the position of the rule that said so."""

    scope: int
    retrier: int
    until: float


class MomentReached(Fact, frozen=True):
    """The moment the scope waited for (a Wait's end, a retry's turn) has come."""

    scope: int


# ---------------------------------------------------------------- composites


class ParallelStarted(Fact, frozen=True):
    scope: int
    branches: int
    input: Value = UNSET


class MapStarted(Fact, frozen=True):
    """`items` is left out when they are the state's input. Limits are resolved numbers; those of a distributed Map,
    which are evaluated later, are in `MapRunStarted`."""

    scope: int
    length: int
    items: Value = UNSET
    max_concurrency: int = 0
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    distributed: bool = False
    keep_errors: bool = False


class MapRunStarted(Fact, frozen=True):
    """A distributed Map set out. `run` names it; `items` are given when they were batched, `reading` means that a task
    will bring them. `arguments` are the writer's, `max_items` bounds what is read."""

    scope: int
    run: str
    items: Value = UNSET
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    reading: bool = False
    max_items: int | None = None
    writer: Json = None
    dealt: int = 0
    """How many items each child execution works on; 0: the iterations are scopes of this one."""


class ItemsRead(Fact, frozen=True):
    """The reader's answer became items (batched, if the Map says so)."""

    scope: int
    items: list[Json]
    dealt: int = 0


@final
class GraphStarted(Fact, frozen=True):
    """`repeats`: it may be gone through again, and counts how often it was."""

    scope: int
    nodes: int
    repeats: bool = False


class NodeSkipped(Fact, frozen=True):
    """No live edge led to the node. `scope` is the graph's."""

    scope: int
    node: str


@final
class CompositeFinished(Fact, frozen=True):
    """Every branch, iteration or node is settled. The result is the list of what they made, or `result` where a Map's
    results were written elsewhere; of a graph, the output of the node in `last`, or an object of them when there are
    several."""

    scope: int
    last: tuple[str, ...] = ()
    result: Value = UNSET
