"""Names of things: prefixed ULIDs (`ex_01J…`), sortable by the moment they were made.

Pure: the moment and the randomness are arguments. The `Ids` port (`ports.py`) supplies both.
A ULID is 48 bits of milliseconds and 80 random bits in Crockford's base 32 (github.com/ulid/spec).
"""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

WORKSPACE = "ws"
USER = "us"
API_KEY = "key"
WORKFLOW = "wf"
EXECUTION = "ex"
REQUEST = "req"


def prefixed(prefix: str, now: float, randomness: bytes) -> str:
    """`prefix` + `_` + the ULID of `now` (seconds since 1970) and ten bytes of `randomness`."""
    number = int(now * 1000) << 80 | int.from_bytes(randomness[:10], "big")
    return prefix + "_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
