"""What the text of a JSONata expression mentions: enough to move it to another document without a parser.

Only tokens are told apart. Where the text leaves doubt whether a root of the document is used, it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ROOTS: Final = (
    "trigger",
    "nodes",
    "vars",
    "execution",
    "workflow",
    "workspace",
    "index",
    "item",
    "input",
    "error",
    "output",
)
"""What an expression of a graph may start from."""

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+|/\*.*?\*/)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<name>`[^`]*`|\w+)
  | (?P<variable>\$[\w$]*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PATTERN: Final = re.compile(r"/(?:\\.|[^/\\])+/[im]*", re.DOTALL)
_CONTEXT: Final = re.compile(r"\$\w+\s*\(\s*\)|\$(?:lookup|each|sift)\b")
"""Calls that may work on the document without naming it."""


@dataclass(frozen=True, slots=True)
class Token:
    """`operand`: whether a value has just ended before it, so that `/`, `*` and `%` calculate."""

    kind: str
    text: str
    operand: bool


def tokens(source: str) -> Iterator[Token]:
    at, operand = 0, False
    while found := _TOKEN.match(source, at):
        kind, text = found.lastgroup or "", found[0]
        if text == "/" and not operand and (pattern := _PATTERN.match(source, at)):
            kind, text = "pattern", pattern[0]
        yield Token(kind, text, operand)
        at += len(text)
        if kind != "space":
            operand = kind != "sign" or text in ")]}"


def moved(source: str, document: str) -> str:
    """The expression with `$$`, the document it was written for, spelled `document`."""
    return "".join(document if token.text == "$$" else token.text for token in tokens(source))


def roots(source: str) -> frozenset[str]:
    """The roots that the expression may use: those it names, or all where it takes hold of the document itself."""
    if _CONTEXT.search(source) or any(_is_whole(token) for token in tokens(source)):
        return frozenset(ROOTS)
    return frozenset(root for root in ROOTS if root in source)


def _is_whole(token: Token) -> bool:
    return token.text in ("$", "$$") or (token.text in ("*", "%") and not token.operand)
