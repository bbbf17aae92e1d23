"""The events of waiting in line: for a limit, or for a remote worker."""

from linkflow.execution.lifecycle import Fact


class ExecutionQueued(Fact, frozen=True):
    """The execution waits for its turn under a limit of its workflow; `until` is the moment at which a rate lets it in,
    which is reserved for it."""

    limit: str
    until: float | None = None


class ExecutionAdmitted(Fact, frozen=True):
    """The limits of its workflow let the execution begin."""


class LeaseLapsed(Fact, frozen=True):
    """The remote worker that held the task's lease number `lease` (1 is the first) was not heard of in time; the task
    is offered again."""

    scope: int
    task: int
    lease: int


class TaskPostponed(Fact, frozen=True):
    """A limit of the host or credential that the task calls makes it wait until then, and its deadline moves along; or
    its execution was paused while it lay on a queue. `paid` names the rate limit in which its place at that moment is
    reserved."""

    scope: int
    task: int
    until: float
    paid: str = ""
