"""The data flow of JSONata states: Arguments go in, Output and Assign come out; without Output, the result goes on."""

from collections.abc import Mapping

from linkflow.language.asl.queries import Template
from linkflow.language.flow import Shaped
from linkflow.language.json import Json
from linkflow.language.view import MISSING, View


class QueryFlow:
    """`works`: whether the state has a result of its own, which `$states.result` then names."""

    __slots__ = ("assign", "given", "output", "works")

    def __init__(self, state: Mapping[str, Json], *, works: bool, location: str = "") -> None:
        self.works = works
        self.given = Template(state["Arguments"], "Arguments") if "Arguments" in state else None
        self.output = Template(state["Output"], f"{location}Output") if "Output" in state else None
        self.assign = Template(state["Assign"], f"{location}Assign") if "Assign" in state else None

    def enter(self, view: View) -> View:
        return view

    def arguments(self, view: View) -> Json:
        return view.input if self.given is None else self.given.evaluate(view)

    def assigned(self, view: View) -> Mapping[str, Json] | None:
        assigned: Mapping[str, Json] | None = None
        if self.assign is not None:
            assigned = self.assign.evaluate(view)
        return assigned

    def leave(self, view: View, result: Json) -> Shaped:
        seen = view if self.works else View(view.input, view.around, MISSING, view.error_output)
        assigned = self.assigned(seen)
        return Shaped(result if self.output is None else self.output.evaluate(seen), assigned)


class QueryCatch:
    """What a JSONata Catch rule makes of a failure: its Output, or the error itself."""

    __slots__ = ("flow",)

    def __init__(self, rule: Mapping[str, Json], position: int) -> None:
        self.flow = QueryFlow(rule, works=False, location=f"Catch[{position}]/")

    def caught(self, view: View, error: Mapping[str, Json]) -> Shaped:
        return self.flow.leave(View(view.input, view.around, MISSING, error), error)
