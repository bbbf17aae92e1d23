from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from linkflow.errors import Fault
from linkflow.language.asl.waits import RECEIVE
from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.filters import with_filter
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.flow import FilterFlow
from linkflow.language.graph.template import sole_expression
from linkflow.language.json import Json
from linkflow.language.program import Receive, State
from linkflow.nodes.base import BaseNode
from linkflow.nodes.filters import FILTER, NO_FILTER, filter_faults


class WaitForSignal(BaseNode):
    """Waits until somebody tells this execution something: a signal of that name, sent before or after the wait began.
    Its payload is the output. `filter` looks at `signal` (`name`, `payload`, `id`, `by`) besides all that other
    expressions do; signals that it does not let pass are left for others. Each signal is taken once, the oldest first.
    After the node's `timeout` the error is `States.Timeout`; without one it waits for as long as it takes."""

    type: ClassVar[str] = "wait_for_signal"
    role: ClassVar[Role] = "wait"
    binds: ClassVar[frozenset[str]] = frozenset({"signal"})
    late: ClassVar[frozenset[str]] = frozenset({FILTER})

    name: str = Field(min_length=1, max_length=200, title="Name", description="Of the signal.")
    filter: str | None = Field(default=None, title="Filter", description=NO_FILTER)

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Sequence[Fault]:
        return [*super().faults(config), *filter_faults(config, "signal.payload.amount > 100")]

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Receive(
            name=wiring.node.id,
            flow=FilterFlow(wiring.flow.config, sole_expression(wiring.node.config.get(FILTER))),
            retry=wiring.retry,
            catch=wiring.catch,
            default_timeout=wiring.node.timeout,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        return {port.name(): with_filter(port, port.task(cls.type, port.node.timeout), RECEIVE)}
