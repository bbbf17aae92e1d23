"""Where names and secrets come from: the system's randomness, or a seed when a run must be repeatable."""

import base64
import os
from random import Random

from linkflow.ids import prefixed
from linkflow.ports import Clock


class SystemIds:
    """Names nobody can guess, from the operating system's generator."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, prefix: str) -> str:
        return prefixed(prefix, self._clock.now(), os.urandom(10))

    def secret(self) -> str:
        return _url_safe(os.urandom(32))


class SeededIds:
    """The same names in the same order for the same seed and clock: simulations and tests only, since whoever knows
    the seed knows every secret."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._random = Random(seed)
        self._clock = clock

    def new(self, prefix: str) -> str:
        return prefixed(prefix, self._clock.now(), self._random.randbytes(10))

    def secret(self) -> str:
        return _url_safe(self._random.randbytes(32))


def _url_safe(randomness: bytes) -> str:
    return base64.urlsafe_b64encode(randomness).rstrip(b"=").decode("ascii")
