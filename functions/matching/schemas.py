"""What callers of the engine's door send and get about dead letters."""

from pydantic import Field

from linkflow.runtime.routes import Schema


class DeadLetterView(Schema):
    """A message that was given up. `about` says what it was; what users put in is not shown."""

    id: str
    queue: str
    reason: str
    died_at: str
    receives: int
    workspace: str
    execution: str
    about: str


class DeadLetterPage(Schema):
    data: list[DeadLetterView]
    next_cursor: str | None = None


class Which(Schema):
    """Which dead letters: those named, or all of the workspace (or of all of them), perhaps of one queue."""

    ids: list[str] | None = Field(None, max_length=1_000)
    queue: str | None = None
    everywhere: bool = Field(False, description="Not only those of the workspace that the call names.")


class Count(Schema):
    count: int
