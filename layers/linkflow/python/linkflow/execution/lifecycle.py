"""The facts of an execution as a whole: its opening, what people wish of it, its end. Part of `events`, which has the
unions.
"""

from typing import final

import msgspec
from msgspec import UnsetType

from linkflow.language.json import Json

Value = Json | UnsetType


class Fact(msgspec.Struct, frozen=True, tag_field="e", tag=True, omit_defaults=True):
    """The shape all events share: a small record, tagged by its name."""


class Names(msgspec.Struct, frozen=True, omit_defaults=True):
    """Under which names the execution goes, as the context object shows them."""

    execution_id: str
    execution: str
    workflow_id: str
    workflow: str
    role: str | None = None
    redrive_count: int | None = 0
    """None for an execution that is never driven again (synchronous ones)."""


# ---------------------------------------------------------------- the execution


class Parent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The task that waits for this execution, and the form in which it wants the result: the bare `output`, or Step
    Functions' description of the execution with its output as `text` or as `json`. `depth`: 1 is a child of an
    execution that nobody waits for. `on_close`: what becomes of the child when nobody waits for it any more (`cancel`,
    `terminate`, `detach`)."""

    execution: str
    scope: int
    task: int
    form: str = "output"
    depth: int = 1
    on_close: str = "cancel"


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an execution does that works on a part of a wide Map: the iterations over its input, which are the items
    from number `first` on, of the Map `state` in the machine at `machine`. `inputs` are what they receive instead."""

    machine: str
    state: str
    first: int
    max_concurrency: int = 0
    inputs: list[Json] | None = None


class ResetOf(msgspec.Struct, frozen=True, omit_defaults=True):
    """From where an execution was taken up again: what `execution` had recorded up to the event `index` of turn `turn`,
    that one included, is the beginning of this one's book."""

    execution: str
    turn: int
    index: int


@final
class ExecutionStarted(Fact, frozen=True):
    input: Json
    names: Names
    workspace: str
    version: int
    program: str
    """Content hash of the definition."""
    trigger: str = "manual"
    start_at: str | None = None
    """The trigger node the execution starts from (graphs); other triggers are skipped."""
    deadline: float | None = None
    salt: str = ""
    """Unguessable text that goes into the task tokens."""
    parent: Parent | None = None
    part: Part | None = None
    by: str = ""
    """Who asked for it, if that is known."""
    begins: float | None = None
    """The moment before which nothing happens."""
    reset_of: ResetOf | None = None
    continued_from: str | None = None
    """The execution that ended itself for this one to go on."""
    held_until: float | None = None
    """Until then whoever started it drives it, and nobody else does."""
    chain: str | None = None
    """The first of the executions that went on in one another; None for the first itself."""
    priority: int = 0
    """Of what waits for its turn, the higher comes first."""
    errors: int = 0
    """How many error workflows followed from one another until this was started."""


@final
class ExecutionSucceeded(Fact, frozen=True):
    """The root machine ended; its last output is the execution's."""


class ExecutionFailed(Fact, frozen=True):
    error: str | None
    cause: str | None


class ExecutionTimedOut(Fact, frozen=True):
    """The deadline passed while the execution was open."""


class ExecutionContinued(Fact, frozen=True):
    """The execution ended itself; another one, `successor`, begins again with `input`. `newest`: by the workflow's
    newest version instead of the same. `scope` is where it said so."""

    scope: int
    successor: str
    input: Json = None
    newest: bool = False


class ExecutionTerminated(Fact, frozen=True):
    """Somebody ended the execution at once: nothing of it runs any more. `by` names who; `reset_to` is the execution
    that took its place, if one did."""

    by: str
    reason: str = ""
    reset_to: str | None = None


class CancelRequested(Fact, frozen=True):
    """Somebody wants the execution to end. `by` names who; `request` tells the same wish, heard twice, from a second
    one, which ends clean-up at once."""

    by: str
    reason: str = ""
    request: str = ""


class CleanUpStarted(Fact, frozen=True):
    """The execution is being cancelled, and has handlers for that: they may run until the moment `until`."""

    until: float


class ExecutionCancelled(Fact, frozen=True):
    reason: str = ""


class HandedOver(Fact, frozen=True):
    """Whoever started the execution drives it no longer: the lane does."""


class PauseRequested(Fact, frozen=True):
    """From here on what is reported is recorded, and nothing follows from it until the execution is resumed."""

    by: str
    reason: str = ""


class ResumeRequested(Fact, frozen=True):
    by: str


class ExecutionReset(Fact, frozen=True):
    """The last of what was taken over from another execution: every open task is owed anew, with all its time."""
