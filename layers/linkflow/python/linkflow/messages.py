"""What travels on queues, and the queues. Services know each other by this page only.

Every message may come twice, late or not at all. `Wake` and `Alarm` are hints: they make somebody look at the book,
which alone knows. What somebody has to tell an execution is written into its book first (`engine/news.py`).
"""

import zlib
from base64 import b64decode, b64encode
from typing import Annotated

import msgspec

from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskFailed, TaskPostponed, TaskSubmitted, TaskSucceeded, TaskTimedOut
from linkflow.ports import QueueSpec

LANE = QueueSpec("lane", fifo=True, visibility=15, max_receives=20, fair=True)
"""The per-execution line: group = execution id, so that one visit at a time drives an execution."""
TASKS = QueueSpec("tasks", visibility=120, max_receives=4, fair=True)
"""Tasks that do not run inside the visit."""
TIMERS = QueueSpec("timers", visibility=30, max_receives=8)
"""Delayed alarms of up to fifteen minutes."""

CLOSED = QueueSpec("closed", visibility=60, max_receives=20)
"""Executions that are over, where somebody else than its visit has to be told of it."""
CALLBACKS = QueueSpec("callbacks", visibility=60, max_receives=20)
"""What callbacks are to be told of executions that go on."""

TASKS_ISOLATED = QueueSpec("tasks-isolated", visibility=120, max_receives=4, fair=True)
"""Tasks that run where no table, key or secret is."""
OUTCOMES = QueueSpec("outcomes", visibility=60, max_receives=8)
"""What the isolated workers have to say: they can write nowhere else."""

QUEUES = (LANE, TASKS, TASKS_ISOLATED, OUTCOMES, TIMERS, CLOSED, CALLBACKS)

LARGEST_BODY = 240_000
"""Bytes of a message, with room to spare below what SQS takes (262,144)."""
LARGEST_CONTENT = 16_000_000
"""Bytes of what messages carry, compressed or in pieces."""
MOST_PIECES = 100
"""So many messages carry the largest content, even one that no compression makes small."""


class Wake(msgspec.Struct, frozen=True, tag="wake", omit_defaults=True):
    """Look at this execution. `handed_over`: the visit before was ended in order, with tasks still running. `opens`: it
    was sent while the execution was being opened, which may not be there yet."""

    workspace: str
    execution: str
    handed_over: bool = False
    opens: bool = False


class TaskMessage(msgspec.Struct, frozen=True, tag="task"):
    """Run this task and bring its outcome back through the lane."""

    workspace: str
    execution: str
    task: RunTask
    bare: bool = False
    """Without its arguments, which were too large: they are in the book."""


class IsolatedTask(msgspec.Struct, frozen=True, tag="isolated"):
    """Run this task, and send its outcome to `OUTCOMES`, with the token that came with it."""

    workspace: str
    execution: str
    task: RunTask
    token: str


Ended = TaskSucceeded | TaskFailed | TaskTimedOut | TaskSubmitted | TaskPostponed


class Outcome(msgspec.Struct, frozen=True, tag="outcome"):
    """How an isolated task ended. Nothing that comes from where untrusted code runs is believed but of the one task
    that `token` is for."""

    token: str
    ended: Ended


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """A piece of an `Outcome` that is too large for one message: number `number` (from 0) of `of`, of the text that has
    this name."""

    token: str
    name: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    number: Annotated[int, msgspec.Meta(ge=0, lt=MOST_PIECES)]
    of: Annotated[int, msgspec.Meta(ge=1, le=MOST_PIECES)]
    text: str

    def __post_init__(self) -> None:
        if self.number >= self.of:
            raise ValueError(f"There is no piece {self.number} of {self.of}.")


class Alarm(msgspec.Struct, frozen=True, tag="alarm"):
    """At the moment `at` (seconds since 1970) something of this execution is due."""

    workspace: str
    execution: str
    at: float


class Due(msgspec.Struct, frozen=True, tag="due"):
    """Look at this schedule: something of it may have to fire now."""

    workspace: str
    schedule: str


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """This execution is over."""

    workspace: str
    execution: str


class Notice(msgspec.Struct, frozen=True, tag="notice", omit_defaults=True):
    """Tell the callbacks that want to know: this execution `started`, or is `waiting` in `node`, perhaps `until` a
    moment. `what` makes it one notice however often it comes."""

    workspace: str
    execution: str
    event: str
    at: float
    what: str = ""
    node: str = ""
    until: float | None = None


class Release(msgspec.Struct, frozen=True, tag="release"):
    """A hold ended: wake the open executions of a workflow, a workspace or (empty) all, a page of one shard each."""

    workspace: str
    workflow: str
    shard: int
    cursor: str | None = None


class Spread(msgspec.Struct, frozen=True, tag="spread"):
    """Tell a published event, by its name, to a page of those who subscribed."""

    workspace: str
    event: str
    cursor: str | None = None


Timer = Alarm | Due | Release | Spread
"""What stands in the queue `timers`."""


def packed(content: bytes) -> bytes:
    """A body as it is, or compressed where it is large; always text."""
    return content if len(content) <= LARGEST_BODY else b"z" + b64encode(zlib.compress(content, 6))


def unpacked(body: bytes) -> bytes:
    """Raises `ValueError` for what is no body, or one of more than `LARGEST_CONTENT` bytes."""
    if body[:1] != b"z":
        return body
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(b64decode(body[1:]), LARGEST_CONTENT)
    except zlib.error as error:
        raise ValueError("This is no compressed body.") from error
    if not reader.eof:
        raise ValueError(f"This body is cut off, or holds more than {LARGEST_CONTENT:,} bytes.")
    return content
