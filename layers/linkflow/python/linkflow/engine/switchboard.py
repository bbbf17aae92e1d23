"""The installation's controls as a process sees them: read when needed, and at most every `FRESH` seconds.

Nothing is read while nothing happens. What was changed reaches every process within `FRESH` seconds of its next visit
or request; this one at once.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from linkflow.ports import Clock, Send
from linkflow.stores.controls import Controls, ControlStore

FRESH: Final = 30.0
"""Seconds for which what was read is believed."""
_OURS: Final = ("linkflow", "functions")


class Switchboard:
    __slots__ = ("_clock", "_controls", "_levels", "_read_at", "_reading", "_store")

    def __init__(self, store: ControlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._controls = Controls()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        """Whoever needs them anew at the same moment shares a read."""
        self._levels: dict[str, int] = {}

    @property
    def seen(self) -> Controls:
        """As they were when they were last read."""
        return self._controls

    async def controls(self, fresh: float = FRESH) -> Controls:
        """As they were at most `fresh` seconds ago."""
        if not self._is(fresh):
            async with self._reading:
                if not self._is(fresh):
                    now = self._clock.now()
                    self._obey(await self._store.get(), now)
        return self._controls

    def _is(self, fresh: float) -> bool:
        return 0 <= self._clock.now() - self._read_at < fresh

    async def change(self, change: Callable[[Controls], Controls], sends: Sequence[Send] = ()) -> Controls:
        now = self._clock.now()
        self._obey(await self._store.change(change, now, sends), now)
        return self._controls

    def _obey(self, controls: Controls, now: float) -> None:
        before, self._controls, self._read_at = self._controls, controls, now
        if controls.log == before.log:
            return
        for name in _OURS:
            logger = logging.getLogger(name)
            self._levels.setdefault(name, logger.level)
            logger.setLevel(self._levels[name] if controls.log is None else controls.log.upper())
