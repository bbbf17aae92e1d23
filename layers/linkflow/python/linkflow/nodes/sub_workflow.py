from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.port import Port, States
from linkflow.language.json import Json
from linkflow.language.program import State, Task
from linkflow.nodes.base import RESOURCE, BaseNode


class SubWorkflow(BaseNode):
    """Starts another workflow and waits for its output, which is this node's. With `wait` off it goes on at once, and
    its output is `{"execution": id}`. If this execution ends first, the one it waits for is cancelled, unless
    `on_parent_close` says otherwise; one that it does not wait for goes on. A workflow may refuse to be called
    (`settings.callers`): the error is `LinkFlow.CallerRefused`."""

    type: ClassVar[str] = "sub_workflow"
    role: ClassVar[Role] = "task"
    fixed: ClassVar[frozenset[str]] = frozenset({"wait"})
    final: ClassVar[tuple[str, ...]] = ("LinkFlow.UnknownWorkflow", "LinkFlow.CallerRefused")

    workflow: str = Field(min_length=1, title="Workflow", description="Its id, or its name where only one has it.")
    input: Json = Field(default=None, title="Input", description="What the other workflow starts with.")
    wait: bool = Field(default=True, title="Wait", description="Wait for its result.")
    name: str | None = Field(default=None, min_length=1, max_length=200, title="Name", description="For people.")
    on_parent_close: Literal["cancel", "terminate", "detach"] | None = Field(
        default=None,
        title="When this execution ends first",
        description="What becomes of one that is waited for: it is cancelled, or terminated, or goes on alone.",
    )

    @model_validator(mode="after")
    def _is_waited_for(self) -> Self:
        if self.on_parent_close not in (None, "detach") and not self.wait:
            raise ValueError("One that is not waited for always goes on alone: leave 'on_parent_close' out.")
        return self

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Task(
            name=wiring.node.id,
            flow=wiring.flow,
            retry=wiring.retry,
            catch=wiring.catch,
            resource=RESOURCE + cls.type,
            pattern="sync" if wiring.node.config.get("wait", True) else "request",
            default_timeout=wiring.node.timeout,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        if not port.resource.startswith(RESOURCE):
            port.warn(
                "other_service", "Step Functions starts another machine by 'arn:aws:states:::states:startExecution'."
            )
        waits = ".sync" if port.node.config.get("wait", True) else ""
        return {port.name(): port.task(cls.type + waits, port.node.timeout, cls.final)}
