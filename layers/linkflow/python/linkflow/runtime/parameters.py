"""Query parameters that mean the same on every route."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

LONGEST_WAIT = 300.0
"""Seconds a caller may ask us to wait for a result."""

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many; 50 unless told.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
WaitSeconds = Annotated[
    float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for the result before answering without it.")
]
After = Annotated[int, Query(ge=-1, description="Show what was recorded behind this turn.")]
Before = Annotated[int | None, Query(ge=0, description="Show what was recorded before this turn; with order=newest.")]
Order = Annotated[Literal["oldest", "newest"], Query(description="Which turns come first.")]
