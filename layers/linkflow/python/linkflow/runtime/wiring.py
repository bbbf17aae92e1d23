"""The one place where LinkFlow is wired to the outside: settings in, a `World` of ports out.

Two families of adapters: `sqlite` (one file, no other process) and `aws`. Neither is imported unless it is chosen.
`not_connected` gives a world with the same shape whose ports refuse to be used: declaring functions needs no more.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from linkflow.errors import Broken
from linkflow.ports import Blobs, Clock, Http, Ids, KeyRing, Queue, Table
from linkflow.runtime.settings import Settings

_log = logging.getLogger(__name__)


async def _nothing() -> None:
    """A world made by hand has nothing to close."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the process, as ports. Made once per process, within its event loop."""

    table: Table
    queue: Queue
    blobs: Blobs
    keyring: KeyRing
    clock: Clock
    ids: Ids
    http: Http
    settings: Settings
    close: Callable[[], Awaitable[None]] = _nothing
    """Finishes what is under way (a commit, open connections) and lets go of it."""


Connect = Callable[[Settings], Awaitable[World]]


class _NotConnected:
    """Stands where a port will be. It can be handed on and kept, which is all that declaring needs."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Broken(f"'{name}' was used while functions were being declared; nothing is connected yet.")


def not_connected(settings: Settings) -> World:
    """A world for declaring functions: any use of a port raises `Broken`."""
    nothing = cast("Any", _NotConnected())
    return World(nothing, nothing, nothing, nothing, nothing, nothing, nothing, settings)
