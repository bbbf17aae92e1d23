"""How data enters and leaves a graph's node: its config is rendered, its result is its output.

The roots an expression starts from are those of the surroundings, plus `input`, plus `error` behind an error exit.
"""

from collections.abc import Mapping

from linkflow.language.filters import seen
from linkflow.language.flow import Shaped
from linkflow.language.graph.template import Template
from linkflow.language.handlers import LONGEST_PAUSE
from linkflow.language.json import Json
from linkflow.language.program import PASSES
from linkflow.language.view import EvaluationFailed, View


class GraphFlow:
    __slots__ = ("config",)

    def __init__(self, config: Template) -> None:
        self.config = config

    def enter(self, view: View) -> View:
        return view

    def arguments(self, view: View) -> Json:
        if self.config.constant:
            return self.config.source
        return self.config.render(document(view), view)

    def leave(self, view: View, result: Json) -> Shaped:  # noqa: ARG002 (the result is the output, whatever came in)
        return Shaped(result)


class FilterFlow(GraphFlow):
    """The config, and beside it the `filter` as it is written, with what it may look at of the execution."""

    __slots__ = ("filter",)

    def __init__(self, config: Template, condition: str | None) -> None:
        super().__init__(config)
        self.filter = condition

    def arguments(self, view: View) -> Json:
        given = super().arguments(view)
        if self.filter is None:
            return given
        return {**given, "filter": self.filter, "with": seen(self.filter, document(view))}


class AskingFlow(GraphFlow):
    """The config, and beside it a request for each of the `assignees` (or one for nobody in particular), in which
    `approval` holds the `url` of that person's link, and the `assignee`."""

    __slots__ = ("request",)

    def __init__(self, config: Template, request: Template) -> None:
        super().__init__(config)
        self.request = request

    def arguments(self, view: View) -> Json:
        given = super().arguments(view)
        people = given.get("assignees") or [None]
        roots = document(view)
        return {**given, "notify": [self._asked(roots, view, person) for person in people]}

    def _asked(self, roots: Mapping[str, Json], view: View, person: Json) -> Json:
        url = view.around.link("approval", "" if person is None else str(person))
        return self.request.render({**roots, "approval": {"url": url, "assignee": person}}, view)


class ExpiredFlow:
    """What an approval gives that nobody decided in time."""

    __slots__ = ()

    def caught(self, view: View, error: Mapping[str, Json]) -> Shaped:  # noqa: ARG002 (that it is late says it all)
        return Shaped({"decision": "expired", "decisions": []})


class Seconds:
    """A parameter that is a time, which may have to be computed."""

    __slots__ = ("name", "template")

    def __init__(self, name: str, template: Template) -> None:
        self.name = name
        self.template = template

    def evaluate(self, view: View) -> float:
        given = self.template.render(document(view), view)
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= LONGEST_PAUSE:
            told = f"'{self.name}' must be seconds: a number above 0, at most {LONGEST_PAUSE:,.0f}."
            raise EvaluationFailed("LinkFlow.BadConfig", told)
        return float(given)


class InputFlow:
    """The input is all there is: for the graph's own state, and for a disabled node, which hands its input on."""

    __slots__ = ()

    def enter(self, view: View) -> View:
        return view

    def arguments(self, view: View) -> Json:
        return view.input

    def leave(self, view: View, result: Json) -> Shaped:  # noqa: ARG002 (as above)
        return Shaped(result)


class ErrorFlow:
    """What goes on when a failure is not the end (`on_error`): `{"error": {"code", "message"}}`."""

    __slots__ = ()

    def caught(self, view: View, error: Mapping[str, Json]) -> Shaped:  # noqa: ARG002 (nothing of the input is kept)
        return Shaped({"error": {"code": error["Error"], "message": error["Cause"]}})


class PassFlow(InputFlow):
    """Counts the passes of a `repeat` in the variable `passes`."""

    __slots__ = ()

    def leave(self, view: View, result: Json) -> Shaped:
        return Shaped(result, {PASSES: passes(view) + 1})


def passes(view: View) -> int:
    """How many passes of this `repeat` are done."""
    return int(view.around.own().get(PASSES, 0))


class HandlerFlow(ErrorFlow):
    """An error on its way to the handler of a `try`: all of whose nodes see it as `error`."""

    __slots__ = ()

    def caught(self, view: View, error: Mapping[str, Json]) -> Shaped:
        shaped = super().caught(view, error)
        return Shaped(shaped.output, shaped.output)


class Rendered:
    """A parameter of a container as an expression: its template, rendered."""

    __slots__ = ("template",)

    def __init__(self, template: Template) -> None:
        self.template = template

    def evaluate(self, view: View) -> Json:
        return self.template.render(document(view), view)


def document(view: View) -> Json:
    """What `{{ … }}` starts from."""
    roots = {**view.around.roots(), "input": view.input}
    if isinstance(view.input, dict) and "error" in view.input:
        roots["error"] = view.input["error"]
    elif "error" in roots["vars"]:
        roots["error"] = roots["vars"]["error"]
    return roots
