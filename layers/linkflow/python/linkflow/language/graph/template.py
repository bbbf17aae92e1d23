"""Texts with expressions: JSONata inside `{{ … }}`, anywhere in a node's config.

A text that is one whole expression keeps the value's type; otherwise values are put into the text: texts as they are,
nothing for null, all else as JSON. A path that finds nothing gives null. Keys of objects are never expressions.
"""

import difflib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import msgspec

from linkflow.language import jsonata
from linkflow.language.graph.words import ROOTS
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed, View

Render = Callable[[Json, View], Json]
"""Evaluates against a document of roots; the view supplies time and seed. Raises `EvaluationFailed`."""

OPEN, CLOSE = "{{", "}}"


@dataclass(frozen=True, slots=True)
class ExpressionFault:
    """An expression that cannot be compiled: where in the config (`$.headers.Authorization`), and why."""

    path: str
    message: str


class Template:
    """A config with its expressions compiled. `constant` when it holds none, and rendering costs nothing."""

    __slots__ = ("_render", "constant", "source")

    def __init__(self, source: Json, render: Render | None) -> None:
        self.source = source
        self.constant = render is None
        self._render = render

    def render(self, document: Json, view: View) -> Json:
        return self.source if self._render is None else self._render(document, view)


def compile_template(source: Json) -> Template:
    """Raises `jsonata.JsonataError` where `faults` would have found something."""
    return Template(source, _compile(source))


def faults(source: Json, path: str = "$") -> Iterator[ExpressionFault]:
    """Everything in `source` that will not compile, or names what is not there."""
    match source:
        case str() if OPEN in source:
            try:
                for piece in _pieces(source):
                    if isinstance(piece, Code):
                        yield from _unknown(jsonata.compile(piece.source), path)
            except jsonata.JsonataError as error:
                yield ExpressionFault(path, f"{error.message} ({error.code})" if error.code else error.message)
        case dict():
            for key, value in source.items():
                yield from faults(value, f"{path}.{key}")
        case list():
            for index, value in enumerate(source):
                yield from faults(value, f"{path}[{index}]")
        case _:
            pass


def _unknown(compiled: jsonata.Jsonata, path: str) -> Iterator[ExpressionFault]:
    """Names behind `$` that nothing binds: all that an expression is given are roots, which have no `$`."""
    for name in sorted(compiled.references - jsonata.FUNCTIONS):
        root = f" The root '{name}' has no '$'." if name in ROOTS else ""
        told = f"'{compiled.source}' names '${name}', which is no function and bound nowhere in the expression."
        yield ExpressionFault(path, told + root)


def doubts(source: Json, roots: Collection[str], nodes: Collection[str], path: str = "$") -> Iterator[ExpressionFault]:
    """Paths in `source` that will never find anything: from what is not among the `roots`, or a node that is not among
    `nodes`. (What does not compile is a fault.)"""
    match source:
        case str() if OPEN in source:
            for piece in _pieces(source):
                if isinstance(piece, Code):
                    yield from _astray(jsonata.compile(piece.source), roots, nodes, path)
        case dict():
            for key, value in source.items():
                yield from doubts(value, roots, nodes, f"{path}.{key}")
        case list():
            for index, value in enumerate(source):
                yield from doubts(value, roots, nodes, f"{path}[{index}]")
        case _:
            pass


def _astray(
    compiled: jsonata.Jsonata, roots: Collection[str], nodes: Collection[str], path: str
) -> Iterator[ExpressionFault]:
    said = f"In '{compiled.source}',"
    for first, second in sorted(compiled.starts, key=str):
        if first not in roots:
            known = f"Expressions start from {', '.join(sorted(roots))}."
            yield ExpressionFault(path, f"{said} '{first}' is nothing{closest(first, roots)} {known}")
        elif first == "nodes" and second is not None and second not in nodes:
            yield ExpressionFault(path, f"{said} there is no node '{second}'{closest(second, nodes)}")


def closest(name: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: what may have been meant."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean '{near[0]}'?" if near else "."


def has_expression(value: Json) -> bool:
    match value:
        case str():
            return OPEN in value
        case dict():
            return any(has_expression(one) for one in value.values())
        case list():
            return any(has_expression(one) for one in value)
        case _:
            return False


def expressions(source: Json) -> Iterator[str]:
    """The text of every expression in `source`."""
    match source:
        case str() if OPEN in source:
            yield from (piece.source for piece in _pieces(source) if isinstance(piece, Code))
        case dict():
            for value in source.values():
                yield from expressions(value)
        case list():
            for value in source:
                yield from expressions(value)
        case _:
            pass


def sole_expression(source: Json) -> str | None:
    """The expression that the text is, if it is one and nothing else."""
    pieces = _pieces(source) if isinstance(source, str) and OPEN in source else []
    return pieces[0].source if len(pieces) == 1 and isinstance(pieces[0], Code) else None


@dataclass(frozen=True, slots=True)
class Code:
    source: str


def _pieces(text: str) -> list[str | Code]:
    """Plain texts and expressions in turn. Braces inside an expression's strings and objects do not end it."""
    pieces: list[str | Code] = []
    at = 0
    while (start := text.find(OPEN, at)) >= 0:
        end = _closing(text, start + 2)
        pieces += [text[at:start], Code(text[start + 2 : end].strip())]
        at = end + 2
    return [piece for piece in [*pieces, text[at:]] if piece != ""]


def _closing(text: str, start: int) -> int:
    """Where the `}}` stands that ends the expression begun at `start`."""
    depth, quote, at = 0, "", start
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0 and text.startswith(CLOSE, at):
                return at
            depth -= 1
        at += 1
    raise jsonata.JsonataError("", f"'{{{{' at position {start - 2} is never closed by '}}}}'.", start)


def _compile(source: Json) -> Render | None:
    """None when there is nothing to compute."""
    match source:
        case str() if OPEN in source:
            return _compile_text(_pieces(source))
        case dict():
            return _compile_object(source)
        case list():
            renders = [_compile(value) for value in source]
            if not any(renders):
                return None
            pairs = list(zip(source, renders, strict=True))
            return lambda document, view: [value if run is None else run(document, view) for value, run in pairs]
        case _:
            return None


def _compile_object(source: dict[str, Json]) -> Render | None:
    renders = {key: render for key, value in source.items() if (render := _compile(value)) is not None}
    if not renders:
        return None
    return lambda document, view: {
        key: renders[key](document, view) if key in renders else value for key, value in source.items()
    }


def _compile_text(pieces: list[str | Code]) -> Render:
    if len(pieces) == 1 and isinstance(pieces[0], Code):
        return _expression(pieces[0].source)
    parts = [piece if isinstance(piece, str) else _expression(piece.source) for piece in pieces]

    def render(document: Json, view: View) -> Json:
        return "".join(part if isinstance(part, str) else as_text(part(document, view)) for part in parts)

    return render


def _expression(source: str) -> Render:
    compiled = jsonata.compile(source)

    def evaluate(document: Json, view: View) -> Json:
        try:
            value = compiled.evaluate(document, {}, view.around.now, view.around.seed())
        except jsonata.JsonataError as error:
            cause = f"The expression '{source}' failed: {error.message}"
            raise EvaluationFailed("States.QueryEvaluationError", cause) from error
        return None if value is jsonata.UNDEFINED else value

    return evaluate


def as_text(value: Json) -> str:
    """A value inside a text."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
