"""From where an execution is taken up again, and what becomes of it: as both doors are told, and tell."""

from typing import Literal

from pydantic import Field

from linkflow.runtime.routes import Schema


class ResetPoint(Schema):
    """Behind event `index` of turn `turn` (all of it unless told), or before the last entry into `node`; by the `same`
    version, or the `newest` if that would have gone the same way."""

    turn: int | None = Field(None, ge=0)
    index: int | None = Field(None, ge=0)
    node: str | None = Field(None, min_length=1, max_length=80)
    version: Literal["same", "newest"] = "same"


class ResetView(Schema):
    """The execution that goes on instead."""

    id: str
    url: str
