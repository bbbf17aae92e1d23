"""What one process holds of a limit that several share."""

import asyncio
from dataclasses import dataclass, field

from linkflow.stores.limits import Line


@dataclass(slots=True)
class Share:
    """`held` slots, of which `used` are in use. `turn` is had by whoever changes what is held; `tending` prolongs it
    and gives back what is idle."""

    line: Line
    held: int = 0
    used: int = 0
    idle_since: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    tending: "asyncio.Task[None] | None" = None
