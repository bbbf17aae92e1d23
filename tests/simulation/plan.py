"""What will befall one story: drawn from its seed, before it begins, and nothing is drawn later.

A plan is data, so that a failing one can be made smaller: without one of its faults, events or visitors it is another
plan, whose story is told in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal, TypeVar, get_args

from tests.simulation.cast import Cast
from tests.simulation.weather import Fault, faults, latencies

T = TypeVar("T")
Deed = Literal[
    "start",
    "start otherwise",
    "cancel",
    "terminate",
    "pause",
    "reset",
    "hold",
    "drain",
    "cancel all",
    "terminate all",
    "retry all",
    "trigger",
    "backfill",
]
Reach = Literal["workflow", "workspace", "engine"]
Labour = Literal["done", "twice", "beats", "late", "dies"]
"""What a remote worker makes of a task: it answers, twice, after signs of life, when its lease is over, or never."""
LABOURS: Final = get_args(Labour)
_JUMPS: Final = (5.0, 40.0, 100.0)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody outside, who comes at `at` to do something about an entrance, and insists until it is answered.
    `share`: behind how much of its book an execution is reset, from 0 to 1. Who holds or drains its workflow, or
    everything that is as far from it as `reach`, lets go after `seconds`. What is done to all is done to the executions
    of its workflow; triggered and backfilled are the cast's schedules."""

    at: float
    entrance: int
    deed: Deed = "start"
    share: float = 0.0
    seconds: float = 0.0
    reach: Reach = "workflow"

    def __str__(self) -> str:
        reach = "" if self.reach == "workflow" else f" with its whole {self.reach}"
        return f"{self.at:.1f} s: somebody comes to {self.deed} entrance {self.entrance}{reach}"


@dataclass(frozen=True, slots=True)
class Happening:
    """What befalls the process of `host` at `at`: it is killed, stopped in order (after which another one starts), or
    its clock jumps by `seconds`."""

    at: float
    host: int
    kind: Literal["kill", "stop", "jump"]
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.at:.1f} s: {self.kind} of host {'AB'[self.host]}{f' by {self.seconds} s' if self.seconds else ''}"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """`skews` are how far each host's clock is off, `pauses` how long it takes until a dead one's successor starts.
    `visit` bounds visits (None: residents); `apart`: queues are not kept with the table, as on AWS. `patience` are the
    seconds that the outside takes with its tokens."""

    seed: int
    latencies: tuple[float, ...]
    visitors: tuple[Visitor, ...]
    faults: tuple[Fault, ...] = ()
    happenings: tuple[Happening, ...] = ()
    skews: tuple[float, ...] = (0.0,)
    pauses: tuple[float, ...] = (1.0,)
    patience: tuple[float, ...] = (1.0,)
    labours: tuple[Labour, ...] = ("done",)
    visit: float | None = None
    apart: bool = False
    slow: float = 0.0

    @property
    def clocks_part(self) -> bool:
        """Whether the clocks of two hosts come to differ by much."""
        return len(self.skews) > 1 and any(one.kind == "jump" for one in self.happenings)

    def parts(self) -> "list[Plan]":
        """The plans that lack one thing each: what must be needed for a failure if none of them fails."""
        return (
            [replace(self, faults=_without(self.faults, number)) for number in range(len(self.faults))]
            + [replace(self, happenings=_without(self.happenings, number)) for number in range(len(self.happenings))]
            + [replace(self, visitors=_without(self.visitors, number)) for number in range(len(self.visitors))]
            + ([replace(self, skews=self.skews[:1])] if len(self.skews) > 1 else [])
            + ([replace(self, skews=(0.0,) * len(self.skews))] if any(self.skews) else [])
            + ([replace(self, latencies=(0.001,))] if len(self.latencies) > 1 else [])
            + ([replace(self, slow=0.0)] if self.slow else [])
            + ([replace(self, labours=("done",))] if len(self.labours) > 1 else [])
        )

    def halves(self) -> "list[Plan]":
        """Bolder: without half of the faults."""
        middle = len(self.faults) // 2
        return [replace(self, faults=half) for half in (self.faults[:middle], self.faults[middle:]) if middle]


def _without(many: Sequence[T], number: int) -> tuple[T, ...]:
    return (*many[:number], *many[number + 1 :])


def plan_of(seed: int, cast: Cast) -> Plan:
    chance = Random(f"plan {seed}")
    hosts = chance.choice([1, 1, 2])
    return Plan(
        seed,
        latencies(chance),
        _errands(Random(f"errand {seed}"), _held(Random(f"hold {seed}"), _visitors(chance, cast)), cast),
        faults(chance),
        _happenings(chance, hosts),
        skews=tuple(round(chance.uniform(-1.5, 1.5), 2) if hosts > 1 else 0.0 for _ in range(hosts)),
        pauses=tuple(round(chance.choice([0.0, 0.5, 3.0, 20.0]) * chance.random(), 2) for _ in range(7)),
        patience=tuple(round(chance.choice([0.01, 1.0, 30.0]) * chance.random(), 3) for _ in range(11)),
        labours=tuple(chance.choices(LABOURS, (6, 2, 2, 2, chance.choice([0, 1, 3])), k=13)),
        visit=chance.choice([None, 45.0, 4_000.0]),
        apart=chance.random() < 0.5,
        slow=chance.choice([0.0, 0.05, 0.2]),
    )


def calm_plan(cast: Cast) -> Plan:
    """Every start once, and nothing happens."""
    visitors = tuple(Visitor(float(entrance.number), entrance.number) for entrance in cast.entrances)
    return Plan(-1, (0.001,), visitors)


def _visitors(chance: Random, cast: Cast) -> tuple[Visitor, ...]:
    chosen = chance.sample(cast.entrances, chance.randint(2, 5))
    span = chance.choice([0.1, 5.0, 60.0])
    come: list[Visitor] = []
    for entrance in chosen:
        first = round(chance.random() * span, 2)
        come.append(Visitor(first, entrance.number))
        if chance.random() < 0.25:
            come.append(Visitor(round(first + chance.choice([0.0, 0.02, 5.0]), 2), entrance.number))
        if chance.random() < 0.1:
            come.append(Visitor(first, entrance.number, "start otherwise"))
        if chance.random() < 0.3:
            deed: Deed = chance.choice(["cancel", "cancel", "terminate", "pause", "pause"])
            late = chance.choice([0.05, 1.0, 20.0]) * chance.random()
            come.append(Visitor(round(first + late, 3), entrance.number, deed))
        if chance.random() < 0.15:
            late = chance.choice([1.0, 20.0, 90.0]) * chance.random()
            share = round(chance.random(), 2)
            come.append(Visitor(round(min(first + late, 95.0), 3), entrance.number, "reset", share))
    return tuple(come)


def _held(chance: Random, visitors: tuple[Visitor, ...]) -> tuple[Visitor, ...]:
    """Now and then somebody holds what others start, or will when every process knows that it is held."""
    if chance.random() > 0.12:
        return visitors
    begun = chance.choice([one for one in visitors if one.deed == "start"])
    deed: Deed = chance.choice(["hold", "hold", "drain"])
    late = chance.choice([0.0, 1.0, 20.0]) * chance.random()
    seconds = chance.choice([5.0, 60.0, 300.0])
    far = chance.random()
    reach: Reach = "engine" if far < 0.13 else "workspace" if far < 0.4 else "workflow"
    held = Visitor(round(begun.at + late, 3), begun.entrance, deed, seconds=seconds, reach=reach)
    if chance.random() < 0.5:
        return (*visitors, held)
    later = [replace(one, at=one.at + 40.0) if one.entrance == begun.entrance else one for one in visitors]
    return (*later, held)


def _errands(chance: Random, visitors: tuple[Visitor, ...], cast: Cast) -> tuple[Visitor, ...]:
    """Now and then somebody comes about all executions of a workflow, or about schedules."""
    come: list[Visitor] = []
    begun = chance.choice([one for one in visitors if one.deed == "start"])
    if chance.random() < 0.1:
        late = chance.choice([0.1, 5.0, 60.0]) * chance.random()
        part = cast.parts[cast.entrances[begun.entrance].part]
        deeds: list[Deed] = ["cancel all", "terminate all"]
        deed = chance.choice(deeds if part.nagged else [*deeds, "retry all", "retry all"])
        come.append(Visitor(round(min(begun.at + late, 95.0), 3), begun.entrance, deed))
    if any(part.timetable is not None for part in cast.parts):
        for _ in range(chance.choice([0, 0, 1, 2])):
            deed = chance.choice(["trigger", "backfill"])
            come.append(Visitor(round(chance.uniform(0.0, 95.0), 1), begun.entrance, deed))
    return (*visitors, *come)


def _happenings(chance: Random, hosts: int) -> tuple[Happening, ...]:
    happen: list[Happening] = []
    for _ in range(chance.choice([0, 0, 1, 2, 4])):
        kind: Literal["kill", "stop", "jump"] = chance.choice(["kill", "stop", "jump"])
        seconds = chance.choice(_JUMPS) if kind == "jump" else 0.0
        happen.append(Happening(round(chance.uniform(0.0, 90.0), 1), chance.randrange(hosts), kind, seconds))
    return tuple(happen)
