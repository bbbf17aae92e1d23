"""Names of things: prefixed ULIDs (`ex_01J…`), sortable by the moment they were made.

Pure: the moment and the randomness are arguments. The `Ids` port (`ports.py`) supplies both.
A ULID is 48 bits of milliseconds and 80 random bits in Crockford's base 32 (github.com/ulid/spec).
"""

from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two letters for ten bits: half as many look-ups."""

WORKSPACE = "ws"
USER = "us"
API_KEY = "key"
WORKFLOW = "wf"
EXECUTION = "ex"
REQUEST = "req"
CALLBACK = "cb"
DELIVERY = "dl"
OPERATION = "op"
SCHEDULE = "sch"
SIGNAL = "sig"
APPROVAL = "ap"


def prefixed(prefix: str, now: float, randomness: bytes) -> str:
    """`prefix` + `_` + the ULID of `now` (seconds since 1970) and ten bytes of `randomness`."""
    number = int(now * 1000) << 80 | int.from_bytes(randomness[:10], "big")
    return f"{prefix}_{_letters(number, 26)}"


def derived(prefix: str, identifier: str, what: str) -> str:
    """A name that follows from another (`ex_…`) and a text: the same whenever it is asked for, made at the same
    moment, and unlike all others."""
    randomness = blake2b(f"{identifier}/{what}".encode(), digest_size=10).digest()
    tail = int.from_bytes(randomness, "big")
    moment = identifier.rpartition("_")[2][:10]
    return f"{prefix}_{moment}{_letters(tail, 16)}"


def _letters(number: int, count: int) -> str:
    """The last `count` letters (an even number of them) of a number."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * count - 10, -1, -10)])


def due(prefix: str, identifier: str, moment: float) -> str:
    """The name of what another thing (`sch_…`) brings about at a moment: the same whenever it is asked for."""
    return prefixed(prefix, moment, blake2b(f"{identifier}/{moment:.3f}".encode(), digest_size=10).digest())
