"""The grammar of Step Functions' JSONPath: Jayway's, with `$$` for the context object and `$name` for variables.

    path     = "$" ["$" / name] *segment
    segment  = ["."] "[" selector *("," selector) "]" / "." (name / "*") / ".." (name / "*" / "[" selectors "]")
    selector = quoted / integer / slice / "*" / "?(" test ")"
    test     = test "||" test / test "&&" test / "!" test / "(" test ")" / value operator value / path from "@" or "$"

Names behind a dot are anything up to the next `.`, `[`, blank, comma or parenthesis (`$.delivery-partner`). In a quoted
name `\\'` is a quote and `\\\\` a backslash; `\\"` between single quotes is both characters (recorded on AWS). Jayway's
functions (`.length()`) are not part of the dialect.
"""

import json
from typing import Final

from linkflow.language.json import Json
from linkflow.language.jsonpath_terms import (
    Compare,
    Constant,
    Every,
    Exists,
    Filter,
    Not,
    Operand,
    Operator,
    Query,
    Segment,
    Selector,
    Slice,
    Some,
    Test,
    Wildcard,
)


class JsonPathError(ValueError):
    """Text that is not a path. `position` counts characters of the source from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at character {position}")
        self.message = message
        self.position = position


_OPERATORS: Final[tuple[Operator, ...]] = ("==", "!=", "<=", ">=", "<", ">", "nin", "in")
_ENDS_A_NAME: Final = frozenset(".[]() ,\t\r\n'\"")
_ENDS_A_TESTED_NAME: Final = _ENDS_A_NAME | frozenset("=<>!&|")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_LARGEST: Final = (1 << 53) - 1
_DEEPEST: Final = 20
_BLANKS: Final = " \t\r\n"


class Reader:
    """Reads one path from `source`, starting at `at`, which stands behind the path afterwards."""

    def __init__(self, source: str, at: int = 0) -> None:
        self.source = source
        self.at = at
        self._depth = 0

    def path(self) -> tuple[str, tuple[Segment, ...]]:
        """The root ("" the input, "$" the context object, or a variable's name) and the steps from there."""
        self._expect("$")
        root = ""
        if self._takes("$"):
            root = "$"
        elif self._peek().isalpha() or self._peek() == "_":
            start = self.at
            while self._peek().isalnum() or self._peek() == "_":
                self.at += 1
            root = self.source[start : self.at]
        return root, self._segments()

    def _segments(self) -> tuple[Segment, ...]:
        segments: list[Segment] = []
        while True:
            if self._takes(".."):
                segments.append(Segment(self._bracket() if self._takes("[") else (self._dotted(),), below=True))
            elif self._takes("."):
                segments.append(Segment(self._bracket() if self._takes("[") else (self._dotted(),)))
            elif self._takes("["):
                segments.append(Segment(self._bracket()))
            else:
                return tuple(segments)

    def _dotted(self) -> Selector:
        if self._takes("*"):
            return Wildcard()
        start = self.at
        ends = _ENDS_A_TESTED_NAME if self._depth else _ENDS_A_NAME
        while self._peek() and self._peek() not in ends:
            self.at += 1
        if start == self.at:
            raise self._wrong("A name is missing")
        if self._peek() == "(":
            raise self._wrong("Functions are not part of this dialect")
        return self.source[start : self.at]

    def _bracket(self) -> tuple[Selector, ...]:
        selectors = [self._selector()]
        while self._takes(",", blanks=True):
            selectors.append(self._selector())
        self._skip()
        self._expect("]")
        return tuple(selectors)

    def _selector(self) -> Selector:
        self._skip()
        first = self._peek()
        if first in {"'", '"'}:
            return self._quoted()
        if self._takes("*"):
            return Wildcard()
        if self._takes("?"):
            return Filter(self._some())
        return self._index_or_slice()

    def _index_or_slice(self) -> Selector:
        start = self._integer()
        if not self._takes(":", blanks=True):
            if start is None:
                raise self._wrong("A name in quotes, an index, a slice, * or a filter is missing")
            return start
        stop = self._integer()
        step = self._integer() if self._takes(":", blanks=True) else None
        return Slice(start, stop, 1 if step is None else step)

    def _integer(self) -> int | None:
        self._skip()
        start = self.at
        self._takes("-")
        digits = self.at
        while self._peek().isdigit() and self._peek().isascii():
            self.at += 1
        text = self.source[start : self.at]
        if not text:
            return None
        if digits == self.at or (len(text) > 1 and self.source[digits] == "0") or len(text) > 17:
            raise self._wrong(f"{text} is not an index")
        if abs(int(text)) > _LARGEST:
            raise self._wrong(f"{text} is too large an index")
        return int(text)

    def _quoted(self) -> str:
        quote = self._peek()
        self.at += 1
        pieces: list[str] = []
        while (character := self._peek()) != quote:
            if not character or character < " ":
                raise self._wrong("A quoted name is not closed")
            self.at += 1
            pieces.append(self._escaped(quote) if character == "\\" else character)
        self.at += 1
        return "".join(pieces)

    def _escaped(self, quote: str) -> str:
        character = self._peek()
        self.at += 1
        if character == "u":
            return self._unicode()
        if character == quote:
            return quote
        if not character:
            raise self._wrong("A quoted name is not closed")
        return _ESCAPES.get(character, "\\" + character)

    def _unicode(self) -> str:
        """`\\uXXXX`, or two of them that make one character beyond the 16-bit plane."""
        code = self._hexadecimal()
        if 0xD800 <= code < 0xDC00 and self.source.startswith("\\u", self.at):
            self.at += 2
            low = self._hexadecimal()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= code < 0xE000:
            raise self._wrong("Half a character")
        return chr(code)

    def _hexadecimal(self) -> int:
        digits = self.source[self.at : self.at + 4]
        if len(digits) < 4 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            raise self._wrong("Four hexadecimal digits are missing")
        self.at += 4
        return int(digits, 16)

    def _some(self) -> Test:
        tests = [self._every()]
        while self._takes("||", blanks=True):
            tests.append(self._every())
        return tests[0] if len(tests) == 1 else Some(tuple(tests))

    def _every(self) -> Test:
        tests = [self._test()]
        while self._takes("&&", blanks=True):
            tests.append(self._test())
        return tests[0] if len(tests) == 1 else Every(tuple(tests))

    def _test(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong("The filter is nested too deeply")
        try:
            return self._one_test()
        finally:
            self._depth -= 1

    def _one_test(self) -> Test:
        if self._takes("!", blanks=True):
            return Not(self._test())
        if self._takes("(", blanks=True):
            test = self._some()
            self._skip()
            self._expect(")")
            return test
        left = self._operand()
        for operator in _OPERATORS:
            if self._takes(operator, blanks=True):
                return Compare(self._single(left), operator, self._single(self._operand()))
        if isinstance(left, Constant):
            raise self._wrong("A constant alone is not a test")
        return Exists(left)

    def _single(self, operand: Operand) -> Operand:
        if isinstance(operand, Query) and not all(segment.definite for segment in operand.segments):
            raise self._wrong("A path with many results cannot be compared")
        return operand

    def _operand(self) -> Operand:
        self._skip()
        first = self._peek()
        if first in {"'", '"'}:
            return Constant(self._quoted())
        if first in {"@", "$"} and first:
            self.at += 1
            return Query(first == "@", self._segments())
        if self._takes("["):
            return Constant(self._constants())
        try:
            value, end = json.JSONDecoder(parse_constant=_refuse).raw_decode(self.source, self.at)
        except (ValueError, RecursionError):
            raise self._wrong("A value is missing") from None
        self.at = end
        return Constant(value)

    def _constants(self) -> list[Json]:
        """The members of `['A', 'B']`, which `in` looks through."""
        members: list[Json] = []
        while not self._takes("]", blanks=True):
            if members:
                self._expect(",")
            self._skip()
            member = None if self._peek() == "[" else self._operand()
            if not isinstance(member, Constant):
                raise self._wrong("A list holds texts, numbers, true, false and null")
            members.append(member.value)
        return members

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _skip(self) -> None:
        while self._peek() and self._peek() in _BLANKS:
            self.at += 1

    def _takes(self, text: str, *, blanks: bool = False) -> bool:
        if blanks:
            self._skip()
        if self.source.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise self._wrong(f"'{text}' is missing")

    def _wrong(self, message: str) -> JsonPathError:
        return JsonPathError(message, self.at)


def _refuse(name: str) -> None:
    raise ValueError(name)
