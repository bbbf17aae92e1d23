"""The functions we answer ourselves.

Ours are those that Step Functions adds (developer guide, "Transforming data with JSONata": `$partition`, `$range`,
`$hash`, `$random`, `$uuid`, `$parse`) and the sequence functions in a lambda's tail, where JSONata does not unwrap yet:
`$map([0..2], function($i){ $filter($a, function($v, $k){ $k = $i }) })` gives `[[7],[8],[9]]`, not `[7,8,9]`.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from jsonata2py.errors import _RuntimeEvaluationError as Failed
from jsonata2py.runtime import core, lambdas
from jsonata2py.runtime.values import MISSING, JLambda, PackedArgs

from linkflow.language import jsonata_runtime as runtime
from linkflow.language.json_text import NotJson, parsed
from linkflow.language.jsonata_fuel import Callback, current, metered, walked
from linkflow.language.jsonata_runtime import Sequence

_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def _mismatch(name: str, argument: int) -> Failed:
    return Failed("T0410", f'Argument {argument} of function "{name}" does not match function signature')


def _integer(name: str, argument: int, value: Any) -> int:
    if not core.is_number(value) or value != int(value):
        raise _mismatch(name, argument)
    return int(value)


def _draw(label: str) -> bytes:
    """32 bytes that differ with every call of an evaluation and never between two evaluations of the same seed."""
    scope = current()
    scope.drawn += 1
    return hashlib.sha256(f"{scope.seed}/{label}/{scope.drawn}".encode()).digest()


def _fraction(digest: bytes) -> float:
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def random(seed: Any = MISSING) -> float:
    """[0, 1); with a seed of the expression's own always the same."""
    if seed is MISSING:
        return _fraction(_draw("random"))
    if not core.is_number(seed):
        raise _mismatch("random", 1)
    return _fraction(hashlib.sha256(f"random/{float(seed)!r}".encode()).digest())


def uuid() -> str:
    digest = bytearray(_draw("uuid")[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def shuffle(array: Any) -> Any:
    if array is MISSING:
        return MISSING
    items = list(array) if isinstance(array, list) else [array]
    current().spend(4 * len(items))
    for last in range(len(items) - 1, 0, -1):
        chosen = int(_fraction(_draw("shuffle")) * (last + 1))
        items[last], items[chosen] = items[chosen], items[last]
    return items


def partition(array: Any, size: Any) -> Any:
    """Pieces of `size`, the last one shorter. A single piece stays in its array (recorded on AWS)."""
    if array is MISSING:
        return MISSING
    width = _integer("partition", 2, size)
    if width < 1:
        raise _mismatch("partition", 2)
    items = array if isinstance(array, list) else [array]
    current().spend(len(items))
    return [items[start : start + width] for start in range(0, len(items), width)]


def range_of(first: Any, last: Any, step: Any) -> Any:
    """From `first` up (or down) to `last` at most. A single number is not kept in its array (recorded on AWS)."""
    start, stop, stride = (_integer("range", at, value) for at, value in enumerate((first, last, step), start=1))
    if stride == 0:
        raise _mismatch("range", 3)
    numbers = range(start, stop + (1 if stride > 0 else -1), stride)
    runtime.sized(len(numbers))
    return runtime.unwrapped(Sequence(numbers))


def hash_of(content: Any, algorithm: Any) -> Any:
    """The digest in lower-case hexadecimal. What is not text is hashed as its JSON."""
    if content is MISSING:
        return MISSING
    digest = _DIGESTS.get(algorithm) if isinstance(algorithm, str) else None
    if digest is None:
        raise _mismatch("hash", 2)
    text = walked(core.to_text)(content)
    return hashlib.new(digest, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def parse(text: Any) -> Any:
    if text is MISSING:
        return MISSING
    if not isinstance(text, str):
        raise _mismatch("parse", 1)
    current().spend(len(text) >> 3)
    try:
        return parsed(text)
    except NotJson as error:
        raise Failed("D3120", f"The argument of the parse function is not JSON: {error}") from None


def _items(array: Any) -> list[Any]:
    return array if isinstance(array, list) else [array]


def _called(function: Any, item: Any, key: Any, whole: Any) -> Any:
    """One element's turn in `$map`, `$filter` and `$each`: as many arguments as the function declares."""
    if not isinstance(function, JLambda):
        raise Failed("T0410", "Argument 2 of function does not match function signature")
    packed = PackedArgs((item, key, whole)[: max(function.arity, 1)])
    return lambdas.fn_apply(function, packed if len(packed) > 1 else item)


def map_sequence(array: Any, function: Any) -> Any:
    if array is MISSING:
        return MISSING
    answers = (_called(function, item, index, array) for index, item in enumerate(_items(array)))
    return Sequence(answer for answer in answers if answer is not MISSING)


def filter_sequence(array: Any, function: Any) -> Any:
    if array is MISSING:
        return MISSING
    items = enumerate(_items(array))
    return Sequence(item for index, item in items if runtime.is_truthy(_called(function, item, index, array)))


def each_sequence(document: Any, function: Any) -> Any:
    if not isinstance(document, dict):
        return MISSING
    answers = (_called(function, value, key, document) for key, value in document.items())
    return Sequence(answer for answer in answers if answer is not MISSING)


def lookup_sequence(document: Any, key: Any) -> Any:
    if not isinstance(document, list):
        return metered(core.fn_lookup)(document, key)
    found = Sequence()
    for member in document:
        value = lookup_sequence(member, key)
        current().spend(1)
        if value is not MISSING:
            found.extend(value if isinstance(value, list) else [value])
    return found


def _sequence(function: Callback) -> Callback:
    """A library function whose answers are never lists themselves, so that its unwrapping can be undone."""

    def answer(*arguments: Any) -> Any:
        found = metered(function)(*arguments)
        if found is MISSING:
            return MISSING if arguments[0] is MISSING else Sequence()
        return Sequence(found) if isinstance(found, list) else Sequence([found])

    return answer


class Own:
    """A function of ours: how many arguments it must get, and may."""

    __slots__ = ("_function", "_least", "_name", "arity")

    def __init__(self, name: str, function: Callable[..., Any], least: int, most: int) -> None:
        self._name = name
        self._function = function
        self._least = least
        self.arity = most

    def __call__(self, *arguments: Any) -> Any:
        if not self._least <= len(arguments) <= self.arity:
            raise _mismatch(self._name, min(len(arguments), self.arity) + 1)
        return self._function(*arguments)

    def given(self, packed: Any) -> Any:
        """Called as a value, with one element or with a pack of arguments, of which it takes what it may."""
        arguments = packed if isinstance(packed, PackedArgs) else [packed]
        return self(*arguments[: self.arity])


OWN_FUNCTIONS: Final[Mapping[str, Own]] = {
    name: Own(name, function, least, most)
    for name, function, least, most in (
        ("random", random, 0, 1),
        ("uuid", uuid, 0, 0),
        ("shuffle", shuffle, 1, 1),
        ("partition", partition, 2, 2),
        ("range", range_of, 3, 3),
        ("hash", hash_of, 2, 2),
        ("parse", parse, 1, 1),
        ("map", map_sequence, 2, 2),
        ("filter", filter_sequence, 2, 2),
        ("each", each_sequence, 2, 2),
        ("lookup", lookup_sequence, 2, 2),
        ("keys", _sequence(core.fn_keys), 1, 1),
        ("spread", _sequence(core.fn_spread), 1, 1),
        ("match", _sequence(core.fn_match), 2, 3),
    )
}
