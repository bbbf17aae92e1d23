"""What translated expressions run on in the library's stead: the same functions, where those would cost more than what
they charge. They look first at what they are given."""

from typing import Any, Final

from jsonata2py.errors import _RuntimeEvaluationError as Failed
from jsonata2py.runtime import context, core, lambdas
from jsonata2py.runtime.strings import regex_ops
from jsonata2py.runtime.values import MISSING, JLambda, JRegex

from linkflow.language.jsonata_fuel import LONGEST_TEXT, Callback, bounded, counted, current, weigh

LONGEST_RANGE: Final = 1_000_000
"""Numbers in one range. The reference allows ten million; that is 400 MB in a process that others share."""

REGEX_SECONDS: Final = 0.25
"""That one search with a regular expression may take."""


class Sequence(list[Any]):
    """What a sequence function returned as a lambda's last act: unwrapped only by the caller of the lambda."""

    __slots__ = ()


def _product(length: int, times: int) -> None:
    """Refuse a text before it is built, `times` pieces of `length`."""
    if length * times > 16 * LONGEST_TEXT:
        raise Failed("U1001", f"A string would be longer than {LONGEST_TEXT:,} characters")


def field(node: Any, name: str) -> Any:
    if node.__class__ is dict:
        return node.get(name, MISSING)
    if isinstance(node, list):
        current().spend(1 + (len(node) >> 2))
    return core.field(node, name)


def eq(left: Any, right: Any) -> bool:
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        weigh(current(), left)
    return core.eq(left, right)


def ne(left: Any, right: Any) -> bool:
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        weigh(current(), left)
    return core.ne(left, right)


def concat(left: Any, right: Any) -> Any:
    if left.__class__ is not str or right.__class__ is not str:
        scope = current()
        weigh(scope, left)
        weigh(scope, right)
    text = core.concat(left, right)
    if len(text) > 64:
        current().spend(len(text) >> 6)
    return bounded(text)


def is_truthy(value: Any) -> bool:
    if value.__class__ is bool:
        return value
    if isinstance(value, list):
        weigh(current(), value)
    return core.is_truthy(value)


def range_(first: Any, last: Any) -> Any:
    if core.is_number(first) and core.is_number(last):
        sized(float(last) - float(first) + 1)
    return core.range_(first, last)


def sized(length: float) -> None:
    """Refuse a range before it is made."""
    if length > LONGEST_RANGE:
        raise Failed("D2014", f"A range holds at most {LONGEST_RANGE:,} numbers; this one would have {length:,.0f}")
    current().spend(max(0, int(length)))


def range_flatten(first: int, last: int) -> Any:
    sized(last - first + 1)
    return core.range_flatten(first, last)


def fn_join(array: Any, separator: Any = MISSING) -> Any:
    if isinstance(array, list) and isinstance(separator, str):
        _product(len(separator), len(array))
    return core.fn_join(array, separator)


def fn_pad(text: Any, width: Any, fill: Any = MISSING) -> Any:
    if core.is_number(width):
        _product(1, int(min(abs(float(width)), 100.0 * LONGEST_TEXT)))
    return core.fn_pad(text, width, fill)


def fn_replace(text: Any, pattern: Any, replacement: Any, limit: Any = MISSING) -> Any:
    if isinstance(text, str) and isinstance(replacement, str):
        found = text.count(pattern) if isinstance(pattern, str) and pattern else len(text) + 1
        _product(len(replacement), found)
    return core.fn_replace(text, pattern, replacement, limit)


class TimedPattern:
    """A compiled regular expression whose every search is bounded in time."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern

    def search(self, text: str, *position: int) -> Any:
        context.check_timeout()
        current().spend(1 + (len(text) >> 6))
        try:
            return self._pattern.search(text, *position, timeout=REGEX_SECONDS)
        except TimeoutError:
            raise Failed("U1001", "A regular expression takes too long to match") from None


def regex_value(pattern: str, flags: str) -> JRegex:
    return JRegex(pattern, flags, TimedPattern(regex_ops.regex_value(pattern, flags).compiled))


def lambda_value(function: Callback, arity: int = -1) -> JLambda:
    return JLambda(counted(function), arity)


def fn_apply(function: Any, argument: Any) -> Any:
    return unwrapped(lambdas.fn_apply(function, argument))


def fn_pipe(argument: Any, function: Any) -> Any:
    return unwrapped(lambdas.fn_pipe(argument, function))


def unwrapped(value: Any) -> Any:
    if value.__class__ is not Sequence:
        return value
    if len(value) > 1:
        return list(value)
    return value[0] if value else MISSING


def spent(items: Any) -> None:
    """Called by generated loops, which no function stands in front of."""
    current().spend(1 + len(items) if isinstance(items, list) else 1)
