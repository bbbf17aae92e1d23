"""What a node type is given to write its states in the States Language, and what it must keep to.

A node's states begin with the first of those it gives and end in one of two ways: a state that ends takes the fields of
`left`, a rule of a Choice or a Catch those of `goes`. So no node type knows whether it stands in a branch of its own
or in a line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from linkflow.errors import Fault
from linkflow.language.graph.definition import NodeDefinition, Retry
from linkflow.language.graph.export.expressions import query, rendered
from linkflow.language.json import Json

States = Mapping[str, dict[str, Json]]
"""States by name, the one that is entered first."""

BOX: Final = "made"
"""The field in which a graph inside a node hands on its output."""

RESULT: Final = query("$states.result")
LONGEST: Final = 99_999_999
"""Seconds in a field that holds a time (developer guide, "Task workflow state", TimeoutSeconds)."""

LONGEST_DELAY: Final = 31_622_400
"""Seconds in MaxDelaySeconds (developer guide, "Handling errors", Retrier)."""

ERROR: Final = query(
    '{"error": {"code": $states.errorOutput.Error, '
    '"message": $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : null}}'
)
FINAL: Final = ("LinkFlow.BadConfig", "LinkFlow.UnknownResource")
"""Errors of any task that another attempt would meet again."""

_EXITS: Final = {"continue": "default", "branch": "error"}

Kept = Callable[[Json, Json], dict[str, Json]]
"""Makes of a node's output and its exit the fields (Output, Assign) with which they are handed on or remembered."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a graph inside a node starts with: its variables (name and expression over its input), which of them is the
    input of its first nodes, and what its expressions start from besides what those around it do."""

    start: str
    begins: Mapping[str, str]
    roots: Mapping[str, str] = field(default_factory=dict)


Walk = Callable[[str, Inside], dict[str, Json]]


@dataclass(slots=True)
class Port:
    """`input`: the node's input as an expression, which holds in every state. `inside`: of a branch that ends with the
    node; else the node's states lead to `end`. `claim` takes a name that no other state bears, `variable`
    one that no other variable does. `walk` makes a machine of the graph under that key of the config."""

    node: NodeDefinition
    input: str
    end: str
    inside: bool
    kept: Kept
    claim: Callable[[str], str]
    path: str
    resource: str
    warnings: list[Fault]
    roots: Mapping[str, str]
    variable: Callable[[str], str]
    walk: Walk
    joined: bool = False
    """Whether some state leads to `end`."""

    @property
    def config(self) -> Json:
        """The config as a template for any JSONata field."""
        return rendered(self.node.config)

    @property
    def input_query(self) -> str:
        return query(self.input)

    def name(self, doing: str = "") -> str:
        """A state's name that no other bears: the node's id, and what the state does if it is not the first."""
        return self.claim(f"{self.node.id} {doing}" if doing else self.node.id)

    def refusal(self, error: str, cause: str) -> dict[str, dict[str, Json]]:
        """A state that fails the node."""
        return {self.name("fails"): {"Type": "Fail", "Error": error, "Cause": cause}}

    def left(self, output: Json, leaving: Json = "default") -> dict[str, Json]:
        """The last fields of a state with which the node is over: its output and the exit it leaves by."""
        if not self.inside:
            return self.goes(output, leaving)
        return {**self.kept(output, leaving), "End": True}

    def goes(self, output: Json, leaving: Json = "default") -> dict[str, Json]:
        """The same for a rule or a Catch, which cannot end a machine."""
        self.joined = True
        return {**self.kept(output, leaving), "Next": self.end}

    def task(self, kind: str, timeout: float | None, final: Sequence[str] = ()) -> dict[str, Json]:
        """A Task that hands the config to a worker; `timeout` in seconds bounds an attempt, `final` are the errors that
        are never worth a retry."""
        state: dict[str, Json] = {
            "Type": "Task",
            "Resource": self.resource.replace("{type}", kind),
            "Arguments": self.config,
        }
        if timeout is not None:
            state["TimeoutSeconds"] = self.seconds(timeout, "timeout", 1, LONGEST)
        return state | self.retry(*FINAL, *final) | self.catch() | self.left(RESULT)

    def catch(self) -> dict[str, Json]:
        """The Catch field that `on_error` asks for, if any."""
        if self.node.on_error == "stop":
            return {}
        return {"Catch": [{"ErrorEquals": ["States.ALL"], **self.goes(ERROR, _EXITS[self.node.on_error])}]}

    def retry(self, *final: str) -> dict[str, Json]:
        """The Retry field. In a graph, an attempt itself says whether another is worth it; here that is known of the
        `final` errors only."""
        rule = self.node.retry
        if rule is None or rule.max_attempts == 1:
            return {}
        never = [{"ErrorEquals": list(final), "MaxAttempts": 0}] if final else []
        return {"Retry": [*never, self._retrier(rule)]}

    def _retrier(self, rule: Retry) -> dict[str, Json]:
        """A longest delay that the first pause already reaches is that pause, every time."""
        first = self.seconds(min(rule.interval, rule.max_interval), "retry.interval", 1, LONGEST)
        longest = min(ceil(rule.max_interval), LONGEST_DELAY)
        pauses: dict[str, Json] = {"IntervalSeconds": first, "BackoffRate": 1}
        if longest > first:
            self.seconds(rule.max_interval, "retry.max_interval", 1, LONGEST_DELAY)
            pauses |= {"BackoffRate": rule.backoff, "MaxDelaySeconds": longest}
        jitter = "FULL" if rule.jitter else "NONE"
        return {"ErrorEquals": ["States.ALL"], **pauses, "MaxAttempts": rule.max_attempts - 1, "JitterStrategy": jitter}

    def seconds(self, wanted: float, name: str, least: int, most: int) -> int:
        """Whole seconds within bounds, with a warning where that is another time."""
        given = max(least, min(most, ceil(wanted)))
        if given != wanted:
            self.warn("rounded_time", f"{wanted:g} s become {given} s: whole seconds, {least} to {most:,}.", name)
        return given

    def warn(self, code: str, message: str, name: str = "") -> None:
        self.warnings.append(Fault(f"{self.path}.{name}" if name else self.path, code, message))
