"""How data goes through a state: Protocols that dialects fulfil and the core calls, which knows no query language."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from linkflow.language.json import Json
from linkflow.language.view import View


class Expression(Protocol):
    """A value that may have to be computed. Raises `EvaluationFailed`."""

    def evaluate(self, view: View) -> Json: ...


class Shaped(msgspec.Struct, frozen=True):
    """What a state makes of its result: the output that goes on, and the variables it assigns."""

    output: Json
    assigned: Mapping[str, Json] | None = None


class Flow(Protocol):
    """How data enters and leaves one state, in the state's own query language. Raises `EvaluationFailed`.

    JSONPath: InputPath and Parameters go in; ResultSelector, ResultPath, OutputPath and Assign come out.
    JSONata: Arguments go in; Output and Assign come out. Graph: a node's config goes in, its result comes out.
    """

    def enter(self, view: View) -> View:
        """The view the state's own fields are evaluated in (InputPath applied)."""
        ...

    def arguments(self, view: View) -> Json:
        """What the state works on: Parameters / Arguments / config, or the input itself."""
        ...

    def leave(self, view: View, result: Json) -> Shaped: ...


class CatchFlow(Protocol):
    def caught(self, view: View, error: Mapping[str, Json]) -> Shaped:
        """The output for the state that handles the failure; `error` is `{"Error": …, "Cause": …}`."""
        ...


class Condition(Protocol):
    def holds(self, view: View) -> bool: ...


class Moment(Protocol):
    """When a Wait ends, seconds since 1970. Raises `EvaluationFailed`."""

    def until(self, view: View) -> float: ...
