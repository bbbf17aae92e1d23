"""Making somebody look at an execution: now, or at a moment."""

import msgspec

from linkflow.engine.engine import Engine
from linkflow.messages import LANE, TIMERS, Alarm, Due, Release, Wake
from linkflow.ports import Send

LONGEST_DELAY = 900.0
"""Seconds: what a delay queue can bear (SQS). Later moments wait in the watchdog's index."""

_encoder = msgspec.json.Encoder()


def wake(workspace: str, execution: str, *, handed_over: bool = False) -> Send:
    """The lane message that brings a visit."""
    body = _encoder.encode(Wake(workspace, execution, handed_over))
    return Send(LANE.name, body, group=execution, share=workspace)


def ring(workspace: str, execution: str, moment: float, delay: float) -> Send:
    """The message that comes after `delay` seconds, when `moment` is there."""
    return Send(TIMERS.name, _encoder.encode(Alarm(workspace, execution, moment)), delay=max(0.0, delay))


async def alarm(engine: Engine, workspace: str, execution: str, moment: float) -> None:
    """Wake the execution at `moment` (seconds since 1970), within about a second."""
    delay = moment - engine.clock.now()
    if delay <= LONGEST_DELAY:
        await engine.queue.send([ring(workspace, execution, moment, delay)])
    else:
        await engine.summaries.check_again(workspace, execution, moment - LONGEST_DELAY / 2)


def due(workspace: str, schedule: str, delay: float = 0.0) -> Send:
    """The message that has a schedule looked at in `delay` seconds."""
    return Send(TIMERS.name, _encoder.encode(Due(workspace, schedule)), delay=min(max(0.0, delay), LONGEST_DELAY))


def released(message: Release) -> Send:
    return Send(TIMERS.name, _encoder.encode(message))
