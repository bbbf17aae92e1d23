"""A workspace's rules, as this process knows them: read at first need, and again after `FRESH` seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from linkflow.ports import Clock
from linkflow.stores.rules import Rule, RuleItems

FRESH = 30.0
"""Seconds after which a change is known everywhere."""
_KEPT = 1_000
_NONE: Mapping[str, Rule] = {}


@dataclass(frozen=True, slots=True)
class _Known:
    rules: Mapping[str, Rule]
    untrusted: frozenset[str]
    until: float


class Rules:
    __slots__ = ("_clock", "_items", "_known")

    def __init__(self, items: RuleItems, clock: Clock) -> None:
        self._items = items
        self._clock = clock
        self._known: dict[str, _Known] = {}

    async def of(self, workspace: str) -> Mapping[str, Rule]:
        """By name."""
        return (await self._get(workspace)).rules

    async def untrusted(self, workspace: str) -> frozenset[str]:
        """The node types that the workspace wants isolated."""
        return (await self._get(workspace)).untrusted

    def forget(self, workspace: str) -> None:
        """They were changed here."""
        self._known.pop(workspace, None)

    async def _get(self, workspace: str) -> _Known:
        known, now = self._known.get(workspace), self._clock.now()
        if known is None or known.until <= now:
            if len(self._known) >= _KEPT:
                self._known.clear()
            rules = {rule.name: rule for rule in await self._items.all(workspace)}
            types = frozenset(name.removeprefix("type:") for name, rule in rules.items() if rule.isolated)
            known = self._known[workspace] = _Known(rules, types, now + FRESH)
        return known
