"""Who mends a failure: retriers try the state again, catchers lead on from it."""

from dataclasses import dataclass
from typing import Final

from linkflow.language.flow import CatchFlow

LONGEST_PAUSE: Final = 99_999_999.0
"""Seconds between two attempts, at most: the largest number that the States Language takes for any time."""


@dataclass(frozen=True, slots=True)
class Retrier:
    """When to try again, and after how long. `errors` may hold the wildcards of `failures.matches`."""

    errors: tuple[str, ...]
    interval: float = 1.0
    max_attempts: int = 3
    backoff: float = 2.0
    max_delay: float | None = None
    jitter: bool = False

    def pause(self, failures: int, random: float) -> float | None:
        """Seconds until the next attempt after so many failures (1 = the first), or None: no more.

        With `jitter`, a moment between zero and the computed delay: full jitter, as Step Functions does it.
        `random` is in [0, 1)."""
        if failures > self.max_attempts:
            return None
        try:
            delay = min(self.interval * self.backoff ** (failures - 1), LONGEST_PAUSE)
        except OverflowError:
            delay = LONGEST_PAUSE
        if self.max_delay is not None:
            delay = min(delay, self.max_delay)
        return delay * random if self.jitter else delay


@dataclass(frozen=True, slots=True)
class Catcher:
    """Where a failure goes that was not mended: to the state `next` of the same machine, or (graph) out by `exit`."""

    errors: tuple[str, ...]
    flow: CatchFlow
    next: str | None = None
    exit: str = "default"
