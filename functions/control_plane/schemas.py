"""What callers get about the installation's health."""

from typing import Literal

from linkflow.runtime.routes import Schema


class PartView(Schema):
    """`advice` says what to do when the part is not well."""

    part: str
    status: Literal["ok", "failing"]
    latency_ms: float
    advice: str = ""


class HealthView(Schema):
    status: Literal["ok", "failing"]
    parts: list[PartView]
