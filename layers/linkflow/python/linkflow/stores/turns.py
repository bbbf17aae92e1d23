"""A turn: what a book is made of."""

from dataclasses import dataclass

import msgspec

from linkflow.execution.events import Event


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened at the moment `at` (seconds since 1970)."""

    at: float
    events: tuple[Event, ...]
    schema: int = 1
    """The form it is written in (`schemas.py`); 1 where it does not say."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A turn as it stands in its book, or in the archive."""

    number: int
    turn: Turn
    archived: bool = False
