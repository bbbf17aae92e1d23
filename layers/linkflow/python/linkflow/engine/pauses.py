"""Holding an execution and letting it go on."""

from linkflow.engine.cancel import still_open
from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.engine.wakes import SOON, wake
from linkflow.errors import Conflict
from linkflow.execution.events import PauseRequested, ResumeRequested


async def pause(engine: Engine, workspace: str, execution: str, by: str, reason: str) -> None:
    """Nothing new begins; what runs may finish, and is recorded. Pausing again changes nothing. Raises `NotFound`, and
    `Conflict` when it is over or being cancelled."""
    state = await tell(engine, workspace, execution, PauseRequested(by, reason))
    still_open(state)
    if state.paused is None:
        raise Conflict("The execution is being cancelled; it cannot be paused any more.")


async def resume(engine: Engine, workspace: str, execution: str, by: str) -> None:
    """Everything that is due goes on. Resuming what is not paused only makes somebody look at it, which mends a resume
    whose message was lost; the watchdog would do so too. Raises `NotFound`, and `Conflict` when it is over."""
    now = engine.clock.now()
    await engine.summaries.check_by(workspace, execution, now + SOON, now)
    still_open(await tell(engine, workspace, execution, ResumeRequested(by)))
    await engine.queue.send([wake(workspace, execution)])
