"""Paths and payload templates of JSONPath mode, compiled once and evaluated against a view.

A path starts from the state's document (`$`), the context object (`$$`) or a variable (`$name`). In a template, a field
whose name ends in `.$` holds a path or a call of an intrinsic function; everything else is taken as it stands.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from linkflow.language import intrinsics, jsonpath
from linkflow.language.asl.failures import field_not_found, invalid_path, plain, runtime
from linkflow.language.json import Json
from linkflow.language.jsonpath import JsonPath, PathNotFound
from linkflow.language.view import EvaluationFailed, View

Render = Callable[[View], Json]

SUFFIX: Final = ".$"

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_FRACTION: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


class UnknownVariable(PathNotFound):
    """A path that starts from a variable which nobody has assigned."""


def resolve(path: JsonPath, view: View) -> Json:
    """The value. Raises `PathNotFound`."""
    root = path.root
    if root == "":
        return path.evaluate(view.input)
    if root == "$":
        return path.evaluate(view.around.context())
    variables = view.around.variables()
    if root not in variables:
        raise UnknownVariable(f"No results for path: $['{root}']")
    return path.evaluate(variables[root])


class DocumentPath:
    """A path that stands for a whole document or number: InputPath, OutputPath, ItemsPath, TimeoutSecondsPath."""

    __slots__ = ("path",)

    def __init__(self, source: str) -> None:
        self.path = jsonpath.compile(source)

    def evaluate(self, view: View) -> Json:
        try:
            return resolve(self.path, view)
        except PathNotFound as error:
            raise invalid_path(self.path.source, str(error)) from error


class FieldPath:
    """A path, or a call of an intrinsic function, that gives one field its value."""

    __slots__ = ("call", "field", "path")

    def __init__(self, source: str, field: str) -> None:
        self.field = field
        self.call = intrinsics.compile(source) if intrinsics.is_intrinsic(source) else None
        self.path = None if self.call else jsonpath.compile(source)

    def evaluate(self, view: View) -> Json:
        if self.path is not None:
            return self._value(self.path, view)
        assert self.call is not None  # noqa: S101 (one of the two, by the constructor)
        seed = view.around.seed() if self.call.seeded else 0
        try:
            return self.call.evaluate(lambda path: self._value(path, view), seed)
        except intrinsics.IntrinsicFailed as failed:
            raise EvaluationFailed(failed.error, failed.cause) from failed

    def _value(self, path: JsonPath, view: View) -> Json:
        try:
            return resolve(path, view)
        except PathNotFound as error:
            raise field_not_found(path.source, self.field, view.input) from error


class TextPath(FieldPath):
    """A path or call that must give a text: ErrorPath, CausePath."""

    __slots__ = ()

    def evaluate(self, view: View) -> Json:
        value = FieldPath.evaluate(self, view)
        if not isinstance(value, str):
            raise runtime(f"The field '{self.field}' must be a string but was: {plain(value)}")
        return value


class Payload:
    """A template with its paths compiled."""

    __slots__ = ("_render", "source")

    def __init__(self, source: Json) -> None:
        self.source = source
        self._render = _compiled(source)

    def evaluate(self, view: View) -> Json:
        return self.source if self._render is None else self._render(view)


def _compiled(source: Json) -> Render | None:
    """None when there is nothing to compute."""
    match source:
        case dict():
            return _object(source)
        case list():
            renders = [_compiled(member) for member in source]
            if not any(renders):
                return None
            pairs = tuple(zip(source, renders, strict=True))
            return lambda view: [member if render is None else render(view) for member, render in pairs]
        case _:
            return None


def _object(source: Mapping[str, Json]) -> Render | None:
    fields: list[tuple[str, Json, Render | None]] = []
    for name, value in source.items():
        if name.endswith(SUFFIX) and isinstance(value, str):
            fields.append((name.removesuffix(SUFFIX), None, FieldPath(value, name).evaluate))
        else:
            fields.append((name, value, _compiled(value)))
    if all(render is None for _name, _value, render in fields):
        return None
    return lambda view: {name: value if render is None else render(view) for name, value, render in fields}


class Constant:
    """A value that is the same for everybody."""

    __slots__ = ("value",)

    def __init__(self, value: Json) -> None:
        self.value = value

    def evaluate(self, view: View) -> Json:  # noqa: ARG002 (an Expression)
        return self.value


class ReferencedNumber:
    """A number behind a path (`MaxConcurrencyPath`): an integer, or with `fraction` any number."""

    __slots__ = ("_fraction", "field", "path")

    def __init__(self, source: str, field: str, *, fraction: bool = False) -> None:
        self.path = DocumentPath(source)
        self.field = field
        self._fraction = fraction

    def evaluate(self, view: View) -> Json:
        value = self.path.evaluate(view)
        number = as_number(value, fraction=self._fraction)
        if number is None:
            kind = "float" if self._fraction else "integer"
            refers = f'The {self.field} field refers to value "{plain(value)}" which is not a valid {kind}'
            raise runtime(f"{refers}: {self.path.path.source}")
        return number


def as_number(value: Json, *, fraction: bool = False) -> int | float | None:
    """A number, also one written as text (recorded); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str):
        pattern = _FRACTION if fraction else _INTEGER
        return (float(value) if fraction else int(value)) if pattern.fullmatch(value) else None
    return value if fraction or isinstance(value, int) else None
