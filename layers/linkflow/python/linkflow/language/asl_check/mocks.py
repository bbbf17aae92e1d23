"""The result that a TestState request pretends a service gave: does it look like one?

In mode STRICT required fields must be there and every known field be of its type and within its bounds; PRESENT checks
the fields that are there; NONE checks nothing. Fields that the service does not know are let through. Shapes come from
the service's own model, in the vocabulary of the SDKs' JSON models (`type`, `required`, `members`, `min`, `max`,
`enum`), which the caller supplies: the core carries no service definitions.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from linkflow.language.asl_check.problem import DEEPEST
from linkflow.language.asl_check.scope import is_number, is_object
from linkflow.language.json import Json

Mode = Literal["STRICT", "PRESENT", "NONE"]

_INTEGRATION: Final = re.compile(r"arn:aws[a-z-]*:states:::(?:aws-sdk:)?([A-Za-z0-9-]+):([A-Za-z0-9]+)", re.ASCII)

_KINDS: Final[Mapping[str, str]] = {
    "structure": "an object",
    "map": "an object",
    "list": "an array",
    "string": "a string",
    "character": "a string",
    "blob": "a string",
    "timestamp": "a string",
    "boolean": "a boolean",
    "integer": "a number",
    "long": "a number",
    "float": "a number",
    "double": "a number",
    "bigdecimal": "a number",
}


@dataclass(frozen=True, slots=True)
class Model:
    """What an operation answers: the name of its output's shape, among the service's shapes."""

    output: str
    shapes: Mapping[str, Json]


Models = Callable[[str, str], Model | None]
"""(service, operation) as a Resource names them (`dynamodb`, `putItem`) → the model, where it is known."""


def integration(resource: str) -> tuple[str, str] | None:
    """The service and the operation in `arn:aws:states:::dynamodb:putItem`; the optimized `lambda:invoke` included."""
    found = _INTEGRATION.match(resource)
    return (found[1], found[2]) if found else None


def mismatch(result: Json, model: Model, mode: Mode) -> str | None:
    """The first thing in which the result differs from the model, in AWS's words; None: it fits."""
    if mode == "NONE":
        return None
    return next(_mismatches(result, model, mode), None)


def _mismatches(result: Json, model: Model, mode: Mode) -> Iterator[str]:
    waiting: list[tuple[str, Json, str, int]] = [("", result, model.output, 0)]
    while waiting:
        name, value, shape_name, depth = waiting.pop()
        shape = model.shapes.get(shape_name)
        if not is_object(shape) or depth > DEEPEST:
            continue
        kind = str(shape.get("type", "structure"))
        if not _is(value, kind):
            yield f"Field '{name}' must be {_KINDS.get(kind, 'an object')}"
            continue
        yield from _out_of_bounds(name, value, shape)
        if kind == "structure":
            yield from _missing(value, shape, mode)
        waiting.extend(reversed(list(_below(name, value, shape, kind, depth + 1))))


def _is(value: Json, kind: str) -> bool:
    match _KINDS.get(kind):
        case "an object":
            return is_object(value)
        case "an array":
            return isinstance(value, list)
        case "a string":
            return isinstance(value, str)
        case "a boolean":
            return isinstance(value, bool)
        case "a number":
            return is_number(value)
    return True


def _missing(value: Mapping[str, Json], shape: Mapping[str, Json], mode: Mode) -> Iterator[str]:
    if mode == "STRICT":
        for name in shape.get("required", ()):
            if pascal(name) not in value:
                yield f"Required field '{pascal(name)}' is missing"


def pascal(name: str) -> str:
    """Step Functions writes every field of every service with a capital."""
    return name[:1].upper() + name[1:]


def _out_of_bounds(name: str, value: Json, shape: Mapping[str, Json]) -> Iterator[str]:
    size, what = (
        (value, "value") if is_number(value) else (len(value) if isinstance(value, str | list) else None, "length")
    )
    if size is None:
        return
    if "min" in shape and size < shape["min"]:
        yield f"Field '{name}' is smaller than the minimum {what}"
    if "max" in shape and size > shape["max"]:
        yield f"Field '{name}' exceeds the maximum {what}"
    if isinstance(value, str) and value not in shape.get("enum", (value,)):
        yield f"Field '{name}' is not an expected value"


def _below(
    name: str, value: Json, shape: Mapping[str, Json], kind: str, depth: int
) -> Iterator[tuple[str, Json, str, int]]:
    if kind == "structure":
        for member, target in shape.get("members", {}).items():
            key = pascal(member)
            if key in value:
                yield key, value[key], target["shape"], depth
    elif kind == "list":
        for member in value:
            yield name, member, shape["member"]["shape"], depth
    elif kind == "map":
        for key, member in value.items():
            yield key, member, shape["value"]["shape"], depth
