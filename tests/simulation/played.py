"""What there is to know about a story that was played: for its laws, and for who tells it."""

from dataclasses import dataclass, field
from typing import Final

from linkflow.engine.approvals import Vote
from linkflow.engine.lease import Leased
from linkflow.engine.publish import Published
from linkflow.execution.state import State
from linkflow.language.json import Json
from linkflow.language.program import Program
from linkflow.stores.records import Summary, Workflow
from tests.simulation.cast import Cast, Part
from tests.simulation.outside import Outside
from tests.simulation.plan import Plan, Visitor
from tests.simulation.processes import Stores
from tests.simulation.weather import Weather

BEGINS: Final = 1_750_000_000.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a visitor was told, who asked for the first time `since` and heard it `at`: `execution` is known where the
    answer names it, the `outcome` where he waited for it and it came."""

    visitor: Visitor
    kind: str
    execution: str | None = None
    body: Json = None
    outcome: State | None = None
    schedule: str = ""
    executions: tuple[str, ...] = ()
    """What the schedule started."""
    since: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody was told who brought a task's token, or a vote on its approval."""

    execution: str
    task: int
    told: str
    vote: Vote | None = None


@dataclass(slots=True)
class Held:
    """A task in a worker's hands: told `at`, until the moment `until`, as far as the worker knows. `answers` are what
    it was told for its own."""

    at: float
    leased: Leased
    worker: str
    until: float
    answers: list[str]


@dataclass(frozen=True, slots=True)
class Announced:
    """An event that was published, for the first time `since`, and of which was heard `at` what `followed`."""

    workspace: str
    name: str
    given: Json
    since: float
    at: float
    followed: Published


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A schedule of the story, which starts `part` at the `moments`."""

    part: Part
    id: str
    moments: tuple[int, ...]


@dataclass(slots=True, repr=False)
class Played:
    """`stuck`: it did not end in time. (Runners represent what they return, which took longer than judging it.)"""

    plan: Plan
    cast: Cast
    stores: Stores
    workflows: list[Workflow]
    weather: Weather
    outside: Outside
    compiled: dict[str, Program]
    schedules: list[Scheduled] = field(default_factory=list)
    callback: str | None = None
    """Who hears of the executions of a workspace."""
    replies: list[Reply] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    announced: list[Announced] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    """What visitors were answered that is no answer."""
    trespasses: list[str] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    seconds: float = 0.0
    latest: float = 0.0
    """Seconds by which a moment may be missed."""
    stuck: bool = False
