from datetime import UTC, datetime
from typing import ClassVar, Self

from pydantic import AwareDatetime, Field, model_validator

from linkflow.language.graph.export.expressions import expression, query, rendered
from linkflow.language.graph.export.port import LONGEST, Port, States
from linkflow.language.graph.template import has_expression
from linkflow.language.json import Json
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

    @classmethod
    def exported(cls, port: Port) -> States:
        return {port.name(): {"Type": "Wait", **cls._exported_moment(port), **port.left(port.input_query)}}

    @classmethod
    def _exported_moment(cls, port: Port) -> dict[str, Json]:
        match port.node.config:
            case {"seconds": str() as computed} if has_expression(computed):
                port.warn("rounded_time", "What the expression gives is rounded up to whole seconds.", "config.seconds")
                return {"Seconds": query(f"$ceil($number({expression(computed)}))")}
            case {"until": str() as computed} if has_expression(computed):
                port.warn("error_name", "What is no moment fails with States.QueryEvaluationError.", "config.until")
                return {"Timestamp": rendered(computed)}
        node = cls.model_validate(port.node.config)
        if node.until is None:
            return {"Seconds": port.seconds(node.seconds or 0.0, "config.seconds", 0, LONGEST)}
        return {"Timestamp": node.until.astimezone(UTC).isoformat().replace("+00:00", "Z")}
