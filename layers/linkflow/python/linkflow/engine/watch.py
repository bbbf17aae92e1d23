"""The watchdog: brings moments that are further away than a delay queue reaches, and repairs what redelivery cannot
(news whose wake was never sent, messages that were given up).

What waits has a moment at which it is looked after (`parting.py`). Then it is woken, which is harmless when all is
well, unless it rightfully waits on: then the next look is set behind that wait.
"""

import logging
import math
from collections.abc import Sequence

from linkflow.engine import approvals, children
from linkflow.engine.admission import Asking, still_waits
from linkflow.engine.engine import Engine
from linkflow.engine.holds import HELD, news_of_hold
from linkflow.engine.lease import remind
from linkflow.engine.news import tell
from linkflow.engine.wakes import LOOK_AGAIN, is_near, look_before, ring, wake
from linkflow.errors import Broken, NotFound, Refused
from linkflow.execution.advance import advance, next_moment
from linkflow.execution.state import State
from linkflow.stores import index_keys
from linkflow.stores.books import Book

_log = logging.getLogger(__name__)
LONGEST_LOOK = 3_600.0
"""The same for one that waits for news alone, and has done so for long."""
LOOK_AT_PAUSED = 86_400.0
"""The same for one that is paused: whoever resumes it has it looked at sooner."""
LOOK_AT_HELD = 3_600.0
"""The same for one that is held with others: the messages of the release are many, and one may be lost."""
LOOK_AT_QUEUED = 1_800.0
"""Seconds between two looks at an execution that waits in line for a limit."""
_BATCH = 200


async def watch(engine: Engine, now: float) -> int:
    """Look after every execution that is due; how many there were."""
    count = 0
    for shard in range(index_keys.DUE_SHARDS):
        while due := await engine.summaries.due(shard, now, _BATCH):
            await look_after(engine, due, now)
            count += len(due)
            if len(due) < _BATCH:
                break
    return count


async def look_after(engine: Engine, found: Sequence[tuple[str, str]], now: float) -> None:
    """Look at each of these (workspace, execution), and say when the next look is."""
    for workspace, execution in found:
        known = await engine.summaries.item(workspace, execution)
        if known is None:
            continue
        try:
            again = await _look(engine, workspace, execution, now)
        except (Refused, Broken):
            # A damaged book, a workflow that is gone: it must not keep the others from being looked after.
            _log.exception("watch_failed", extra={"workspace": workspace, "execution": execution})
            again = now + LOOK_AGAIN
        if again is not None:
            await engine.summaries.check_again(known, again)


async def _look(engine: Engine, workspace: str, execution: str, now: float) -> float | None:
    """When the next look is. None: there is no such execution."""
    book = await engine.books.load(workspace, execution)
    if book is None:
        return None
    state, moment = book.state, next_moment(book.state)
    if state.closed:
        # Its visit died after the last turn: a new one does what is owed to others, and then closes the summary.
        await engine.queue.send([wake(workspace, execution, handed_over=True)])
        return now + LOOK_AGAIN
    if state.queued is not None and await _is_in_line(engine, workspace, execution, state):
        due = state.queued_until if state.queued_until is not None and state.queued_until > now else math.inf
        return min(moment or math.inf, due, now + LOOK_AT_QUEUED)
    if state.paused is not None and (moment is None or moment > now):
        if await news_of_hold(engine, workspace, state):
            await engine.queue.send([wake(workspace, execution)])
        return min(moment or math.inf, now + (LOOK_AT_HELD if state.paused.by == HELD else LOOK_AT_PAUSED))
    for news in [
        *await children.outcomes(engine, workspace, execution, state),
        *await approvals.outcomes(engine, workspace, execution, state),
    ]:
        await tell(engine, workspace, execution, news)
    if (moment is not None and moment <= now) or not await _waits(engine, book, now):
        await engine.queue.send([wake(workspace, execution)])
        return now + LOOK_AGAIN
    if moment is None:
        return now + min(LONGEST_LOOK, max(LOOK_AGAIN, now - state.started_at))
    if not is_near(moment, now):
        return look_before(moment)
    await engine.queue.send([ring(workspace, execution, moment, now)])
    return moment + LOOK_AGAIN


async def _waits(engine: Engine, book: Book, now: float) -> bool:
    """Whether it rightfully waits for news or a moment: none of its tasks is to run, and nothing follows from what is
    recorded. (That it has a deadline says nothing: what was never begun has one too.)"""
    tasks = [scope.task for scope in book.state.scopes.values() if scope.task is not None]
    if any(task.pattern == "activity" for task in tasks):
        await remind(engine, book.workspace, book.execution, book.state)
    if any(not task.submitted and task.postponed is None and task.pattern != "activity" for task in tasks):
        return False
    return await _is_quiet(engine, book, now)


async def _is_in_line(engine: Engine, workspace: str, execution: str, state: State) -> bool:
    program = await engine.programs.get(workspace, state.names.workflow_id, state.version, state.program)
    return await still_waits(engine, program, Asking(workspace, execution, state))


async def _is_quiet(engine: Engine, book: Book, now: float) -> bool:
    """Whether nothing follows from what is recorded: only news can move it, and whoever brings some wakes it."""
    state = book.state
    try:
        program = await engine.programs.get(book.workspace, state.names.workflow_id, state.version, state.program)
    except NotFound:
        return False
    return not advance(program, state, (), now)
