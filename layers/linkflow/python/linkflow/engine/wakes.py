"""Making somebody look at an execution: now, or at a moment."""

from dataclasses import replace

import msgspec

from linkflow.messages import LANE, TIMERS, Alarm, Due, Release, Spread, Wake
from linkflow.ports import Send

LONGEST_DELAY = 900.0
"""Seconds: what a delay queue can bear (SQS). Later moments wait in the watchdog's index."""
LOOK_AGAIN = 300.0
"""Seconds between two looks of the watchdog at an execution that does not say when it will go on."""
SOON = 90.0
"""Seconds after which it looks at one of which many may be let go at once, or whose message may be lost."""

_encoder = msgspec.json.Encoder()


def wake(workspace: str, execution: str, *, handed_over: bool = False, opens: bool = False) -> Send:
    """The lane message that brings a visit."""
    return _to_lane(Wake(workspace, execution, handed_over, opens))


def first_wake(workspace: str, execution: str) -> Send:
    """The one that an execution begins with. It goes ahead of the opening, so that no execution is without it."""
    return replace(_to_lane(Wake(workspace, execution, opens=True)), ahead=True)


def _to_lane(told: Wake) -> Send:
    return Send(LANE.name, _encoder.encode(told), group=told.execution, share=told.workspace)


def ring(workspace: str, execution: str, moment: float, now: float) -> Send:
    """The message that comes when `moment` is there, at most `LONGEST_DELAY` from `now`."""
    return Send(TIMERS.name, _encoder.encode(Alarm(workspace, execution, moment)), delay=max(0.0, moment - now))


def is_near(moment: float, now: float) -> bool:
    """Whether an alarm can be set for it; the watchdog brings what is further away."""
    return moment - now <= LONGEST_DELAY


def look_before(moment: float) -> float:
    """When the watchdog is to look at what waits for a moment that is far away: early enough to leave the alarm."""
    return moment - LONGEST_DELAY / 2


def due(workspace: str, schedule: str, delay: float = 0.0) -> Send:
    """The message that has a schedule looked at in `delay` seconds."""
    return Send(TIMERS.name, _encoder.encode(Due(workspace, schedule)), delay=min(max(0.0, delay), LONGEST_DELAY))


def spread(message: Spread) -> Send:
    return Send(TIMERS.name, _encoder.encode(message))


def released(message: Release) -> Send:
    return Send(TIMERS.name, _encoder.encode(message))
