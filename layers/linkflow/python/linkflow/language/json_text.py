"""JSON, and values that are not JSON, as the texts that Step Functions makes of them.

It runs on the JVM: numbers with a fraction or an exponent print as Java's `Double.toString` does, and `States.Format`
prints objects as a Java map (`{Arg1=1, Arg2=[]}`, recorded). Both are visible to users, so both are kept.
"""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Final

from linkflow.language.json import Json

_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""A surrogate, which means something only as one of a pair."""

_SMALLEST_PLAIN: Final = 1e-3
_LARGEST_PLAIN: Final = 1e7


class NotJson(ValueError):
    """A value or a text that JSON does not know: NaN, an infinity, something that is not data."""


def parsed(text: str) -> Json:
    """The value. Raises `NotJson` for anything else than one JSON text, `NaN`, infinities and unpaired surrogates
    included."""
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    return value


def compact(value: Json) -> str:
    """One line without blanks, members in their order, characters beyond ASCII as they are."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            return "{" + ",".join(f"{compact(name)}:{compact(member)}" for name, member in value.items()) + "}"
        case list():
            return "[" + ",".join(map(compact, value)) + "]"
        case _:
            return _scalar(value)


def printed(value: Json) -> str:
    """As `States.Format` prints an argument: text as it is, objects and arrays as Java prints them."""
    match value:
        case str():
            return value
        case dict():
            return "{" + ", ".join(f"{name}={printed(member)}" for name, member in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(printed, value)) + "]"
        case _:
            return _scalar(value)


def _scalar(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double(value)
        case _:
            raise NotJson(f"{type(value).__name__} is not JSON")


def double(value: float) -> str:
    """`Double.toString` (Java SE API): plain between 0.001 and ten million, otherwise `1.0E10`."""
    if not isfinite(value):
        raise NotJson(f"{value} is not JSON")
    if value == 0 or _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    significant = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{significant[0]}.{significant[1:] or '0'}E{power}"


def _refused(name: str) -> None:
    raise NotJson(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise NotJson(f"{text} is too large a number")
    return value
