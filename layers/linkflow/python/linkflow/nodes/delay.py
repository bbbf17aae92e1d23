from datetime import datetime
from typing import ClassVar, Self

from pydantic import AwareDatetime, Field, model_validator

from linkflow.nodes.base import WaitNode


class Delay(WaitNode):
    """Waits for a time, or until a moment; the input goes on unchanged. Waiting costs nothing, for years if need be."""

    type: ClassVar[str] = "delay"

    seconds: float | None = Field(default=None, ge=0, le=3_155_760_000, title="Seconds")
    until: AwareDatetime | None = Field(default=None, title="Until", description="RFC 3339, with an offset or Z.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.seconds is None) == (self.until is None):
            raise ValueError("Give either 'seconds' or 'until'.")
        return self

    def moment(self, now: float) -> float:
        if isinstance(self.until, datetime):
            return self.until.timestamp()
        return now + (self.seconds or 0.0)
