"""The form in which turns and snapshots are written, and how older forms become it.

New kinds of events and new fields with defaults change nothing here: this release reads what the last one wrote. When
an event or the state changes its meaning, `SCHEMA` counts up, and an upcaster says what the older JSON is now; it works
on plain JSON, since the types it was written with are gone. Every item keeps the form it was written in, for good.

A turn says its schema itself, unless it is 1; a snapshot's is its item's version. What a newer release wrote is
refused: misreading it would be worse. Roll a change out in two steps, readers first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from linkflow.errors import Broken
from linkflow.language.json import Json

SCHEMA: Final = 1
"""Of what is written now."""

Raw = dict[str, Json]
Upcast = Callable[[Raw], Raw]
Known = TypeVar("Known")


def _as_it_was(raw: Raw) -> Raw:
    return raw


@dataclass(frozen=True, slots=True)
class Upcaster:
    """From one schema to the next: of a turn `{"at", "events": [{"e", …}]}`, and of a snapshot (the state)."""

    turn: Upcast = _as_it_was
    snapshot: Upcast = _as_it_was


UPCASTERS: Final[Mapping[int, Upcaster]] = {}
"""By the schema they start from."""


_MARK: Final = 16
"""Bytes at a turn's end in which its schema stands (`"schema":12}`), if it says one."""


class _Marked(msgspec.Struct):
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Schemas:
    """What one release knows: it writes `current` and reads all before."""

    current: int = SCHEMA
    upcasters: Mapping[int, Upcaster] = field(default_factory=lambda: UPCASTERS)

    def turn(self, content: bytes, decoder: msgspec.json.Decoder[Known], where: str) -> Known:
        """Raises `Broken` for what only a newer release can read."""
        try:
            return self._turn(content, decoder, where)
        except msgspec.ValidationError as error:
            raise Broken(
                f"{where} holds what this release does not know ({error}); start the newer release."
            ) from error

    def _turn(self, content: bytes, decoder: msgspec.json.Decoder[Known], where: str) -> Known:
        if self.current == 1 and b'"schema"' not in content[-_MARK:]:
            return decoder.decode(content)
        schema = msgspec.json.decode(content, type=_Marked).schema
        if schema == self.current:
            return decoder.decode(content)
        raw = self._upcast(msgspec.json.decode(content), schema, where, snapshot=False)
        return decoder.decode(msgspec.json.encode({**raw, "schema": self.current}))

    def snapshot(self, content: bytes, kind: type[Known], schema: int, where: str) -> Known:
        """Raises `Broken` for what only a newer release can read."""
        if schema != self.current:
            content = msgspec.json.encode(self._upcast(msgspec.json.decode(content), schema, where, snapshot=True))
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.ValidationError as error:
            raise Broken(
                f"{where} holds what this release does not know ({error}); start the newer release."
            ) from error

    def _upcast(self, raw: Raw, schema: int, where: str, *, snapshot: bool) -> Raw:
        if schema > self.current:
            raise Broken(
                f"{where} was written by a newer release (schema {schema}; this one knows up to {self.current}): "
                "start the newer release."
            )
        for step in range(schema, self.current):
            upcaster = self.upcasters[step]
            raw = upcaster.snapshot(raw) if snapshot else upcaster.turn(raw)
        return raw
