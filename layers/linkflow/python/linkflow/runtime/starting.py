"""What callers may say of a start, the same at every door."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field, model_validator

from linkflow.engine.claims import KeyPolicy
from linkflow.engine.start import Start
from linkflow.runtime.routes import Schema
from linkflow.stores.records import Workflow

LATEST = 3_155_760_000.0
"""Seconds that a start may be put off: a hundred years."""


class StartOptions(Schema):
    """`input` is what the trigger hands to the workflow; `name` is for people. `business_key` is the caller's own name
    for it; under any `key_policy` but `allow`, no other open execution of the workflow started like that has it too.
    `delay` (seconds) or `start_at`: when it begins; until then it costs nothing. `timeout` (seconds, from then on) and
    `version` instead of the workflow's own."""

    input: Any = None
    name: str | None = Field(None, min_length=1, max_length=200)
    business_key: str = Field("", max_length=200)
    key_policy: KeyPolicy = "allow"
    tags: list[str] = Field(default_factory=list, max_length=50)
    attributes: dict[str, str | float | bool] = Field(default_factory=dict, max_length=50)
    priority: int = Field(0, ge=-100, le=100)
    delay: float | None = Field(None, ge=0, le=LATEST)
    start_at: AwareDatetime | None = None
    version: int | None = Field(None, ge=1)
    timeout: float | None = Field(None, gt=0, le=LATEST)

    @model_validator(mode="after")
    def fits(self) -> "StartOptions":
        if self.delay is not None and self.start_at is not None:
            raise ValueError("Say either 'delay' or 'start_at'.")
        if self.key_policy != "allow" and not self.business_key:
            raise ValueError(f"The key_policy '{self.key_policy}' needs a 'business_key'.")
        return self


def chosen(
    options: StartOptions,
    workflow: Workflow,
    trigger: str,
    node: str | None,
    key: str | None,
    now: float,
    by: str = "",
) -> Start:
    """The start that is asked for (by `by`), at the moment `now`, of `workflow` from its trigger `node`."""
    return Start(
        workflow,
        options.input,
        trigger,
        node,
        options.name,
        key,
        version=options.version,
        business_key=options.business_key,
        tags=tuple(options.tags),
        attributes=options.attributes,
        priority=options.priority,
        by=by,
        key_policy=options.key_policy,
        begins=_begins(options.delay, options.start_at, now),
        timeout=options.timeout,
    )


def _begins(delay: float | None, start_at: datetime | None, now: float) -> float | None:
    if start_at is not None:
        return start_at.timestamp()
    return now + delay if delay else None
