"""Stories by their seeds: played, judged, counted."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from linkflow.language.program import Program
from tests.simulation.cast import STORIES, Cast, cast_of
from tests.simulation.laws import Judgement, ends, judge
from tests.simulation.laws.reading import End
from tests.simulation.plan import Plan, calm_plan, plan_of
from tests.simulation.played import Played
from tests.simulation.story import play

UNHURRIED: Final = 50_000.0
"""Virtual seconds in which a story without faults surely ends."""
REPAIRS: Final = 1_800.0
"""Virtual seconds that repairs may take, once faults have stopped, beside what the story takes without any."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A cast, what each of its entrances comes to, and the seconds that all of them together take."""

    cast: Cast
    ends: Mapping[int, End]
    seconds: float
    compiled: dict[str, Program]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`laws` are those that the story of `seed` breaks."""

    seed: int
    laws: tuple[str, ...]
    digest: str
    executions: int = 0
    calls: int = 0
    faults: int = 0
    deaths: int = 0
    seconds: float = 0.0
    exempt: int = 0


@dataclass(slots=True)
class Tally:
    """Sums of many verdicts."""

    seeds: int = 0
    executions: int = 0
    calls: int = 0
    faults: int = 0
    deaths: int = 0
    seconds: float = 0.0
    exempt: int = 0
    failed: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.join(
            Tally(
                1,
                verdict.executions,
                verdict.calls,
                verdict.faults,
                verdict.deaths,
                verdict.seconds,
                verdict.exempt,
                [verdict] if verdict.laws else [],
            )
        )

    def join(self, other: "Tally") -> None:
        self.seeds += other.seeds
        self.executions += other.executions
        self.calls += other.calls
        self.faults += other.faults
        self.deaths += other.deaths
        self.seconds += other.seconds
        self.exempt += other.exempt
        self.failed += other.failed

    def __str__(self) -> str:
        days = self.seconds / 86_400
        return (
            f"{self.seeds:,} seeds: {self.executions:,} executions, {self.calls:,} port calls, {self.faults:,} faults, "
            f"{self.deaths:,} processes killed, {days:,.0f} virtual days; {self.exempt:,} executions gave a task up; "
            f"{len(self.failed)} seeds failed"
        )


def rehearsed(seed: int) -> Rehearsed:
    """The cast of this seed, as it plays when nothing happens."""
    return _rehearsed(seed // STORIES)


@lru_cache(maxsize=2)
def _rehearsed(number: int) -> Rehearsed:
    return _calm(cast_of(number * STORIES))


def _calm(cast: Cast) -> Rehearsed:
    compiled: dict[str, Program] = {}
    played = play(calm_plan(cast), cast, UNHURRIED, compiled)
    laws = asyncio.run(_calm_laws(played))
    assert not laws, f"without any fault (cast {cast.seed}): {laws}"
    return Rehearsed(cast, asyncio.run(ends(played)), played.seconds, compiled)


async def _calm_laws(played: Played) -> tuple[str, ...]:
    return (await judge(played, await ends(played))).laws


def told(plan: Plan, rehearsal: Rehearsed, *, telling: bool = False) -> tuple[Played, Judgement]:
    """The plan played out, and judged."""
    played = play(plan, rehearsal.cast, rehearsal.seconds + REPAIRS, rehearsal.compiled, telling=telling)
    return played, asyncio.run(judge(played, rehearsal.ends))


def told_alone(plan: Plan, cast: Cast) -> tuple[str, ...]:
    """The laws that this plan breaks with a cast of its own."""
    return told(plan, _calm(cast))[1].laws


def verdict_on(seed: int) -> Verdict:
    rehearsal = rehearsed(seed)
    plan = plan_of(seed, rehearsal.cast)
    played, judgement = told(plan, rehearsal)
    weather = played.weather
    return Verdict(
        seed,
        judgement.laws,
        weather.digest(),
        len(played.summaries),
        weather.calls,
        len(plan.faults) - len(weather.waiting),
        sum(line.what == "is killed" for line in weather.lines),
        played.seconds,
        judgement.gave_up,
    )


def judged(seeds: Iterable[int]) -> Tally:
    tally = Tally()
    for seed in seeds:
        tally.add(verdict_on(seed))
    return tally
