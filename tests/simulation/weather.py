"""The faults of one story, and what happened in it.

Every call of a port asks the weather. Faults stand at positions of the count of calls, so that a story without one of
its faults is the same story up to there; a fault that does not fit the call at its position waits for one it fits.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Final

READS: Final = frozenset({"table.get", "table.query", "blobs.get", "queue.depth"})
WRITES: Final = frozenset(
    {"table.put", "table.delete", "table.transact", "queue.send", "queue.delete", "queue.postpone", "blobs.put"}
)
STORES: Final = READS | WRITES | {"queue.receive", "sends"}
_EVERYWHERE: Final = STORES | {"http.request"}

FITS: Final = {
    "throttled": STORES,
    "unreachable": STORES,
    "answer lost": WRITES | {"queue.receive", "sends"},
    "done twice": WRITES | {"sends"},
    "delivered twice": frozenset({"delivery"}),
    "late": frozenset({"letters"}),
    "slow": _EVERYWHERE,
    "frozen": _EVERYWHERE,
    "dies before": _EVERYWHERE,
    "dies after": _EVERYWHERE,
    "dies unsent": frozenset({"sends"}),
}
"""Which calls each kind of fault may meet. `sends` is what a put sends along, on stores that keep queues elsewhere;
`letters` are messages about to be sent, a `delivery` those that have just been received."""
_LASTING: Final = {"slow": (1.0, 40.0), "frozen": (5.0, 60.0), "late": (1.0, 30.0)}
"""Seconds that some of them last."""
_OFTEN: Final = ("throttled", "unreachable", "answer lost", "done twice", "delivered twice", "late", "slow")
_RARELY: Final = ("frozen", "dies before", "dies after", "dies before", "dies after", "dies unsent")
_MOST_DEATHS: Final = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """From call number `at` on, the first call it fits."""

    at: int
    kind: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind}{f' {self.seconds:.0f} s' if self.seconds else ''} (from call {self.at} on)"


def faults(chance: Random) -> tuple[Fault, ...]:
    """Few or many, early or spread over the story."""
    count, span = chance.choice([0, 1, 2, 3, 5, 8, 13, 30]), chance.choice([40, 120, 300, 800])
    kinds = chance.choice([_OFTEN, _RARELY, _OFTEN + _RARELY, _OFTEN + _RARELY])
    drawn, deaths = [], 0
    for _ in range(count):
        kind = chance.choice(kinds)
        deaths += kind.startswith("dies")
        if deaths <= _MOST_DEATHS or not kind.startswith("dies"):
            drawn.append(Fault(chance.randrange(span), kind, _seconds(kind, chance)))
    return tuple(sorted(drawn, key=lambda fault: fault.at))


def _seconds(kind: str, chance: Random) -> float:
    return round(chance.uniform(*_LASTING[kind]), 1) if kind in _LASTING else 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One call of a port, or something that befell a process. `content` is what was written, for who tells of it."""

    at: float
    process: str
    what: str
    subject: str
    outcome: str = ""
    fault: str = ""
    content: bytes | None = None

    def __str__(self) -> str:
        fault = f"   !! {self.fault}" if self.fault else ""
        return f"{self.at:>10.3f} s  {self.process:<7} {self.what:<15} {self.subject}{self.outcome}{fault}"


@dataclass(slots=True)
class Weather:
    """`last` is the moment at which the last fault struck."""

    waiting: list[Fault]
    latencies: tuple[float, ...]
    calls: int = 0
    last: float = 0.0
    lines: list[Line] = field(default_factory=list)

    def strikes(self, what: str, now: float) -> Fault | None:
        """The fault that meets this call, if one does."""
        for position, fault in enumerate(self.waiting):
            if fault.at > self.calls:
                return None
            if what in FITS[fault.kind]:
                del self.waiting[position]
                self.last = now
                return fault
        return None

    def latency(self) -> float:
        self.calls += 1
        return self.latencies[self.calls % len(self.latencies)]

    def digest(self) -> str:
        """Of all that happened, in order."""
        told = blake2b(digest_size=16)
        for line in self.lines:
            told.update(f"{line}\n".encode())
        return told.hexdigest()


def latencies(chance: Random) -> tuple[float, ...]:
    """How long calls take, in seconds: most of them nothing or milliseconds, a few much longer."""
    swift, rough = chance.choice([0.2, 0.6, 0.9]), chance.choice([0.0, 0.02, 0.1])

    def one() -> float:
        if chance.random() < swift:
            return 0.0
        return round(chance.uniform(0.2, 3.0) if chance.random() < rough else chance.uniform(0.001, 0.03), 4)

    return tuple(one() for _ in range(257))
