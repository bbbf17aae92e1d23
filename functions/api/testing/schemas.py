"""What callers send and get when they try a piece of a workflow by itself. Times are RFC 3339 in UTC."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from functions.api.workflows.schemas import FaultView
from linkflow.runtime.routes import Schema
from linkflow.runtime.views import ErrorView


class ErrorOutput(Schema):
    error: str | None = None
    cause: str | None = None


class Mock(Schema):
    """What the state's work is said to have come to: a `result`, or an `error_output`."""

    result: Any = Field(None, description="JSON, as the service would have answered.")
    error_output: ErrorOutput | None = None
    field_validation_mode: Literal["STRICT", "PRESENT", "NONE"] = Field(
        "STRICT", description="How closely the result of an AWS service is compared with that service's own model."
    )


class StateConfiguration(Schema):
    retrier_retry_count: int = Field(0, ge=0, description="How often the retrier that matches has retried already.")
    map_iteration_failure_count: int | None = Field(None, ge=0, description="How many iterations of a Map failed.")
    map_item_reader_data: list[Any] | str | None = Field(
        None, description="The items that a Map's reader brings, or the text that it reads them from."
    )
    error_caused_by_state: str | None = Field(
        None, min_length=1, max_length=80, description="In which state of a Map or Parallel the mocked error arose."
    )


class TestState(Schema):
    definition: dict[str, Any] = Field(description="A state; or with `state_name`, a machine that holds it.")
    state_name: str | None = Field(None, min_length=1)
    input: Any = Field(default_factory=dict)
    context: dict[str, Any] | None = Field(None, description="Stands for the whole context object.")
    variables: dict[str, Any] = Field(default_factory=dict)
    inspection_level: Literal["INFO", "DEBUG", "TRACE"] = "INFO"
    mock: Mock | None = Field(None, description="Task, Parallel and Map need one: a test runs nothing.")
    state_configuration: StateConfiguration | None = None


class StateTested(Schema):
    """`inspection_data` holds the stages that this state has: `input`, `after_input_path`, `after_parameters` or
    `after_arguments`, `after_items_pointer`, `after_items_path`, `after_item_selector`, `after_item_batcher`,
    `max_concurrency`, `tolerated_failure_count`, `tolerated_failure_percentage`, `result`, `after_result_selector`,
    `after_result_path`, `variables`, `error_details` (`retry_index`, `retry_backoff_interval_seconds`, `catch_index`).
    """

    status: Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
    output: Any = None
    error: str | None = None
    cause: str | None = None
    next_state: str | None = None
    inspection_data: dict[str, Any] | None = Field(None, description="With inspection level DEBUG or TRACE.")
    notes: list[str] = Field(default_factory=list, description="What this test could not do, or say.")


class TestNode(Schema):
    type: str
    config: dict[str, Any] = Field(default_factory=dict)
    input: Any = None
    nodes: dict[str, Any] = Field(default_factory=dict, description="Outputs by node id.")
    trigger: Any = None
    vars: dict[str, Any] = Field(default_factory=dict)
    error: Any = Field(None, description="What stands behind an error exit.")
    run: bool = Field(False, description="Carry a task node out, for real: its call is made.")


class NodeTested(Schema):
    """`config` is the rendered one; `faults` says what is wrong with it, and where. `status` is `rendered` where there
    was nothing more to do."""

    status: Literal["rendered", "succeeded", "failed"]
    config: Any = None
    faults: list[FaultView] = Field(default_factory=list)
    output: Any = None
    exit: str | None = None
    until: str | None = Field(None, description="When a wait would be over.")
    response: Any = Field(None, description="What a respond node would answer.")
    error: ErrorView | None = None
    notes: list[str] = Field(default_factory=list)


class Roots(Schema):
    """Anything may be a root; variables have names."""

    model_config = ConfigDict(extra="allow")

    vars: dict[str, Any] = Field(default_factory=dict)


class PreviewExpressions(Schema):
    template: Any = Field(description="JSON whose texts may hold {{ … }}.")
    execution: str | None = Field(None, description="Whose data to start from.")
    node: str | None = Field(None, description="See what this node of the execution saw, when it was last entered.")
    roots: Roots = Field(Roots(), description="Take the place of roots of the same name.")


class PreviewFailure(Schema):
    code: str
    message: str
    path: str


class Preview(Schema):
    value: Any


class PreviewFailed(Schema):
    error: PreviewFailure
