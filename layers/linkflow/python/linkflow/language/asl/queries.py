"""JSONata fields: text between `{%` and `%}`, anywhere in a value, compiled once and evaluated against a view.

`$states` gives an expression the state's input, the context object and, behind a task or a failure, the result and the
error; variables stand beside it. Only what an expression names is made.
"""

from collections.abc import Callable, Mapping
from typing import Final

from linkflow.language import jsonata
from linkflow.language.asl.failures import expression, type_name
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.language.view import MISSING, View

Render = Callable[[View], Json]

OPEN: Final = "{%"
CLOSE: Final = "%}"


def is_query(value: Json) -> bool:
    return isinstance(value, str) and value.startswith(OPEN) and value.endswith(CLOSE)


class Query:
    """One expression. `expects` names the only types it may give (`array`, `number`, …), if there are such."""

    __slots__ = ("_compiled", "_expects", "_uses_context", "_uses_states", "location", "source")

    def __init__(self, text: str, location: str, *expects: str) -> None:
        self.source = text.removeprefix(OPEN).removesuffix(CLOSE).strip()
        self.location = location
        self._compiled = jsonata.compile(self.source)
        self._expects = expects
        fields = self._compiled.state_fields
        self._uses_states = bool(fields)
        self._uses_context = "context" in fields or "*" in fields

    def evaluate(self, view: View) -> Json:
        compiled, around = self._compiled, view.around
        seed = around.seed() if compiled.seeded else 0
        try:
            value = compiled.evaluate(jsonata.UNDEFINED, self._bindings(view), around.now, seed)
        except jsonata.NoData as error:
            raise expression(self.source, self.location, "returned an unsupported result type.") from error
        except jsonata.JsonataError as error:
            what = f"threw an error during evaluation. {error}"
            raise expression(self.source, self.location, what) from error
        if value is jsonata.UNDEFINED:
            raise expression(self.source, self.location, "returned nothing (undefined).")
        if self._expects and type_name(value) not in self._expects:
            wanted = " or ".join(f"'{name}'" for name in self._expects)
            what = (
                f"returned an unexpected result type. Expected {wanted}, "
                f"but was '{type_name(value)}' for value: {compact(value)}"
            )
            raise expression(self.source, self.location, what)
        return value

    def _bindings(self, view: View) -> Mapping[str, Json]:
        variables = view.around.variables()
        if not self._uses_states:
            return variables
        states: dict[str, Json] = {"input": view.input}
        if self._uses_context:
            states["context"] = view.around.context()
        if view.result is not MISSING:
            states["result"] = view.result
        if view.error_output is not MISSING:
            states["errorOutput"] = view.error_output
        return {**variables, "states": states}


class Template:
    """A value with its expressions compiled."""

    __slots__ = ("_render", "source")

    def __init__(self, source: Json, location: str) -> None:
        self.source = source
        self._render = _compiled(source, location)

    def evaluate(self, view: View) -> Json:
        return self.source if self._render is None else self._render(view)


def _compiled(source: Json, location: str) -> Render | None:
    """None when there is nothing to compute."""
    match source:
        case str():
            return Query(source, location).evaluate if is_query(source) else None
        case dict():
            members = [(name, value, _compiled(value, f"{location}/{name}")) for name, value in source.items()]
            if all(render is None for _name, _value, render in members):
                return None
            return lambda view: {name: value if render is None else render(view) for name, value, render in members}
        case list():
            renders = [_compiled(value, f"{location}[{index}]") for index, value in enumerate(source)]
            if not any(renders):
                return None
            pairs = tuple(zip(source, renders, strict=True))
            return lambda view: [value if render is None else render(view) for value, render in pairs]
        case _:
            return None
