"""What a path consists of, once it is read."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from linkflow.language.json import Json


@dataclass(frozen=True, slots=True)
class Slice:
    start: int | None
    stop: int | None
    step: int


@dataclass(frozen=True, slots=True)
class Wildcard:
    pass


@dataclass(frozen=True, slots=True)
class Filter:
    test: "Test"


Selector: TypeAlias = str | int | Slice | Wildcard | Filter
"""A name, an index, or several of either."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One step: `selectors` applied to the nodes so far, with `below` to everything beneath them too."""

    selectors: tuple[Selector, ...]
    below: bool = False

    @property
    def definite(self) -> bool:
        """At most one result."""
        return not self.below and len(self.selectors) == 1 and isinstance(self.selectors[0], str | int)

    @property
    def merges(self) -> bool:
        """`['a','b']`, which at the end of a path gives one object of those members rather than their values."""
        return len(self.selectors) > 1 and all(isinstance(selector, str) for selector in self.selectors)


@dataclass(frozen=True, slots=True)
class Query:
    """A path inside a filter; `relative` starts at the element that is tested (`@`), otherwise at the document."""

    relative: bool
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    value: Json


Operand: TypeAlias = Query | Constant
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "nin"]


@dataclass(frozen=True, slots=True)
class Compare:
    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True)
class Exists:
    query: Query


@dataclass(frozen=True, slots=True)
class Not:
    test: "Test"


@dataclass(frozen=True, slots=True)
class Every:
    """`&&`"""

    tests: tuple["Test", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """`||`"""

    tests: tuple["Test", ...]


Test: TypeAlias = Compare | Exists | Not | Every | Some
