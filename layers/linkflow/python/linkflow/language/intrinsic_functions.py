"""What each intrinsic function does (developer guide, "Intrinsics for JSONPath states"; recorded cases decide details).

Functions get their arguments evaluated and say `IntrinsicFailed` when they cannot be applied. Random ones draw from the
seed, so a replay gives the same values.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Any, Final, TypeAlias

from linkflow.language.json import Json
from linkflow.language.json_text import NotJson, compact, parsed, printed
from linkflow.language.jsonpath_select import equal

LONGEST_DATA: Final = 10_000
"""Characters that States.Hash and the Base64 functions take."""

LONGEST_RANGE: Final = 1_000
_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_PIECE: Final = re.compile(r"\\(['{}\\])|(\{\})")


class IntrinsicFailed(Exception):
    """A function that could not be applied to its arguments: `States.IntrinsicFailure`."""

    def __init__(self, cause: str, error: str = "States.IntrinsicFailure") -> None:
        super().__init__(cause)
        self.error = error
        self.cause = cause

    def within(self, source: str) -> "IntrinsicFailed":
        """The same failure, naming the call."""
        return IntrinsicFailed(f"The function '{source}' had the following error: {self.cause}", self.error)


@dataclass(frozen=True, slots=True)
class Template:
    """A text as it stands in the definition, its escapes unresolved: only States.Format tells `{}` from `\\{\\}`."""

    raw: str

    @property
    def text(self) -> str:
        return _PIECE.sub(lambda piece: piece[1] or piece[0], self.raw)


class Draw:
    """Randomness of one evaluation: the same for the same seed, different for every call in it."""

    __slots__ = ("_calls", "_seed")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._calls = 0

    def bytes(self, label: str) -> bytes:
        self._calls += 1
        return hashlib.sha256(f"{self._seed}/{label}/{self._calls}".encode()).digest()


Apply: TypeAlias = Callable[..., Json]


@dataclass(frozen=True, slots=True)
class Function:
    """`most` is None where any number of arguments will do; `random`: takes the draw before its arguments."""

    function: Apply
    least: int
    most: int | None
    random: bool = False

    def takes(self, arguments: int) -> bool:
        return arguments >= self.least and (self.most is None or arguments <= self.most)

    def apply(self, arguments: list[Any], draw: Draw) -> Json:
        return self.function(draw, *arguments) if self.random else self.function(*arguments)


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise IntrinsicFailed(f"The first argument must be an array, but was {compact(value)}")
    return value


def _text(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise IntrinsicFailed(f"The {what} must be a string, but was {compact(value)}")
    return value


def _whole(value: Json, what: str) -> int:
    """A number rounded to the nearest integer, halves upwards (recorded: -1.5 gives -1)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntrinsicFailed(f"The {what} must be a number, but was {compact(value)}")
    return value if isinstance(value, int) else floor(value + 0.5)


def _limited(text: str) -> str:
    if len(text) > LONGEST_DATA:
        raise IntrinsicFailed(f"The data must be at most {LONGEST_DATA:,} characters long")
    return text


def format_text(template: Json | Template, *arguments: Json) -> str:
    """`{}` stands for the next argument; their numbers must agree."""
    raw = template.raw if isinstance(template, Template) else _text(template, "template")
    waiting = iter(arguments)
    filled = 0

    def piece(found: re.Match[str]) -> str:
        nonlocal filled
        if found[1]:
            return found[1]
        filled += 1
        return printed(next(waiting, None))

    text = _PIECE.sub(piece, raw)
    if filled != len(arguments):
        raise IntrinsicFailed(
            f"The number of arguments does not match the occurrences of {{}}: {len(arguments)} and {filled}"
        )
    return text


def string_to_json(text: Json) -> Json:
    """An empty text, or one of blanks, gives null (recorded)."""
    source = _text(text, "argument")
    if not source.strip():
        return None
    try:
        return parsed(source)
    except NotJson as error:
        raise IntrinsicFailed(f"The argument is not a valid JSON string: {error}") from None


def partition(array: Json, size: Json) -> Json:
    items, width = _array(array), _whole(size, "chunk size")
    if width < 1:
        raise IntrinsicFailed("The chunk size must be a positive integer")
    return [items[start : start + width] for start in range(0, len(items), width)]


def array_contains(array: Json, value: Json) -> bool:
    return any(equal(member, value) for member in _array(array))


def array_range(first: Json, last: Json, step: Json) -> Json:
    start, stop, stride = _whole(first, "first number"), _whole(last, "last number"), _whole(step, "increment")
    if stride == 0:
        raise IntrinsicFailed("The increment must not be 0")
    numbers = range(start, stop + (1 if stride > 0 else -1), stride)
    if len(numbers) > LONGEST_RANGE:
        raise IntrinsicFailed(f"The range must hold at most {LONGEST_RANGE:,} numbers, not {len(numbers):,}")
    return list(numbers)


def array_get_item(array: Json, index: Json) -> Json:
    items, at = _array(array), _whole(index, "index")
    if not 0 <= at < len(items):
        raise IntrinsicFailed(f"Index {at} is outside of the array, which has {len(items)} elements")
    return items[at]


def array_unique(array: Json) -> Json:
    """The first of each, in order."""
    seen: dict[str, Json] = {}
    for member in _array(array):
        seen.setdefault(compact(_comparable(member)), member)
    return list(seen.values())


def _comparable(value: Json) -> Json:
    """The same for values that are equal as JSON: members sorted, whole numbers as integers."""
    match value:
        case dict():
            return {name: _comparable(value[name]) for name in sorted(value)}
        case list():
            return [_comparable(member) for member in value]
        case float() if value.is_integer():
            return int(value)
    return value


def base64_encode(text: Json) -> str:
    return base64.b64encode(_limited(_text(text, "argument")).encode("utf-8", "surrogatepass")).decode("ascii")


def base64_decode(text: Json) -> str:
    try:
        return base64.b64decode(_limited(_text(text, "argument")), validate=True).decode()
    except (binascii.Error, ValueError):
        raise IntrinsicFailed("The argument is not a valid Base64 encoded string") from None


def hash_data(data: Json, algorithm: Json) -> str:
    """Lower-case hexadecimal. What is not text is hashed as its JSON."""
    digest = _DIGESTS.get(_text(algorithm, "algorithm"))
    if digest is None:
        raise IntrinsicFailed(f"The algorithm must be one of {', '.join(_DIGESTS)}, but was {algorithm}")
    text = _limited(data if isinstance(data, str) else compact(data))
    return hashlib.new(digest, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def json_merge(first: Json, second: Json, deep: Json) -> Json:
    """The members of both, those of the second where both have one. Step Functions supports the shallow merge only."""
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise IntrinsicFailed("The first two arguments must be JSON objects")
    if deep is not False:
        raise IntrinsicFailed("The third argument must be false: only the shallow merge is supported")
    return {**first, **second}


def math_random(draw: Draw, first: Json, last: Json, seed: Json = None) -> int:
    """From the first number inclusive to the last exclusive; with a seed of its own always the same."""
    start, stop = _whole(first, "first number"), _whole(last, "last number")
    if stop <= start:
        raise IntrinsicFailed("The first number must be smaller than the last")
    digest = draw.bytes("MathRandom") if seed is None else hashlib.sha256(f"{_whole(seed, 'seed')}".encode()).digest()
    return start + int.from_bytes(digest, "big") % (stop - start)


def math_add(first: Json, second: Json) -> int:
    return _whole(first, "first number") + _whole(second, "second number")


def string_split(text: Json, separators: Json) -> Json:
    """Split at each of the characters of `separators`; empty pieces are left out (recorded)."""
    source, characters = _text(text, "first argument"), _text(separators, "second argument")
    if not characters:
        return [source] if source else []
    return [piece for piece in re.split(f"[{re.escape(characters)}]", source) if piece]


def uuid(draw: Draw) -> str:
    """Version 4."""
    digest = bytearray(draw.bytes("UUID")[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


FUNCTIONS: Final = {
    "Format": Function(format_text, 1, None),
    "StringToJson": Function(string_to_json, 1, 1),
    "JsonToString": Function(compact, 1, 1),
    "Array": Function(lambda *members: list(members), 0, None),
    "ArrayPartition": Function(partition, 2, 2),
    "ArrayContains": Function(array_contains, 2, 2),
    "ArrayRange": Function(array_range, 3, 3),
    "ArrayGetItem": Function(array_get_item, 2, 2),
    "ArrayLength": Function(lambda array: len(_array(array)), 1, 1),
    "ArrayUnique": Function(array_unique, 1, 1),
    "Base64Encode": Function(base64_encode, 1, 1),
    "Base64Decode": Function(base64_decode, 1, 1),
    "Hash": Function(hash_data, 2, 2),
    "JsonMerge": Function(json_merge, 3, 3),
    "MathRandom": Function(math_random, 2, 3, random=True),
    "MathAdd": Function(math_add, 2, 2),
    "StringSplit": Function(string_split, 2, 2),
    "UUID": Function(uuid, 0, 0, random=True),
}
