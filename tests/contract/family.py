"""What a family of adapters is, and the queues its members know.

A family is one async factory. It is given the clock and an empty directory, and yields adapters that know the queues
of `QUEUES` and hold nothing yet; leaving it closes them. To join, write a factory and add it to `families.py`.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from linkflow.adapters.clock import VirtualClock
from linkflow.ports import Blobs, KeyRing, Queue, QueueSpec, Table
from linkflow.search import Catalogue

VISIBILITY = 30.0
MAX_RECEIVES = 3

PLAIN = QueueSpec("plain", visibility=VISIBILITY, max_receives=MAX_RECEIVES)
LINE = QueueSpec("line", fifo=True, visibility=VISIBILITY, max_receives=MAX_RECEIVES)
FAIR = QueueSpec("fair", visibility=VISIBILITY, max_receives=MAX_RECEIVES, fair=True)
FAIR_LINE = QueueSpec("fair-line", fifo=True, visibility=VISIBILITY, max_receives=MAX_RECEIVES, fair=True)
QUEUES = (PLAIN, LINE, FAIR, FAIR_LINE)


@dataclass(frozen=True, slots=True)
class Family:
    """One set of adapters over one store. `elapse(seconds)` makes that much time pass for the store: sqlite advances
    the virtual clock, an emulator with its own idea of time moves that. None when time cannot be moved: the tests
    that need it are then skipped, and say so. `forgetful`: the emulator forgets a deduplication id with its deleted
    message (moto does, SQS does not). `unlocked`: the emulator serves receivers that come at the same moment without a
    lock, so that two may get one message or one group (moto does, SQS does not); they are then tested one by one.
    `fair`: fair queues are, which emulators leave to SQS."""

    table: Table
    queue: Queue
    blobs: Blobs
    keyring: KeyRing
    elapse: Callable[[float], Awaitable[None]] | None
    catalogue: Catalogue
    forgetful: bool = False
    unlocked: bool = False
    fair: bool = False


Factory = Callable[[VirtualClock, Path], AbstractAsyncContextManager[Family]]
