"""What the core wants done, imperative. A command follows from the state alone, so it is never stored: whoever takes
over an execution asks the state again what is owed (`owed`), with the same idempotency keys.
"""

import msgspec

from linkflow.language.json import Json


class RunTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """Run one attempt of one node or Task state. `deadline` is a moment, `timeout` the seconds
    from scheduling to it, `heartbeat` seconds between signs of life.

    `key` is the stable idempotency key towards the outside world: the same for every attempt and every repetition of
    this entry into this state, and for nothing else."""

    scope: int
    task: int
    attempt: int
    node: str
    resource: str
    arguments: Json
    key: str
    timeout: float | None = None
    deadline: float | None = None
    heartbeat: float | None = None
    at_most_once: bool = False
    started: bool = False
    pattern: str = "request"
    credentials: Json = None
    token: str | None = None
    """What whoever ends the task later must name."""
    scheduled: float = 0.0
    priority: int = 0
    isolated: bool = False
    """Whether the definition wants it to run where no table, key or secret is."""
    paid: str = ""
    """The rate limit in which its place is reserved already."""

    @property
    def name(self) -> tuple[str, int]:
        """What it is known by where its number may be another's: until it is in the book."""
        return self.key, self.attempt
