from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from linkflow.errors import Fault
from linkflow.language.json import Json
from linkflow.nodes.base import TriggerNode
from linkflow.nodes.filters import FILTER, NO_FILTER, filter_faults


class EventTrigger(TriggerNode):
    """Starts the workflow when an event (`POST /api/v1/events`) of that type is published; the event, a CloudEvent, is
    the output. `filter` looks at `event` (`id`, `source`, `subject`, `data`, …) alone. An event that is published again
    within a day (the same `id` and `source`) starts nothing again."""

    type: ClassVar[str] = "event"
    fixed: ClassVar[frozenset[str]] = frozenset({"type"})
    late: ClassVar[frozenset[str]] = frozenset({FILTER})

    event_type: str = Field(alias="type", min_length=1, max_length=200, title="Type", description="Of the event.")
    filter: str | None = Field(default=None, title="Filter", description=NO_FILTER)

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Sequence[Fault]:
        return [*super().faults(config), *filter_faults(config, "event.data.total > 100")]
