"""What the value of one field may be. Each function takes the field's site and its value and reports what is wrong."""

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from typing import Final

from linkflow.language.asl_check.expressions import (
    check_jsonata,
    check_template,
    compiled_path,
    is_intrinsic,
    is_jsonata,
    is_path,
    is_reference_path,
    looks_like_path,
)
from linkflow.language.asl_check.scope import Site, is_integer, is_number, is_object
from linkflow.language.json import Json

Check = Callable[[Site, Json], None]

_TIMESTAMP: Final = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)\Z",
    re.ASCII,
)
"""RFC 3339 with an uppercase T and Z (States Language, Timestamps)."""


def is_timestamp(text: str) -> bool:
    """Whether it is written as one, and names a day of the calendar."""
    if not _TIMESTAMP.match(text):
        return False
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    return year > 0 and day <= monthrange(year, month)[1]


def expected(site: Site, kind: str) -> None:
    site.error(f"Expected value of type {kind}")


def anything(_site: Site, _value: Json) -> None:
    """Any JSON will do."""


def text(site: Site, value: Json) -> None:
    if not isinstance(value, str):
        expected(site, "String")


def boolean(site: Site, value: Json) -> None:
    if not isinstance(value, bool):
        expected(site, "Boolean")


def number(site: Site, value: Json) -> None:
    if not is_number(value):
        expected(site, "Number")


def one_of(*allowed: str) -> Check:
    """Exactly one of these strings."""
    listed = ", ".join(allowed)

    def check(site: Site, value: Json) -> None:
        if not isinstance(value, str) or value not in allowed:
            site.error(f"The field '{site.place.key}' should have one of these values: [{listed}]")

    return check


def whole(lowest: int, highest: int | None = None, *, queried: bool = True) -> Check:
    """A whole number within bounds. `queried`: in JSONata an expression may stand in its place."""
    return _numeric("Integer", lowest, highest, queried=queried)


def decimal(lowest: float, highest: float | None = None, *, queried: bool = True) -> Check:
    return _numeric("Number", lowest, highest, queried=queried)


def _numeric(kind: str, lowest: float, highest: float | None, *, queried: bool) -> Check:
    def check(site: Site, value: Json) -> None:
        if queried and site.language == "JSONata" and isinstance(value, str):
            check_jsonata(site, value)
        elif not (is_integer(value) if kind == "Integer" else is_number(value)):
            _wrong_number(site, kind, value)
        elif value < lowest:
            site.error(f"Minimum value is {lowest}")
        elif highest is not None and value > highest:
            site.error(f"Maximum value is {highest}")

    return check


def _wrong_number(site: Site, kind: str, value: Json) -> None:
    message = f"Expected value of type {kind}"
    if site.language == "JSONPath" and isinstance(value, str) and looks_like_path(value):
        site.error(message, f"To read it from the input, name the field '{site.place.key}Path'.")
    else:
        site.error(message)


def path(site: Site, value: Json) -> None:
    """InputPath and its like: any path, or null for nothing at all."""
    if value is not None and not (isinstance(value, str) and is_path(value)):
        site.error(
            "Value is not a valid JSONPath", "Write a path such as '$.order.items', or null for an empty object."
        )


def selected(site: Site, value: Json) -> None:
    """A path to a value that must be there."""
    if not (isinstance(value, str) and is_path(value)):
        site.error("Value is not a valid JSONPath", "Write a path such as '$.order.items'.")


def reference(site: Site, value: Json) -> None:
    """A path to exactly one value, of the input or of a variable."""
    if not (isinstance(value, str) and is_reference_path(value)):
        site.error(
            "Value is not a Reference Path", "Write a path to a single value, such as '$.order.total' or '$total'."
        )


def computed(site: Site, value: Json) -> None:
    """ErrorPath and CausePath: a reference path, or an intrinsic function call."""
    if not (isinstance(value, str) and (is_reference_path(value) or is_intrinsic(value))):
        site.error("Value is not a Reference Path", "Write a path to a single value, or an intrinsic function call.")


def result_path(site: Site, value: Json) -> None:
    """Where a result goes: a place in the input, `$` for all of it, or null to drop the result."""
    if value is None:
        return
    path = compiled_path(value) if isinstance(value, str) else None
    if path is None or not path.definite or path.root == "$":
        site.error("Value is not a Reference Path", "Write a path into the input such as '$.result', '$', or null.")
    elif path.root:
        site.error("Value is not a Reference Path", "ResultPath cannot write to a variable: use Assign.")


def template(site: Site, value: Json) -> None:
    check_template(site, value)


def object_template(site: Site, value: Json) -> None:
    """A template that must be an object, or a JSONata expression that makes one."""
    if is_object(value) or (site.language == "JSONata" and isinstance(value, str) and is_jsonata(value)):
        check_template(site, value)
    else:
        expected(site, "Object")


def array_or_jsonata(site: Site, value: Json) -> None:
    """Items: an array (with expressions in it), an object, or an expression."""
    if isinstance(value, str):
        check_jsonata(site, value)
    elif isinstance(value, list | dict):
        check_template(site, value)
    else:
        expected(site, "Array")


def message(site: Site, value: Json) -> None:
    """Error and Cause of a Fail state: text, in JSONata possibly computed."""
    if not isinstance(value, str):
        expected(site, "String")
    elif site.language == "JSONata":
        check_template(site, value)
    elif looks_like_path(value):
        name = site.place.key
        site.warn(
            f"The value of '{name}' looks like a path, but the field's name does not end with 'Path'",
            f"Name the field '{name}Path' to have it evaluated.",
            code="NO_PATH",
        )


def timestamp(site: Site, value: Json) -> None:
    if site.language == "JSONata" and isinstance(value, str) and is_jsonata(value):
        check_jsonata(site, value)
    elif not isinstance(value, str):
        expected(site, "String")
    elif not is_timestamp(value):
        site.error("String does not match RFC3339 timestamp", "Write a moment as '2026-03-14T01:59:00Z'.")


def texts(site: Site, value: Json) -> None:
    """A list of strings, or (JSONata) an expression that makes one."""
    if site.language == "JSONata" and isinstance(value, str):
        check_jsonata(site, value)
        return
    if not isinstance(value, list):
        expected(site, "Array")
        return
    for index, member in enumerate(value):
        text(site.at(index), member)


def required(site: Site, value: Json, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in value]
    if missing:
        site.error(f"These fields are required: [{', '.join(missing)}]", f"Add {' and '.join(missing)}.")


def exclusive(site: Site, value: Json, names: Sequence[str]) -> None:
    if sum(name in value for name in names) > 1:
        site.error(f"There should only be one of the following fields: [{', '.join(names)}]")
