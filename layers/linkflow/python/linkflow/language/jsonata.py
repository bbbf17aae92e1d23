"""JSONata 2.0.6, as Step Functions speaks it. The one module that the rest knows; the library stays behind it.

An expression is parsed by the library, read by `jsonata_tree`, translated to Python by the library, checked (the code
may name nothing but `jsonata_namespace.namespace`), and kept. Evaluation is pure: time and seed are arguments, so a
replay gives the same values; it is bounded in work, depth, text and output; it may run in any thread, and within
another evaluation. `$var.a.b`, the commonest expression, is looked up without any of this.

Two bindings differ from the reference on purpose: a variable that bears a built-in function's name hides the function
where it is read, not where it is called (`$count($count)` works).
"""

import builtins
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import isfinite
from types import CodeType
from typing import Any, Final, final

import regex
from jsonata2py.errors import JsonataError as LibraryError
from jsonata2py.errors import ParseError
from jsonata2py.optimizer.optimizer import optimize
from jsonata2py.runtime.values import MISSING, JLambda, JRegex
from jsonata2py.translator.translator import Translator

from linkflow.language.json import Json
from linkflow.language.jsonata_fuel import STACK, Scope, enter, leave
from linkflow.language.jsonata_namespace import namespace
from linkflow.language.jsonata_runtime import field
from linkflow.language.jsonata_starts import starts
from linkflow.language.jsonata_tree import FUNCTIONS, Tree, Unreadable, parsed

__all__ = ["FUNCTIONS", "UNDEFINED", "Jsonata", "JsonataError", "NoData", "Undefined", "compile"]

DEEPEST_OUTPUT: Final = 200
"""Levels of arrays and objects in a result."""

_LOOP: Final = re.compile(r"\n    (?=(_items|for _e\w+) (?:=|in) \(?(_src|_sq\w+) if )")
_METHODS: Final = frozenset({"append", "get", "items", "setdefault", "__class__"})


MESSAGES: Final[Mapping[str, str]] = {
    "S0101": "String literal must be terminated by a matching quote",
    "T1006": "Attempted to invoke a non-function",
    "T1008": "Attempted to partially apply a non-function",
    "T2003": "The left side of the range operator (..) must evaluate to an integer",
    "T2004": "The right side of the range operator (..) must evaluate to an integer",
    "T2006": "The right side of the function application operator ~> must be a function",
    "D1004": "Regular expression matches zero length string",
}
"""What AWS prints behind a code, where the library words it differently and nothing is filled in."""


@final
class Undefined:
    """The expression selects nothing, which is not null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


class JsonataError(Exception):
    """An expression that cannot be compiled, or evaluated. `str()` is what AWS prints: the code, a colon, the message.

    `position` is where in the source, for errors of syntax."""

    def __init__(self, code: str, message: str, position: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.position = position


class NoData(JsonataError):
    """The expression gives a function or a regular expression, which is no JSON. (In an array or an object it prints
    as an empty text, as in the reference.)"""

    def __init__(self) -> None:
        super().__init__("U1001", "The result is a function, which is not JSON")


class Jsonata:
    """A compiled expression. Immutable, shared freely between threads.

    `references`: names behind `$` that it does not bind itself; one of `FUNCTIONS` only where it is read as a value.
    `state_fields`: the names it reads below `$states`, with `*` where it uses `$states` in another way.
    `starts`: where in the document its paths start. `seeded`: whether the seed matters, since making one costs.
    """

    __slots__ = ("_entry", "_path", "_timed", "references", "seeded", "source", "starts", "state_fields")

    def __init__(self, source: str) -> None:
        tree, self._entry = _translated(source)
        self.source = source
        self.references = frozenset(tree.references)
        self.state_fields = frozenset(tree.states)
        self.starts = starts(tree.root)
        self.seeded = tree.seeded
        self._path = tree.path
        self._timed = tree.timed

    def evaluate(
        self, document: Json | Undefined, bindings: Mapping[str, Json], now: float, seed: int
    ) -> Json | Undefined:
        """`document` is `$`, `bindings` the variables; `now` in seconds since 1970. Raises `JsonataError`.

        Neither argument is changed; the result may share parts with them."""
        path = self._path
        if path is not None and path[0] in bindings:
            value = bindings[path[0]]
            for name in path[1]:
                value = value.get(name, MISSING) if value.__class__ is dict else _over(value, name)
            return UNDEFINED if value is MISSING else value
        scope = Scope(bindings, now, seed)
        token = enter(scope, timed=self._timed)
        try:
            result = self._entry(MISSING if document is UNDEFINED else document)
            if isinstance(result, JLambda | JRegex):
                raise NoData  # noqa: TRY301 (what the caller is told, like any other error of the expression)
            return UNDEFINED if result is MISSING else _json(result, scope, 0)
        except Exception as error:
            raise _explained(error) from error
        finally:
            leave(token)


@lru_cache(maxsize=2048)
def compile(source: str) -> Jsonata:  # noqa: A001 (what every expression language here calls it)
    """The expression without its `{% %}`. Raises `JsonataError` with the position of what is wrong."""
    return Jsonata(source)


def _over(value: Json, name: str) -> Json:
    """A field of what is not a plain object: of each member of an array, or of nothing."""
    if not isinstance(value, list):
        return MISSING
    token = enter(Scope({}, 0, 0), timed=False)
    try:
        return field(value, name)
    finally:
        leave(token)


def _translated(source: str) -> tuple[Tree, Callable[[Json], Json]]:
    try:
        tree = Tree(parsed(source))
        generated = Translator.translate(optimize(tree.root))
        metered = _LOOP.sub(r"\n    spent(\2)\n    ", generated.partition("\n")[2])
        code = builtins.compile(metered, "<jsonata>", "exec")
        _allowed(code)
        names = dict(namespace())
        exec(code, names)  # noqa: S102 (generated, checked by _allowed, in a namespace without builtins)
    except Exception as error:
        raise _explained(error, "S0500") from error
    entry: Callable[[Json], Json] = names["_evaluate"]
    return tree, entry


def _allowed(code: CodeType) -> None:
    """Refuse code that names anything but the namespace, its own helpers and a few list and dict methods.

    The translator quotes every text and every name of the source, so this cannot happen; it is here for the day it
    does."""
    known = namespace()
    helpers = set(code.co_names)
    for part in _codes(code):
        for name in part.co_names:
            if (
                name not in known
                and name not in known["__builtins__"]
                and name not in _METHODS
                and not (name.startswith("_") and name in helpers)
            ):
                raise JsonataError("S0500", f"The expression was translated to code that names '{name}'")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _json(value: Any, scope: Scope, depth: int) -> Json:
    """A result as JSON: plain lists, whole numbers as integers, no functions, nothing infinite or undefined,
    bounded."""
    kind = value.__class__
    if kind is str or kind is int or kind is bool or value is None:
        return value
    scope.spend(1)
    if kind is float:
        return _number(value)
    if depth > DEEPEST_OUTPUT:
        raise JsonataError("U1001", f"The result is nested more than {DEEPEST_OUTPUT} levels deep")
    if isinstance(value, dict):
        scope.spend(2 * len(value))
        return {name: _json(member, scope, depth + 1) for name, member in value.items() if member is not MISSING}
    if isinstance(value, list):
        scope.spend(2 * len(value))
        return [_json(member, scope, depth + 1) for member in value if member is not MISSING]
    if isinstance(value, JLambda | JRegex):
        return ""
    raise JsonataError("U1001", f"The result holds a value that is not JSON: {kind.__name__}")


def _number(value: float) -> int | float:
    if not isfinite(value):
        raise JsonataError("D1001", f"Number out of range: {value}")
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _explained(error: Exception, unknown: str = "D3137") -> JsonataError:
    """The library's error, Python's, or ours, as the error that AWS would print."""
    match error:
        case JsonataError():
            return error
        case Unreadable():
            return JsonataError(error.code, error.message)
        case RecursionError() | MemoryError():
            return JsonataError("U1001", STACK)
        case regex.error():
            return JsonataError("S0302", f"Not a regular expression: {error}")
        case LibraryError():
            code = error.error_code or unknown
            position = error.position if isinstance(error, ParseError) and error.position >= 0 else None
            message = error.message.removesuffix(f" (position {position})")
            return JsonataError(code, MESSAGES.get(code, message), position)
        case OverflowError():
            return JsonataError("D1001", "Number out of range")
    return JsonataError(unknown, str(error))
