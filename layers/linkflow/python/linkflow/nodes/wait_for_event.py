from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from linkflow.errors import Fault
from linkflow.language.asl.waits import EVENT
from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.filters import with_filter
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.flow import FilterFlow
from linkflow.language.graph.template import sole_expression
from linkflow.language.json import Json
from linkflow.language.program import State, Task
from linkflow.nodes.base import BaseNode
from linkflow.nodes.filters import FILTER, NO_FILTER, filter_faults


class WaitForEvent(BaseNode):
    """Waits for an event (`POST /api/v1/events`) of that type; the event, a CloudEvent, is the output. `filter` looks
    at `event` (`id`, `source`, `subject`, `data`, …) besides all that other expressions do. Only events that are
    published after the wait began count, and one event ends every wait that it fits. After the node's `timeout` the
    error is `States.Timeout`; without one it waits for three years."""

    type: ClassVar[str] = "wait_for_event"
    role: ClassVar[Role] = "task"
    binds: ClassVar[frozenset[str]] = frozenset({"event"})
    late: ClassVar[frozenset[str]] = frozenset({FILTER})

    event_type: str = Field(alias="type", min_length=1, max_length=200, title="Type", description="Of the event.")
    filter: str | None = Field(default=None, title="Filter", description=NO_FILTER)

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Sequence[Fault]:
        return [*super().faults(config), *filter_faults(config, "event.data.order = nodes.create.id")]

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Task(
            name=wiring.node.id,
            flow=FilterFlow(wiring.flow.config, sole_expression(wiring.node.config.get(FILTER))),
            retry=wiring.retry,
            catch=wiring.catch,
            resource=EVENT,
            pattern="token",
            default_timeout=wiring.node.timeout,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        return {port.name(): with_filter(port, port.task(cls.type, port.node.timeout), EVENT)}
