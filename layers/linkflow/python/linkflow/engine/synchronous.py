"""Starting an execution and waiting for what comes of it, for as long as somebody is ready to wait.

Where the process stays, the lane's visit runs in it anyhow, and the starter is told when it ends. Where it does not
(Lambda), the starter makes the visit itself, so that a short execution costs no queue request and no other invocation.
The lane still guarantees one visit at a time: the opening says until when the execution is held by its starter, and a
visit that somebody's wake brings before that only leaves an alarm for then. A starter that leaves before the execution
is over hands it over by a turn of its own; one that dies leaves it to the watchdog, which looks right behind that
moment.
"""

from dataclasses import dataclass, replace

from linkflow.engine.engine import Engine
from linkflow.engine.results import await_result
from linkflow.engine.start import Start, Started, begin
from linkflow.engine.visit import visit
from linkflow.execution.state import State

LONGEST_VISIT = 25.0
"""Seconds: below what gateways bear (29 s)."""
MARGIN = 10.0
"""Seconds that the last put of a visit may take after its time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` is the closed execution's, or that of the last one that it went on in; None: it still runs."""

    started: Started
    state: State | None


async def start_and_wait(engine: Engine, request: Start, seconds: float) -> Outcome:
    """Raises what `begin` raises."""
    workspace, ends = request.workflow.workspace, engine.clock.now() + seconds
    budget = min(seconds, LONGEST_VISIT)
    itself = engine.limits.visit is not None and request.begins is None and seconds > 0
    started = await begin(engine, replace(request, held=budget + MARGIN) if itself else request)
    if itself and started.new:
        await visit(engine, workspace, started.execution, budget=budget)
    remaining = max(0.0, ends - engine.clock.now())
    state = await await_result(engine, workspace, started.execution, remaining) if seconds > 0 else None
    return Outcome(started, state)
