"""The data flow of JSONPath states: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, Assign, Result.

Variables change only when the state is left, so Assign and OutputPath both read what they were before (recorded).
"""

from collections.abc import Mapping
from typing import Final

from linkflow.language import jsonpath
from linkflow.language.asl.failures import plain
from linkflow.language.asl.paths import DocumentPath, Payload
from linkflow.language.flow import Shaped
from linkflow.language.json import Json
from linkflow.language.jsonpath import PathMismatch, ReferencePath
from linkflow.language.view import EvaluationFailed, View

ABSENT: Final = object()
WHOLE: Final = "$"


class PathFlow:
    """`input_path` and `output_path` None give an empty object, `ResultPath` None leaves the input as it is."""

    __slots__ = ("assign", "discards", "fixed", "hides", "input_path", "output_path", "parameters", "place", "selector")

    def __init__(self, state: Mapping[str, Json], *, parameters: str = "Parameters") -> None:
        self.input_path = _document(state, "InputPath")
        self.hides = "InputPath" in state and state["InputPath"] is None
        self.parameters = Payload(state[parameters]) if parameters in state else None
        self.fixed = state.get("Result", ABSENT) if state.get("Type") == "Pass" else ABSENT
        self.selector = Payload(state["ResultSelector"]) if "ResultSelector" in state else None
        self.place, self.discards = _place(state)
        self.output_path = _document(state, "OutputPath")
        self.assign = Payload(state["Assign"]) if "Assign" in state else None

    def enter(self, view: View) -> View:
        path = self.input_path
        if path is None:
            return view.over({}) if self.hides else view
        return view.over(path.evaluate(view))

    def arguments(self, view: View) -> Json:
        if self.fixed is not ABSENT:
            return self.fixed
        return view.input if self.parameters is None else self.parameters.evaluate(view)

    def selected(self, view: View, result: Json) -> Json:
        """What ResultSelector makes of the result."""
        return result if self.selector is None else self.selector.evaluate(view.over(result))

    def placed(self, view: View, selected: Json) -> Json:
        """What ResultPath makes of input and result."""
        return view.input if self.discards else put(self.place, view.input, selected)

    def output(self, view: View, placed: Json) -> Json:
        path = self.output_path
        if path is None:
            return placed
        return path.evaluate(view.over(placed))

    def assigned(self, view: View, selected: Json) -> Mapping[str, Json] | None:
        assigned: Mapping[str, Json] | None = None
        if self.assign is not None:
            assigned = self.assign.evaluate(view.over(selected))
        return assigned

    def leave(self, view: View, result: Json) -> Shaped:
        selected = self.selected(view, result)
        assigned = self.assigned(view, selected)
        return Shaped(self.output(view, self.placed(view, selected)), assigned)


class PathCatch:
    """What a JSONPath Catch rule makes of a failure: the error, put at ResultPath into the state's input."""

    __slots__ = ("assign", "discards", "place")

    def __init__(self, rule: Mapping[str, Json]) -> None:
        self.place, self.discards = _place(rule)
        self.assign = Payload(rule["Assign"]) if "Assign" in rule else None

    def caught(self, view: View, error: Mapping[str, Json]) -> Shaped:
        assigned = None if self.assign is None else self.assign.evaluate(view.over(error))
        return Shaped(view.input if self.discards else put(self.place, view.input, error), assigned)


class Emptied:
    """`OutputPath: null`."""

    __slots__ = ()

    def evaluate(self, view: View) -> Json:  # noqa: ARG002 (an Expression)
        return {}


def _document(state: Mapping[str, Json], field: str) -> "DocumentPath | Emptied | None":
    source = state.get(field, WHOLE)
    if source == WHOLE:
        return None
    return Emptied() if source is None else DocumentPath(source)


def _place(state: Mapping[str, Json]) -> tuple[ReferencePath | None, bool]:
    """Where the result goes (None: it replaces the input), and whether it goes nowhere."""
    source = state.get("ResultPath", WHOLE)
    if source is None:
        return None, True
    return (None if source == WHOLE else jsonpath.compile(source).reference()), False


def put(place: ReferencePath | None, document: Json, value: Json) -> Json:
    if place is None:
        return value
    try:
        return place.put(document, value)
    except PathMismatch as error:
        cause = f"Unable to apply ReferencePath {place.path.source} to input {plain(document)}"
        raise EvaluationFailed("States.ResultPathMatchFailure", cause) from error
