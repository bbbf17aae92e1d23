"""A node's config as the States Language writes it: `{{ … }}` becomes `{% … %}` over the state's input.

The input of such a state is the document of roots. An expression is evaluated on it as a member of an object, so that
what it gives stays as it is: JSONata would unwrap a list of one at the end of a path. What it does not find is null.
"""

import re
from typing import Final

import msgspec

from linkflow.language.graph.template import OPEN, Code
from linkflow.language.graph.template import _pieces as pieces
from linkflow.language.graph.words import moved
from linkflow.language.json import Json

DOCUMENT: Final = "$states.input"

_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_KEYWORDS: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})


def query(expression: str) -> str:
    return f"{{% {expression} %}}"


def literal(value: Json) -> str:
    """A value as JSONata writes it, which is JSON."""
    return msgspec.json.encode(value).decode()


def member(variable: str, name: str) -> str:
    """A field of a variable; a name that JSONata reads otherwise stands in back-quotes."""
    return f"${variable}.`{name}`" if name in _KEYWORDS else f"${variable}.{name}"


def rendered(source: Json) -> Json:
    """The config as a template whose expressions start from `DOCUMENT`."""
    match source:
        case str() if OPEN in source:
            return query(_text(source))
        case str() if source.startswith("{%") or source.endswith("%}"):
            return query(literal(source))
        case dict():
            return {name: rendered(value) for name, value in source.items()}
        case list():
            return [rendered(value) for value in source]
        case _:
            return source


def expression(source: Json) -> str:
    """A value of a config as one expression."""
    return joined(rendered(source))


def joined(template: Json) -> str:
    """A template as one expression."""
    match template:
        case str() if template.startswith("{%"):
            return f"({template[2:-2].strip()})"
        case dict():
            return "{" + ", ".join(f"{literal(name)}: {joined(value)}" for name, value in template.items()) + "}"
        case list() if "{%" in literal(template):
            return _list(template)
        case _:
            return literal(template)


def _list(template: list[Json]) -> str:
    """JSONata flattens a list in a list unless it is written out there, so members are appended one by one."""
    listed = "[]"
    for one in template:
        listed = f'$append({listed}, ($one := {joined(one)}; $type($one) = "array" ? [[$one]] : [$one]))'
    return listed


def _text(source: str) -> str:
    parts = pieces(source)
    if len(parts) == 1 and isinstance(parts[0], Code):
        return _value(parts[0].source)
    said = [literal(part) if isinstance(part, str) else _inside(part.source) for part in parts]
    return " & ".join(said if isinstance(parts[0], str) else ['""', *said])


def _value(code: str) -> str:
    if _is_path(code):
        return f"($value := {DOCUMENT}.{code}; $exists($value) ? $value : null)"
    return f'$lookup($merge([{{"value": null}}, {_boxed(code)}]), "value")'


def _inside(code: str) -> str:
    """A value inside a text: nothing for null, else as `$string` writes it."""
    if _is_path(code):
        return f'($value := {DOCUMENT}.{code}; $value = null ? "" : $value)'
    return f'($box := {_boxed(code)}; $box.value = null ? "" : $lookup($box, "value"))'


def _is_path(code: str) -> bool:
    return _PATH.fullmatch(code) is not None and not _KEYWORDS.intersection(code.split("."))


def _boxed(code: str) -> str:
    return f'{DOCUMENT}.{{"value": ({moved(code, DOCUMENT)})}}'
