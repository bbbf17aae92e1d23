"""What callers send and get about workflows."""

from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, SecretStr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from linkflow.language.graph.definition import GraphDefinition
from linkflow.runtime.routes import Schema
from linkflow.runtime.starting import StartOptions
from linkflow.stores.controls import Intake, Mode

GivenSecret = Annotated[SecretStr, Field(min_length=8, max_length=1_000)]


class _Drawn:
    """Describes a graph to whoever reads the API's description; what is wrong with one is found by its own check."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(GraphDefinition.__pydantic_core_schema__), handler(schema)]}


class CreateWorkflow(Schema):
    name: str = Field(min_length=1, max_length=200)
    dialect: Literal["graph", "asl"] = "graph"
    type: Literal["STANDARD", "EXPRESS"] = Field(
        "STANDARD",
        description="Of a state machine: EXPRESS is recorded when it waits or ends. A graph has `durability`.",
    )
    definition: Annotated[dict[str, Any], _Drawn()] = Field(
        description="A graph (nodes, edges, settings), or a state machine in the Amazon States Language."
    )
    secrets: dict[str, GivenSecret] = Field(
        default_factory=dict,
        description="Secrets of webhooks, by node, where the other side makes them (Stripe, Slack); others are made.",
    )

    @model_validator(mode="after")
    def fits(self) -> "CreateWorkflow":
        if self.type == "EXPRESS" and self.dialect == "graph":
            raise ValueError("A graph says 'durability: end' in its settings instead of 'type: EXPRESS'.")
        return self


class HookView(Schema):
    """A webhook of the workflow. Whoever has the URL can start it, unless the node asks for a proof: then `secret` is
    what callers prove themselves with, shown when it is made and never again."""

    node: str
    url: str
    secret: str | None = None


class RotateSecret(Schema):
    """`keep_old`: seconds for which the secrets before are good too, so that callers can change over."""

    secret: GivenSecret | None = Field(None, description="Where the other side makes it; otherwise a new one is made.")
    keep_old: float = Field(0, ge=0, le=604_800)


class FaultView(Schema):
    path: str
    code: str
    message: str


class WorkflowView(Schema):
    id: str
    name: str
    dialect: str
    version: int
    created_at: str
    updated_at: str
    hooks: list[HookView] = Field(default_factory=list)
    warnings: list[FaultView] = Field(default_factory=list)


class HeldView(Schema):
    """`what` is held: the `engine`, the `workspace` or the `workflow`."""

    what: str
    mode: str
    starts: str
    since: str
    reason: str


class HoldWorkflow(Schema):
    """`pause`: executions stop at their next turn; `drain`: they run to their end. New ones are accepted and wait, or
    are refused."""

    mode: Mode = "pause"
    starts: Intake = "accept"
    reason: str = Field("", max_length=500)


class WorkflowDetail(WorkflowView):
    held: list[HeldView] = Field(default_factory=list)
    definition: dict[str, Any]


class ExportedWorkflow(Schema):
    """`warnings` tell what the other dialect cannot say exactly; their paths are those of the original."""

    name: str
    dialect: str
    definition: dict[str, Any]
    warnings: list[FaultView] = Field(default_factory=list)


class WorkflowPage(Schema):
    data: list[WorkflowView]
    next_cursor: str | None = None


class ExecuteWorkflow(StartOptions):
    pass


class ExecuteBatch(Schema):
    executions: list[ExecuteWorkflow] = Field(min_length=1, max_length=1000)


class StartedView(Schema):
    id: str
    status: str = "running"
    url: str


class StartedBatch(Schema):
    data: list[StartedView]
