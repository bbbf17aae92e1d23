"""What callers send and get about limits."""

from pydantic import Field

from linkflow.runtime.routes import Schema


class SetLimit(Schema):
    """At most `at_once` calls (or leases) under way; at most `limit` begun in `per_seconds`. Or: a node type is
    `isolated`."""

    at_once: int | None = Field(None, ge=1, le=1_000)
    limit: int | None = Field(None, ge=1, le=1_000_000)
    per_seconds: float = Field(1.0, gt=0, le=86_400)
    isolated: bool = False


class LimitView(SetLimit):
    """`in_use`: slots held at present, or reserved by processes for their next call."""

    name: str
    in_use: int = 0


class LimitList(Schema):
    data: list[LimitView]
