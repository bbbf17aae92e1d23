"""Expressions and payload templates: is each one written in its query language, and does it name what is there?

JSONPath: a key that ends in `.$` holds a path or an intrinsic function call (States Language, Payload Template).
JSONata: a string between `{%` and `%}` is an expression, every other value is literal.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from linkflow.language import intrinsics, jsonata, jsonpath
from linkflow.language.asl_check.problem import DEEPEST, Place
from linkflow.language.asl_check.scope import Site, is_object
from linkflow.language.json import Json

STATES_FIELDS: Final = frozenset({"input", "result", "errorOutput", "context"})

_LOOKS_LIKE_PATH: Final = re.compile(r"\$\$?[.\[]\S|States\.[A-Z]\w*\(")


def is_jsonata(text: str) -> bool:
    return text.startswith("{%") and text.endswith("%}") and len(text) >= len("{%%}")


def jsonata_source(text: str) -> str:
    return text[2:-2].strip()


def check_jsonata(site: Site, text: str) -> None:
    """An expression with its delimiters."""
    if not is_jsonata(text):
        site.error("Value is not a valid JSONata expression", "Write the expression between '{%' and '%}'.")
        return
    try:
        compiled = jsonata.compile(jsonata_source(text))
    except jsonata.JsonataError as error:
        site.error(
            error.message, f"The JSONata expression cannot be parsed: {error}", code="INVALID_JSONATA_EXPRESSION"
        )
        return
    _check_states_fields(site, compiled.state_fields)


def _check_states_fields(site: Site, read: frozenset[str]) -> None:
    for name in sorted(read - site.states_fields - {"*"}):
        known = name in STATES_FIELDS
        site.error(
            f"Reference to '$states.{name}' is not supported.",
            f"$states.{name} has no value here." if known else f"$states has {', '.join(sorted(STATES_FIELDS))}.",
            code="UNSUPPORTED_JSONATA_EXPRESSION",
        )


def check_text(site: Site, text: str) -> None:
    """A string in a JSONata template: an expression, or a literal that does not pretend to be one."""
    if is_jsonata(text):
        check_jsonata(site, text)
    elif text.startswith("{%") or text.endswith("%}"):
        site.error(
            "A JSONata expression must start with '{%' and end with '%}'",
            "Open the expression with '{%' and close it with '%}', with nothing before or after.",
        )


def compiled_path(text: str) -> jsonpath.JsonPath | None:
    """Any path: into the input, the context object or a variable, definite or not; None: it is not one."""
    if not text.startswith("$"):
        return None
    try:
        return jsonpath.compile(text)
    except jsonpath.JsonPathError:
        return None


def is_path(text: str) -> bool:
    return compiled_path(text) is not None


def is_reference_path(text: str) -> bool:
    """A path that names exactly one value (States Language, Reference Path): no `@ .. , : ? *`."""
    path = compiled_path(text)
    return path is not None and path.definite


def is_intrinsic(text: str) -> bool:
    if not text.startswith("States."):
        return False
    try:
        intrinsics.compile(text)
    except intrinsics.IntrinsicError:
        return False
    return True


def looks_like_path(text: str) -> bool:
    return bool(_LOOKS_LIKE_PATH.match(text))


def _names_variable(site: Site, text: str) -> bool:
    return text.startswith("$") and site.scope is not None and text[1:] in site.scope


def check_template(site: Site, value: Json) -> None:
    """A payload template of the site's query language, however deep."""
    if site.language == "JSONata":
        for place, text in _strings(site, value):
            check_text(_moved(site, place), text)
    else:
        _check_path_template(site, value)


def _moved(site: Site, place: Place) -> Site:
    return replace(site, place=place)


def _strings(site: Site, value: Json) -> Iterator[tuple[Place, str]]:
    """Every string in the template with its place, in the document's order, without recursion."""
    waiting: list[tuple[Place, Json]] = [(site.place, value)]
    while waiting:
        place, part = waiting.pop()
        if isinstance(part, str):
            yield place, part
        elif isinstance(part, dict | list) and place.depth >= DEEPEST:
            too_deep(_moved(site, place))
        elif isinstance(part, dict):
            waiting.extend((place.at(key), member) for key, member in reversed(part.items()))
        elif isinstance(part, list):
            waiting.extend((place.at(index), part[index]) for index in reversed(range(len(part))))


def too_deep(site: Site) -> None:
    site.error("The definition is too deeply nested", f"Keep within {DEEPEST} levels.", code="TOO_DEEPLY_NESTED")


def _check_path_template(site: Site, value: Json) -> None:
    waiting: list[tuple[Place, Json]] = [(site.place, value)]
    while waiting:
        place, part = waiting.pop()
        if not isinstance(part, dict | list):
            continue
        if place.depth >= DEEPEST:
            too_deep(_moved(site, place))
        elif is_object(part):
            for key, member in part.items():
                _check_member(_moved(site, place), key, member, twin=key.endswith(".$") and key[:-2] in part)
            waiting.extend((place.at(key), part[key]) for key in reversed(part) if not key.endswith(".$"))
        else:
            waiting.extend((place.at(index), part[index]) for index in reversed(range(len(part))))


def _check_member(site: Site, key: str, value: Json, *, twin: bool) -> None:
    if key.endswith(".$"):
        if twin:
            site.error(
                f"The fields '{key}' and '{key[:-2]}' would both become '{key[:-2]}'",
                f"Keep one of '{key}', '{key[:-2]}'.",
            )
        if not isinstance(value, str) or not (is_path(value) or is_intrinsic(value)):
            site.error(
                f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call",
                f"Write a path ('$.a.b') or an intrinsic function call in '{key}', or drop '.$' from its name.",
            )
    elif isinstance(value, str) and (looks_like_path(value) or _names_variable(site, value)):
        site.at(key).warn(
            f"The value of '{key}' looks like a JSONPath or an intrinsic function call, but is passed as it is",
            f"Name the field '{key}.$' to have it evaluated.",
            code="NO_DOLLAR",
        )
