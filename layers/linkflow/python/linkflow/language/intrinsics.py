"""Intrinsic functions of JSONPath mode: `States.Format('Hello, {}', $.name)`.

    call     = "States." name "(" [argument *("," argument)] ")"
    argument = call / path / "'" text "'" / number / "true" / "false" / "null"

In a text a backslash stands before `'`, `{`, `}` and itself, nowhere else: AWS refuses `\\"` when the definition is
created (recorded). Source: Amazon States Language, "Intrinsic Functions"; the functions are `intrinsic_functions`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from linkflow.language import jsonpath
from linkflow.language.intrinsic_functions import FUNCTIONS, Draw, IntrinsicFailed, Template
from linkflow.language.json import Json
from linkflow.language.json_text import NotJson
from linkflow.language.jsonpath import JsonPath, JsonPathError

__all__ = ["Intrinsic", "IntrinsicError", "IntrinsicFailed", "compile", "is_intrinsic"]

LONGEST_SOURCE: Final = 10_000
DEEPEST_CALLS: Final = 10
"""Calls in one another, as Step Functions allows (developer guide, "Intrinsics")."""

_NAME: Final = re.compile(r"States\.([A-Za-z0-9]+)[ \t]*\(")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_TEXT: Final = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_WORDS: Final = {"true": True, "false": False, "null": None}
_SEEDED: Final = frozenset({"MathRandom", "UUID"})

Resolve: TypeAlias = Callable[[JsonPath], Json]
"""The value of a path: the caller knows the input, the context object and the variables."""


class IntrinsicError(ValueError):
    """Text that is not a call of an intrinsic function. `position` counts characters of the source from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at character {position}")
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Json


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    source: str
    arguments: tuple["_Argument", ...]


_Argument: TypeAlias = "_Constant | Template | JsonPath | _Call"


class Intrinsic:
    """A compiled call. `paths` are all that it reads; `seeded`: whether the seed matters."""

    __slots__ = ("_call", "paths", "seeded", "source")

    def __init__(self, source: str) -> None:
        reader = _Reader(source)
        self.source = source
        self._call = reader.whole()
        self.paths = tuple(reader.paths)
        self.seeded = reader.seeded

    def evaluate(self, resolve: Resolve, seed: int) -> Json:
        """Raises `IntrinsicFailed`, and whatever `resolve` raises."""
        return _value(self._call, resolve, Draw(seed))


@lru_cache(maxsize=2048)
def compile(source: str) -> Intrinsic:  # noqa: A001 (what every expression language here calls it)
    """Raises `IntrinsicError` with the position of what is wrong."""
    return Intrinsic(source)


def is_intrinsic(source: str) -> bool:
    return source.startswith("States.")


def _value(argument: "_Argument", resolve: Resolve, draw: Draw) -> Json:
    match argument:
        case _Constant():
            return argument.value
        case Template():
            return argument.text
        case JsonPath():
            return resolve(argument)
        case _Call():
            return _called(argument, resolve, draw)


def _called(call: _Call, resolve: Resolve, draw: Draw) -> Json:
    given = [
        argument
        if isinstance(argument, Template) and at == 0 and call.name == "Format"
        else _value(argument, resolve, draw)
        for at, argument in enumerate(call.arguments)
    ]
    try:
        return FUNCTIONS[call.name].apply(given, draw)
    except IntrinsicFailed as failed:
        raise failed.within(call.source) from None
    except (NotJson, RecursionError, OverflowError) as error:
        raise IntrinsicFailed(str(error)).within(call.source) from None


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0
        self.paths: list[JsonPath] = []
        self.seeded = False

    def whole(self) -> _Call:
        if len(self._source) > LONGEST_SOURCE:
            raise IntrinsicError(f"A call has at most {LONGEST_SOURCE:,} characters", LONGEST_SOURCE)
        call = self._call()
        if self._at != len(self._source):
            raise self._wrong("The call ends before")
        return call

    def _call(self) -> _Call:
        start = self._at
        named = _NAME.match(self._source, start)
        if named is None:
            raise self._wrong("'States.<function>(' is missing")
        name = named[1]
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._wrong(f"There is no function States.{name}")
        self._depth += 1
        if self._depth > DEEPEST_CALLS:
            raise self._wrong(f"Calls are nested more than {DEEPEST_CALLS} levels deep")
        self._at = named.end()
        arguments = self._arguments()
        self._depth -= 1
        if not function.takes(len(arguments)):
            raise IntrinsicError(f"States.{name} does not take {len(arguments)} arguments", start)
        self.seeded = self.seeded or name in _SEEDED
        return _Call(name, self._source[start : self._at], arguments)

    def _arguments(self) -> tuple["_Argument", ...]:
        arguments: list[_Argument] = []
        if self._takes(")"):
            return ()
        while True:
            arguments.append(self._argument())
            if self._takes(")"):
                return tuple(arguments)
            if not self._takes(","):
                raise self._wrong("',' or ')' is missing")

    def _argument(self) -> "_Argument":
        self._skip()
        rest = self._source[self._at : self._at + 1]
        if rest == "'":
            return self._text()
        if rest == "$":
            return self._path()
        if rest == "S":
            return self._call()
        for word, value in _WORDS.items():
            if self._source.startswith(word, self._at):
                self._at += len(word)
                return _Constant(value)
        number = _NUMBER.match(self._source, self._at)
        if number is None:
            raise self._wrong("A path, a call, a text in single quotes, a number, true, false or null is missing")
        self._at = number.end()
        return _Constant(float(number[0]) if number[1] or number[2] else int(number[0]))

    def _text(self) -> Template:
        found = _TEXT.match(self._source, self._at)
        if found is None:
            raise self._wrong("A text is not closed")
        for escape in _ESCAPE.finditer(found[1]):
            if escape[1] not in "'{}\\":
                raise IntrinsicError(f"'{escape[0]}' is not an escape", self._at + 1 + escape.start())
        self._at = found.end()
        return Template(found[1])

    def _path(self) -> JsonPath:
        try:
            path, self._at = jsonpath.prefix(self._source, self._at)
        except JsonPathError as error:
            raise IntrinsicError(error.message, error.position) from None
        self.paths.append(path)
        return path

    def _takes(self, character: str) -> bool:
        self._skip()
        if self._source.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _skip(self) -> None:
        while self._source[self._at : self._at + 1] in {" ", "\t", "\n", "\r"}:
            self._at += 1

    def _wrong(self, message: str) -> IntrinsicError:
        return IntrinsicError(message, self._at)
