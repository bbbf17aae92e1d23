from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

from pydantic import Field, model_validator

from linkflow.errors import Fault
from linkflow.language.asl.waits import APPROVAL
from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.export.expressions import query
from linkflow.language.graph.export.port import RESULT, Port, States
from linkflow.language.graph.flow import AskingFlow, ExpiredFlow, Seconds
from linkflow.language.graph.template import compile_template, has_expression
from linkflow.language.handlers import LONGEST_PAUSE, Catcher
from linkflow.language.json import Json
from linkflow.language.program import State, Task
from linkflow.language.schemas import schema_faults
from linkflow.nodes.base import BaseNode
from linkflow.nodes.http_request import HttpRequest

MOST_PEOPLE = 50
NOTIFY, EXPIRES, FORM = "notify", "expires_in", "form"
_NOTIFY = "A call for each assignee (or one), made first; {{ approval.url }} in it is the address to decide at."
_ASSIGNEES = "Who may decide, by user id, or by any name (an e-mail address): such people decide by their links."


class Approval(BaseNode):
    """Asks people, and leaves by `approved`, `rejected` or `expired`. They decide over the API or by a link;
    `required` of them must approve, each counts once, and it is rejected as soon as that cannot happen any more. Who
    started the execution may not decide, unless `allow_self`. `form` is a JSON Schema for what goes with an approval.

    `notify` is a call, as `http_request` makes it, that tells people: `{{ approval.url }}` and
    `{{ approval.assignee }}` in it. Output: `{"decision", "decisions": [{"by", "decision", "comment", "data",
    "at"}]}`."""

    type: ClassVar[str] = "approval"
    role: ClassVar[Role] = "task"
    binds: ClassVar[frozenset[str]] = frozenset({"approval"})
    late: ClassVar[frozenset[str]] = frozenset({NOTIFY})

    title: str = Field(min_length=1, max_length=200, title="Title")
    message: str = Field(default="", max_length=10_000, title="Message")
    assignees: list[str] = Field(default_factory=list, max_length=MOST_PEOPLE, title="Who", description=_ASSIGNEES)
    required: int = Field(default=1, ge=1, le=MOST_PEOPLE, title="Approvals needed")
    allow_self: bool = Field(default=False, title="Allow who started it")
    form: dict[str, Json] | None = Field(default=None, title="Form", description="JSON Schema of an object.")
    expires_in: float | None = Field(default=None, gt=0, le=LONGEST_PAUSE, title="Expires in", description="Seconds.")
    notify: HttpRequest | None = Field(default=None, title="Notify", description=_NOTIFY)

    @model_validator(mode="after")
    def _enough_people(self) -> Self:
        if self.assignees and self.required > len(self.assignees):
            raise ValueError(f"{self.required} approvals cannot be had from {len(self.assignees)} people.")
        return self

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Sequence[Fault]:
        form = config.get(FORM)
        checked = isinstance(form, dict) and not has_expression(form)
        return [*super().faults(config), *(schema_faults(form, f"$.{FORM}") if checked else ())]

    @classmethod
    def exits(cls, config: Mapping[str, Json]) -> Sequence[str]:  # noqa: ARG003 (the same for every config)
        return ("approved", "rejected", "expired")

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        """What is tried again is the asking, not the waiting: nobody asks again what nobody decided in time."""
        config = wiring.node.config
        late = Catcher(("States.Timeout",), ExpiredFlow(), exit="expired")
        flow = wiring.flow
        if config.get(NOTIFY) is not None:
            flow = AskingFlow(flow.config, compile_template(config[NOTIFY]))
        return Task(
            name=wiring.node.id,
            flow=flow,
            retry=tuple(replace(one, errors=("States.TaskFailed",)) for one in wiring.retry),
            catch=(late, *wiring.catch),
            resource=APPROVAL,
            pattern="token",
            timeout=Seconds(EXPIRES, compile_template(config[EXPIRES])) if config.get(EXPIRES) is not None else None,
            default_timeout=wiring.node.timeout,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        if not port.resource.startswith("linkflow:"):
            port.warn("other_service", "Step Functions asks nobody: have a '.waitForTaskToken' Task do it.")
        if NOTIFY in port.node.config:
            port.warn("no_address", "A state machine has no 'approval.url': nobody is notified.", f"config.{NOTIFY}")
        asked = {name: value for name, value in port.config.items() if name not in (NOTIFY, EXPIRES)}
        seconds = port.node.config.get(EXPIRES, port.node.timeout)
        computed = has_expression(seconds)
        state = port.task(cls.type, None if computed else seconds)
        if computed:
            state["TimeoutSeconds"] = port.config[EXPIRES]
        expired = {"decision": "expired", "decisions": []}
        late = {"ErrorEquals": ["States.Timeout"], **port.goes(expired, "expired")}
        leaving = port.left(RESULT, query("$states.result.decision"))
        return {port.name(): {**state, "Arguments": asked, "Catch": [late, *state.get("Catch", ())], **leaving}}
