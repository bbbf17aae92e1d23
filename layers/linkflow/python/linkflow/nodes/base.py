"""What a node type is: a pydantic model of its parameters, and one verb.

A subclass of `PureNode` has `evaluate` (inside the turn), of `TaskNode` `run` (by a worker), of `WaitNode` `moment`, of
`TriggerNode` none. The class docstring is the catalogue entry, the fields are the form; both are shown to people. A
node reaches the world only through the context that its verb is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from linkflow.errors import Fault
from linkflow.language.graph.catalogue import Role, Wiring
from linkflow.language.graph.check import schema_faults
from linkflow.language.graph.export.port import Port, States
from linkflow.language.graph.flow import InputFlow
from linkflow.language.graph.template import has_expression
from linkflow.language.json import Json
from linkflow.language.program import Join, Node, Outcome, Pass, State, Task, Wait
from linkflow.language.view import EvaluationFailed, View

RESOURCE = "linkflow:"
"""How a Task's resource names a node type: `linkflow:http_request`."""


class NodeFailed(Exception):
    """A node could not do its work. `code` is stable and documented by the node; the message says what to do and never
    holds a secret. `retryable` False forbids retries; `retry_after` is the other side's wish, in seconds."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = True,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.details = details


class BaseNode(BaseModel):
    """The parameters all node types share: none. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: ClassVar[str]
    role: ClassVar[Role]
    bodies: ClassVar[tuple[str, ...]] = ()
    """Parameters that hold a graph."""
    fixed: ClassVar[frozenset[str]] = frozenset()
    """Parameters that shape the program, so that no expression can give them."""
    final: ClassVar[tuple[str, ...]] = ()
    """Errors that another attempt would meet again, whatever the circumstances."""
    late: ClassVar[frozenset[str]] = frozenset()
    """Parameters whose expressions are judged later than the rest, by the node itself."""
    binds: ClassVar[frozenset[str]] = frozenset()
    """Roots that its own expressions may start from besides those that all know."""

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Sequence[Fault]:
        """Values that hold expressions are known only when the node runs; complaints about them are left for then."""
        found = [
            Fault(f"$.{name}", "not_computable", "This shapes the workflow, so it cannot be an expression.")
            for name in sorted(cls.fixed & config.keys())
            if has_expression(config[name])
        ]
        try:
            cls.model_validate(config)
        except ValidationError as error:
            concerns = error.errors(include_url=False)
            certain = [one["type"] == "extra_forbidden" or not _is_computed(config, one["loc"]) for one in concerns]
            found += [fault for fault, sure in zip(schema_faults(error, model=cls), certain, strict=True) if sure]
        return found

    @classmethod
    def exits(cls, config: Mapping[str, Json]) -> Sequence[str]:  # noqa: ARG003 (some types ask their config)
        return ("default",)

    @classmethod
    def join(cls, config: Mapping[str, Json]) -> Join:  # noqa: ARG003 (some types ask their config)
        return Join()

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        """The node as a state of the program."""
        raise NotImplementedError

    @classmethod
    def states(cls, wiring: Wiring) -> Sequence[State]:
        """The node as the states of its machine; most types need but one."""
        return (cls.state(wiring),)

    @classmethod
    def exported(cls, port: Port) -> States:
        """The node as states of the States Language."""
        raise NotImplementedError

    @classmethod
    def configured(cls, config: Json) -> Self:
        """The node with its rendered config. Raises `EvaluationFailed` when a computed value does not fit."""
        if not isinstance(config, dict):
            raise EvaluationFailed("LinkFlow.BadConfig", f"The parameters of '{cls.type}' must be an object.")
        try:
            return cls.model_validate(config)
        except ValidationError as error:
            said = "; ".join(f"{fault.path}: {fault.message}" for fault in schema_faults(error, model=cls))
            raise EvaluationFailed("LinkFlow.BadConfig", f"The computed config does not fit: {said}") from error


def _is_computed(config: Json, location: tuple[int | str, ...]) -> bool:
    """Whether the complaint concerns a value that an expression will give, or one inside it."""
    value: Json = config
    for part in location:
        match value:
            case dict() if part in value:
                value = value[part]
            case list() if isinstance(part, int) and part < len(value):
                value = value[part]
            case _:
                break
    return isinstance(value, str) and has_expression(value)


class TriggerNode(BaseNode):
    """Starts an execution; hands on what it was started with."""

    role: ClassVar[Role] = "trigger"

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Pass(name=wiring.node.id, flow=InputFlow())

    @classmethod
    def exported(cls, port: Port) -> States:
        return {port.name(): {"Type": "Pass", **port.left(port.input_query)}}


class PureNode(BaseNode):
    role: ClassVar[Role] = "pure"

    def evaluate(self, view: View) -> Outcome:
        raise NotImplementedError

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        config = wiring.flow.config
        ready = cls.configured(config.source) if config.constant else None

        def evaluation(given: Json, view: View) -> Outcome:
            return (ready or cls.configured(given)).evaluate(view)

        return Node(name=wiring.node.id, flow=wiring.flow, catch=wiring.catch, type=cls.type, evaluation=evaluation)


class WaitNode(BaseNode):
    role: ClassVar[Role] = "wait"

    def moment(self, now: float) -> float:
        """When the wait is over, seconds since 1970."""
        raise NotImplementedError

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Wait(
            name=wiring.node.id,
            flow=InputFlow(),
            catch=wiring.catch,
            moment=_NodeMoment(cls, wiring),
        )


class _NodeMoment:
    __slots__ = ("node", "wiring")

    def __init__(self, node: type[WaitNode], wiring: Wiring) -> None:
        self.node = node
        self.wiring = wiring

    def until(self, view: View) -> float:
        return self.node.configured(self.wiring.flow.arguments(view)).moment(view.around.now)


class TaskNode(BaseNode):
    """`default_timeout` in seconds bounds one attempt where the workflow sets none. `at_most_once`: an interrupted
    attempt is an error instead of being run again. `isolated`: it runs where no table, key or secret is. Workflows may
    ask for either of them too."""

    role: ClassVar[Role] = "task"
    default_timeout: ClassVar[float] = 60.0
    at_most_once: ClassVar[bool] = False
    isolated: ClassVar[bool] = False

    async def run(self, context: "TaskContext") -> "TaskResult":
        """Raises `NodeFailed`."""
        raise NotImplementedError

    @classmethod
    def state(cls, wiring: Wiring) -> State:
        return Task(
            name=wiring.node.id,
            flow=wiring.flow,
            retry=wiring.retry,
            catch=wiring.catch,
            resource=RESOURCE + cls.type,
            default_timeout=wiring.node.timeout or cls.default_timeout,
            at_most_once=cls.at_most_once or wiring.node.at_most_once,
            isolated=cls.isolated or wiring.node.isolated,
        )

    @classmethod
    def exported(cls, port: Port) -> States:
        return {port.name(): port.task(cls.type, port.node.timeout or cls.default_timeout, cls.final)}


@dataclass(frozen=True, slots=True)
class TaskResult:
    output: Json
    exit: str = "default"


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """What a node sends over HTTP; `timeout` in seconds."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    timeout: float
    follow_redirects: bool = True


@dataclass(frozen=True, slots=True)
class NodeResponse:
    status: int
    headers: Mapping[str, str]
    content: bytes


class NodeHttp(Protocol):
    async def send(self, request: NodeRequest) -> NodeResponse:
        """Guarded outbound HTTP. Raises `NodeFailed` when no answer could be had."""
        ...


class TaskContext(Protocol):
    """The world as one task sees it. `key` is the stable idempotency key of PLATFORMS and `RunTask`."""

    @property
    def http(self) -> NodeHttp: ...

    @property
    def key(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def now(self) -> float: ...

    @property
    def remaining(self) -> float:
        """Seconds until the task's deadline."""
        ...
