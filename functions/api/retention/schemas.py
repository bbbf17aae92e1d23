"""How long executions are kept, as callers say it."""

from typing import Annotated

from pydantic import Field

from linkflow.runtime.routes import Schema

LONGEST = 36_500
Days = Annotated[int, Field(ge=0, le=LONGEST)]


class RetentionView(Schema):
    """After `days` a closed execution leaves the lists (`workflows`: by workflow id, where that differs); 0: never.
    With `archive` its book moves to the archive, for `archive_days` (0: for ever), and is read there as before; without
    it is gone."""

    days: Days = 30
    archive: bool = True
    archive_days: Days = 0
    workflows: dict[str, Days] = Field(default_factory=dict, max_length=1_000)
