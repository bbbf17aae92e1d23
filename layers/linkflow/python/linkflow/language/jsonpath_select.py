"""What a path with many results selects. Bounded: `$..*..*..*` would otherwise select more than there is time for."""

from collections.abc import Iterator
from typing import Any, Final, assert_never

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

MOST_VISITS: Final = 1_000_000
"""Nodes that one evaluation looks at, filters included."""


class TooWide(Exception):
    """The path looks at more nodes than one evaluation may."""


class _Nothing:
    __slots__ = ()


_NOTHING: Final = _Nothing()


class Selection:
    """One evaluation of a path on `document`."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._visits = 0

    def nodes(self, start: Json, segments: tuple[Segment, ...]) -> list[Json]:
        found: list[Json] = [start]
        for segment in segments:
            found = list(self._step(found, segment))
        return found

    def merged(self, start: Json, segments: tuple[Segment, ...]) -> list[Json]:
        """As `nodes`, for a path that ends in several names: one object of them for each node before it."""
        *before, last = segments
        found: list[Json] = []
        for node in self.nodes(start, tuple(before)):
            for place in self._places(node) if last.below else (node,):
                if isinstance(place, dict):
                    self._look(len(last.selectors))
                    members = {name: place[name] for name in last.selectors if isinstance(name, str) and name in place}
                    if members or not last.below:
                        found.append(members)
        return found

    def _step(self, nodes: list[Json], segment: Segment) -> Iterator[Json]:
        for node in nodes:
            for place in self._places(node) if segment.below else (node,):
                for selector in segment.selectors:
                    yield from self._select(place, selector)

    def _places(self, node: Json) -> Iterator[Json]:
        """The node and everything beneath it, parents before children, in document order."""
        waiting = [node]
        while waiting:
            place = waiting.pop()
            if isinstance(place, dict | list):
                yield place
                members = list(place.values()) if isinstance(place, dict) else place
                self._look(len(members))
                waiting.extend(reversed(members))

    def _select(self, node: Json, selector: Selector) -> Iterator[Json]:
        self._look(1)
        match selector:
            case str():
                if isinstance(node, dict) and selector in node:
                    yield node[selector]
            case int():
                if isinstance(node, list) and -len(node) <= selector < len(node):
                    yield node[selector]
            case Slice():
                if isinstance(node, list) and selector.step:
                    yield from node[selector.start : selector.stop : selector.step]
            case Wildcard():
                yield from _members(node)
            case Filter():
                yield from (member for member in _members(node) if self._holds(selector.test, member))
            case _:
                assert_never(selector)

    def _holds(self, test: Test, node: Json) -> bool:
        self._look(1)
        match test:
            case Exists(query):
                return bool(self._query(query, node))
            case Compare(left, operator, right):
                return _compare(self._value(left, node), operator, self._value(right, node))
            case Not(inner):
                return not self._holds(inner, node)
            case Every(tests):
                return all(self._holds(inner, node) for inner in tests)
            case Some(tests):
                return any(self._holds(inner, node) for inner in tests)
            case _:
                assert_never(test)

    def _query(self, query: Query, node: Json) -> list[Json]:
        return self.nodes(node if query.relative else self._document, query.segments)

    def _value(self, operand: Operand, node: Json) -> Any:
        if isinstance(operand, Constant):
            return operand.value
        found = self._query(operand, node)
        return found[0] if found else _NOTHING

    def _look(self, nodes: int) -> None:
        self._visits += nodes
        if self._visits > MOST_VISITS:
            raise TooWide(f"The path looks at more than {MOST_VISITS:,} values")


def _members(node: Json) -> list[Json]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _compare(left: Any, operator: Operator, right: Any) -> bool:
    match operator:
        case "==":
            return equal(left, right)
        case "!=":
            return not equal(left, right)
        case "<=":
            return equal(left, right) or _less(left, right)
        case ">=":
            return equal(left, right) or _less(right, left)
        case "<":
            return _less(left, right)
        case ">":
            return _less(right, left)
        case "in":
            return isinstance(right, list) and any(equal(left, member) for member in right)
        case "nin":
            return not (isinstance(right, list) and any(equal(left, member) for member in right))
        case _:
            assert_never(operator)


def equal(left: Any, right: Any) -> bool:
    """JSON equality: `true` is not 1, 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(one, other) for one, other in zip(left, right, strict=True))
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    """Numbers and texts have an order among themselves; nothing else has one."""
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left < right
    return isinstance(left, str) and isinstance(right, str) and left < right
