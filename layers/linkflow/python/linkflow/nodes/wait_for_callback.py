from typing import ClassVar

from pydantic import Field

from linkflow.language.asl.waits import CALLBACK
from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.port import Port, States
from linkflow.language.program import State, Task
from linkflow.nodes.base import BaseNode
from linkflow.nodes.http_request import HttpRequest

_NOTIFY = "A call that is made first; {{ callback.url }} in it is the address that ends the wait."


class WaitForCallback(BaseNode):
    """Waits until something is posted to an address made for this wait alone; what is posted is the output. `notify` is
    a call, as `http_request` makes it, that tells somebody the address: `{{ callback.url }}` (or the task's token,
    `{{ callback.token }}`) in it. Fails as that call would. The address is good once, and until the node's `timeout`,
    after which the error is `States.Timeout`."""

    type: ClassVar[str] = "wait_for_callback"
    role: ClassVar[Role] = "task"
    binds: ClassVar[frozenset[str]] = frozenset({"callback"})

    notify: HttpRequest | None = Field(default=None, title="Notify", description=_NOTIFY)

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Task(
            name=wiring.node.id,
            flow=wiring.flow,
            retry=wiring.retry,
            catch=wiring.catch,
            resource=CALLBACK,
            pattern="token",
            default_timeout=wiring.node.timeout,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        port.warn(
            "no_address", "A state machine has no 'callback.url': have '$states.context.Task.Token' sent instead."
        )
        sent = port.config.get("notify")
        state = port.task(cls.type, port.node.timeout)
        return {port.name(): {**state, "Arguments": {} if sent is None else {"notify": sent}}}
