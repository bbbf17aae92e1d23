"""Paths as Step Functions uses them: a definite path gives the value and fails when it is not there, any other path
gives an array, which may be empty (developer guide, "Paths"). Several names at the end of a path give one object.

Most paths are names and indices only; they are looked up directly. The rest is `jsonpath_select`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from linkflow.language.json import Json
from linkflow.language.jsonpath_select import Selection, TooWide
from linkflow.language.jsonpath_syntax import JsonPathError, Reader
from linkflow.language.jsonpath_terms import Segment

__all__ = ["JsonPath", "JsonPathError", "PathMismatch", "PathNotFound", "ReferencePath", "compile", "prefix"]

LONGEST_SOURCE: Final = 8_192
_NOTHING: Final = object()

Key: TypeAlias = str | int


class PathNotFound(Exception):
    """A definite path that leads nowhere. The message is what AWS prints behind `Invalid path '…' : `."""


class PathMismatch(Exception):
    """A reference path that cannot be written: something on the way is not an object or an array."""


class JsonPath:
    """A compiled path. Immutable.

    `root`: whose document it is evaluated on, "" the input, "$" the context object, otherwise a variable's name.
    `definite`: one value, or `PathNotFound`.
    """

    __slots__ = ("_keys", "_merges", "_segments", "definite", "root", "source")

    def __init__(self, source: str, root: str, segments: tuple[Segment, ...]) -> None:
        self.source = source
        self.root = root
        self._segments = segments
        self._keys = _keys(segments)
        self._merges = bool(segments) and segments[-1].merges
        *before, last = segments or (Segment(("",)),)
        self.definite = all(segment.definite for segment in before) and (
            last.definite or (last.merges and not last.below)
        )

    def evaluate(self, document: Json) -> Json:
        """The value, or the array of values. Raises `PathNotFound` for a definite path, and for one that looks at
        too much."""
        if self._merges or not self.definite:
            return self._selected(document)
        value = document
        for depth, key in enumerate(self._keys):
            kind = value.__class__
            if kind is dict and key.__class__ is str:
                found = value.get(key, _NOTHING)
            elif kind is list and isinstance(key, int):
                found = value[key] if -len(value) <= key < len(value) else _NOTHING
            else:
                raise PathNotFound(_unsuited(value, self._keys, depth))
            if found is _NOTHING:
                raise PathNotFound(_missing(self._keys, depth))
            value = found
        return value

    def _selected(self, document: Json) -> Json:
        selection = Selection(document)
        try:
            if not self._merges:
                return selection.nodes(document, self._segments)
            found = selection.merged(document, self._segments)
        except (TooWide, RecursionError) as error:
            raise PathNotFound(str(error)) from None
        if not self.definite:
            return found
        if not found:
            raise PathNotFound(f"No results for path: {self.source}")
        return found[0]

    def reference(self) -> "ReferencePath":
        """The path as a place to write to. Raises `JsonPathError` for one that may mean several places."""
        if self._merges or not self.definite:
            raise JsonPathError(f"{self.source} may mean several places, which a reference path must not", 0)
        return ReferencePath(self)

    def __repr__(self) -> str:
        return f"JsonPath({self.source})"


class ReferencePath:
    """A path of names and indices, as `ResultPath` has it: where a result is put into the input."""

    __slots__ = ("_keys", "path")

    def __init__(self, path: JsonPath) -> None:
        self.path = path
        self._keys = _keys(path._segments)  # noqa: SLF001 (the same module)

    def put(self, document: Json, value: Json) -> Json:
        """A document with `value` at the path; only what lies on the way is copied. Objects that are missing on the way
        are made, elements of arrays are not. Raises `PathMismatch` (`States.ResultPathMatchFailure`)."""
        return self._put(document, 0, value)

    def _put(self, document: Json, depth: int, value: Json) -> Json:
        if depth == len(self._keys):
            return value
        key = self._keys[depth]
        if isinstance(key, str) and isinstance(document, dict):
            inner = document.get(key, _NOTHING)
            if inner is _NOTHING:
                inner = {}
            return {**document, key: self._put(inner, depth + 1, value)}
        if isinstance(key, int) and isinstance(document, list) and -len(document) <= key < len(document):
            changed = list(document)
            changed[key] = self._put(document[key], depth + 1, value)
            return changed
        raise PathMismatch(f"Unable to apply ReferencePath {self.path.source} at {_spelled(self._keys[: depth + 1])}")


@lru_cache(maxsize=4096)
def compile(source: str) -> JsonPath:  # noqa: A001 (what every expression language here calls it)
    """Raises `JsonPathError` where the text is not a path of this dialect."""
    path, end = prefix(source, 0)
    if end != len(source):
        raise JsonPathError(f"'{source[end]}' is not part of a path", end)
    return path


def prefix(source: str, start: int) -> tuple[JsonPath, int]:
    """The path that begins at `start`, and where it ends."""
    if len(source) > LONGEST_SOURCE:
        raise JsonPathError(f"A path has at most {LONGEST_SOURCE:,} characters", LONGEST_SOURCE)
    reader = Reader(source, start)
    root, segments = reader.path()
    return JsonPath(source[start : reader.at], root, segments), reader.at


def _keys(segments: Sequence[Segment]) -> tuple[Key, ...]:
    return tuple(selector for segment in segments for selector in segment.selectors if isinstance(selector, str | int))


def _spelled(keys: Sequence[Key]) -> str:
    """The path as AWS prints it: `$['a'][0]`."""
    return "$" + "".join(f"['{key}']" if isinstance(key, str) else f"[{key}]" for key in keys)


def _missing(keys: Sequence[Key], depth: int) -> str:
    if depth == len(keys) - 1 or isinstance(keys[depth], int):
        return f"No results for path: {_spelled(keys)}"
    return f"Missing property in path {_spelled(keys[: depth + 1])}"


def _unsuited(value: Json, keys: Sequence[Key], depth: int) -> str:
    before = _spelled(keys[:depth])
    if isinstance(keys[depth], int):
        return f"[{keys[depth]}] can only be applied to arrays, but {before} is {_kind(value)}"
    return f"Expected to find an object with property ['{keys[depth]}'] in path {before} but found {_kind(value)}"


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
