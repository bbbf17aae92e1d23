"""A turn: what a book is made of."""

from dataclasses import dataclass

import msgspec

from linkflow.execution.events import Event

SCHEMA = 1
"""Of the turns written now; readers know all schemas up to it."""


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened at the moment `at` (seconds since 1970)."""

    at: float
    events: tuple[Event, ...]
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Numbered:
    """A turn as it stands in its book, or in the archive."""

    number: int
    turn: Turn
    archived: bool = False
