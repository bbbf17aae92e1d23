"""What a schedule does now: the decision, without doing any of it.

    due moments ──▶ missed? ──▶ misfire policy ──┐
         └────────▶ on time ────────────────────▶┴──▶ overlap policy ──▶ starts (owed), lines (waiting), log

A moment is missed when nobody looked for `GRACE` seconds behind it: the process was down, or the workflow paused. Of
those within the window, `one` makes up for the last, `all` for each, `skip` for none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from linkflow import ids
from linkflow.language.recurrence.recurrence import Recurrence, due_between, fires_at, last_due, next_due
from linkflow.stores.schedules import Firing, Owed, Schedule, Standing

GRACE: Final = 90.0
"""Seconds: longer than a sweep takes to come round."""
MOST_AT_ONCE: Final = 50
"""Moments decided about in one write; if more are due, another follows."""
MOST_WAITING: Final = 100
"""Moments that may wait for executions to end; further ones are skipped."""
_LOGGED: Final = 10


@dataclass(slots=True)
class _Decision:
    """A standing in the making."""

    schedule: Schedule
    now: float
    running: list[str]
    waiting: list[int]
    owed: list[Owed] = field(default_factory=list)
    log: list[Firing] = field(default_factory=list)

    def begin(self, due: int, cancel: Sequence[str] = ()) -> None:
        execution = execution_of(self.schedule, due)
        self.owed.append(Owed(due, self.now, execution, tuple(cancel)))
        self.log.append(Firing(due, self.now, execution))
        if self.schedule.overlap != "allow":
            self.running.append(execution)

    def skip(self, due: int, why: str, until: int | None = None) -> None:
        self.log.append(Firing(due, self.now, None, why, until if until != due else None))


def execution_of(schedule: Schedule, due: int) -> str:
    """The one execution of a due moment: starting it twice is starting it once."""
    return ids.due(ids.EXECUTION, schedule.id, due)


def decide(schedule: Schedule, standing: Standing, running: Sequence[str], now: float) -> Standing | None:
    """Where the schedule stands once everything due by `now` is decided about, with the starts owed; None: nothing is
    to be done. `running`: those of its executions that are open (if its overlap policy asks)."""
    made = _Decision(schedule, now, list(running), list(standing.waiting))
    chosen: list[int] = []
    due = standing.due
    if due is not None and not schedule.paused:
        chosen, due = _come(schedule, due, made)
    goes_on = standing.waiting and schedule.overlap == "queue" and not running
    if schedule.paused or (due == standing.due and not chosen and not goes_on):
        return None
    _overlap(made, chosen)
    return replace(
        standing,
        due=due,
        owed=tuple(made.owed),
        waiting=tuple(made.waiting),
        running=tuple(made.running),
        log=logged(standing.log, made.log),
        announced=None,
    )


def logged(log: Sequence[Firing], more: Sequence[Firing]) -> tuple[Firing, ...]:
    return (*log, *more)[-_LOGGED:]


def _come(schedule: Schedule, due: int, made: _Decision) -> tuple[list[int], int | None]:
    """The moments to fire, from `due` on, and the first one not decided about."""
    recurrence, now = schedule.recurrence, made.now
    missed_until = now - GRACE - recurrence.jitter
    chosen, following = _missed(schedule, due, missed_until, made)
    while following is not None and len(chosen) < MOST_AT_ONCE and fires_at(recurrence, schedule.id, following) <= now:
        chosen.append(following)
        following = next_due(recurrence, following)
    return chosen, following


def _missed(schedule: Schedule, due: int, until: float, made: _Decision) -> tuple[list[int], int | None]:
    """Those of the missed moments (up to `until`) that are made up for, and the first moment behind them."""
    if due > until:
        return [], due
    recurrence = schedule.recurrence
    oldest = max(due - 1, made.now - schedule.misfire_window)
    chosen = _made_up_for(schedule, oldest, until)
    begin, behind = (chosen[0], chosen[-1]) if chosen else (until + 1, until)
    last = last_due(recurrence, due - 1, begin - 1)
    if last is not None:
        made.skip(due, "missed", last)
    return chosen, next_due(recurrence, behind)


def _made_up_for(schedule: Schedule, after: float, until: float) -> list[int]:
    recurrence: Recurrence = schedule.recurrence
    match schedule.misfire:
        case "skip":
            return []
        case "one":
            last = last_due(recurrence, after, until)
            return [] if last is None else [last]
        case "all":
            return [due for due, _ in zip(due_between(recurrence, after, until), range(MOST_AT_ONCE), strict=False)]


def _overlap(made: _Decision, chosen: Sequence[int]) -> None:
    """Starts, lines up or skips each of the `chosen` moments, as the policy says."""
    match made.schedule.overlap:
        case "allow":
            for due in chosen:
                made.begin(due)
        case "skip":
            for due in chosen:
                made.skip(due, "overlap") if made.running else made.begin(due)
        case "queue":
            room = MOST_WAITING - len(made.waiting)
            made.waiting += chosen[:room]
            for due in chosen[room:]:
                made.skip(due, "queue_full")
            if made.waiting and not made.running:
                made.begin(made.waiting.pop(0))
        case "cancel_previous":
            _replace(made, chosen)


def _replace(made: _Decision, chosen: Sequence[int]) -> None:
    """The last one takes the place of all before it."""
    for due in chosen[:-1]:
        made.skip(due, "superseded")
    for due in chosen[-1:]:
        before, made.running = made.running, []
        made.begin(due, before)
