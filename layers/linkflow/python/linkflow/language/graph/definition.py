"""The graph dialect as people send it: parsed once, at the edge, every fault found at once.

Source: LANGUAGE §2. Fields nobody knows are refused, so that a typing error never passes silently.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from linkflow.language.json import Json

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Retry(Part):
    """`max_attempts` counts every attempt, the first included. Times in seconds."""

    max_attempts: int = Field(3, ge=1, le=100)
    interval: float = Field(1.0, ge=0, le=86_400)
    backoff: float = Field(2.0, ge=1, le=100)
    max_interval: float = Field(300.0, gt=0, le=31_536_000)
    jitter: bool = True


class Position(Part):
    """Where the editor draws the node."""

    x: float
    y: float


class NodeDefinition(Part):
    """One box. `config` belongs to the node type; any text in it may hold `{{ expressions }}`. `at_most_once`: an
    attempt that was interrupted is an error instead of being run again. `isolated`: it runs where no table, key or
    secret is. `durability`: when its outcome is recorded, if not as the workflow says."""

    id: Identifier
    type: str = Field(min_length=1, max_length=64)
    name: str | None = Field(None, max_length=200)
    config: dict[str, Json] = Field(default_factory=dict)
    retry: Retry | None = None
    timeout: float | None = Field(None, gt=0, le=31_536_000)
    at_most_once: bool = False
    isolated: bool = False
    durability: Literal["step", "group", "end"] | None = None
    on_error: Literal["stop", "continue", "branch"] = "stop"
    disabled: bool = False
    position: Position | None = None
    notes: str | None = Field(None, max_length=10_000)


class EdgeDefinition(Part):
    source: str
    target: str
    branch: str = "default"


CallbackEvent = Literal["started", "completed", "failed", "waiting"]


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s{}]+", text):
        raise ValueError("Write the whole address, beginning with http:// or https://, and without expressions.")
    return text


CallbackUrl = Annotated[str, Field(max_length=2_000), AfterValidator(_address)]


class CallbackDefinition(Part):
    """An address that is told of the workflow's executions, by a signed POST."""

    url: CallbackUrl
    on: list[CallbackEvent] = Field(default_factory=lambda: list[CallbackEvent](["completed", "failed"]), min_length=1)


class Concurrency(Part):
    """At most `limit` executions at once, for each value of `key` (an expression over `trigger`) if there is one. When
    full, an execution waits for its turn, is skipped, fails, or the oldest one makes room."""

    limit: int = Field(ge=1, le=1_000)
    key: str | None = Field(None, min_length=1, max_length=2_000)
    when_full: Literal["queue", "skip", "cancel_oldest", "fail"] = "queue"


class Rate(Part):
    """At most `limit` executions begin in `per_seconds`, for each value of `key`."""

    limit: int = Field(ge=1, le=1_000_000)
    per_seconds: float = Field(gt=0, le=31_536_000)
    key: str | None = Field(None, min_length=1, max_length=2_000)
    when_full: Literal["queue", "skip", "fail"] = "queue"


class Bounds(Part):
    """How many executions may run at once, and how often one may begin."""

    concurrency: Concurrency | None = None
    rate: Rate | None = None


class Settings(Bounds):
    """`timeout` bounds a whole execution, `clean_up` what its handlers may do once it is cancelled, in seconds.
    `durability`: when outcomes are recorded: at each `step`, in a `group` of so many steps or seconds, or at the `end`.
    `error_workflow` (id or name) is started when an execution fails; `callers` (ids or names) are the workflows that
    may start this one as a part of them."""

    timeout: float | None = Field(None, gt=0, le=31_536_000)
    clean_up: float = Field(60.0, ge=0, le=86_400)
    durability: Literal["step", "group", "end"] = "step"
    group_steps: int = Field(10, ge=1, le=1_000)
    group_seconds: float = Field(0.1, gt=0, le=60)
    error_workflow: str | None = Field(None, min_length=1, max_length=200)
    callers: Literal["any", "none"] | list[str] = Field("any", max_length=1_000)
    callbacks: list[CallbackDefinition] = Field(default_factory=list, max_length=10)

    @field_validator("callers", mode="before")
    @classmethod
    def _callers(cls, given: Json) -> Json:
        listed = isinstance(given, list) and all(isinstance(one, str) for one in given)
        if not listed and given not in ("any", "none"):
            raise ValueError("Say 'any', 'none', or a list of workflows by their ids or names.")
        return given


class Body(Part):
    """A graph inside a node: what a `loop` does with each item, a `try` tries. It has no triggers."""

    nodes: list[NodeDefinition] = Field(min_length=1, max_length=2_000)
    edges: list[EdgeDefinition] = Field(default_factory=list, max_length=10_000)


class GraphDefinition(Body):
    """A whole workflow."""

    settings: Settings = Settings()
