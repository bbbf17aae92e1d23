from typing import ClassVar

from pydantic import Field

from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import State, Task
from linkflow.nodes.base import RESOURCE, BaseNode

DAY = 86_400.0


class RemoteTask(BaseNode):
    """A task for your own workers: one of them leases it over HTTP from the task queue `queue`, gets `payload`, and
    gives the output back. A worker that is not heard of for `heartbeat` seconds (or the time it asked for) loses its
    lease, and the task is offered again; after three lost leases it fails with `LinkFlow.Interrupted`, with
    `at_most_once` after the first. Without a timeout of the node a worker has a day."""

    type: ClassVar[str] = "remote_task"
    role: ClassVar[Role] = "task"

    queue: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$", title="Task queue")
    payload: Json = Field(default=None, title="Payload", description="What the worker is given.")
    heartbeat: float | None = Field(default=None, gt=0, le=DAY, title="Heartbeat", description="Seconds.")

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Task(
            name=wiring.node.id,
            flow=wiring.flow,
            retry=wiring.retry,
            catch=wiring.catch,
            resource=RESOURCE + cls.type,
            pattern="activity",
            default_timeout=wiring.node.timeout or DAY,
            at_most_once=wiring.node.at_most_once,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        if not port.resource.startswith(RESOURCE):
            port.warn("other_service", "Step Functions has activities for this: 'arn:aws:states:…:activity:NAME'.")
        return {port.name(): port.task(cls.type, port.node.timeout or DAY)}
