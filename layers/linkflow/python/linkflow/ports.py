"""The outside world as LinkFlow needs it: small Protocols, each kept by two adapter families (sqlite, aws).

One contract suite (`tests/contract`) says what every adapter must do; faults are injected by wrapping a port, never by
patching. All moments are seconds since 1970 (UTC), all durations seconds, as floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec

from linkflow.search import Facets

# ---------------------------------------------------------------- table


class Index(StrEnum):
    """The table's secondary indexes. Each is sparse: an item is in one only if it says so."""

    LISTING = "listing"
    """What people page through: the things of a workspace, in order."""
    DUE = "due"
    """What must be looked at when its time has come."""


class Key(msgspec.Struct, frozen=True):
    """Where an item stands: `pk` gathers items that are read together, `sk` orders them (by UTF-8 bytes)."""

    pk: str
    sk: str


class Item(msgspec.Struct, frozen=True):
    """One record. `body` is opaque to adapters and travels with every index; `payload` is opaque too, may be large,
    and is read only through the item itself. `version` is stored as
    given, and is for the writer to count up, so that `Unchanged` can tell; `expires_at` lets the store
    remove the item some time after that moment (readers must not rely on its being gone). `facets` are what the item is
    found by in the catalogue (`search.py`); once put with facets, an item is always put with them, and it is read
    without."""

    key: Key
    body: bytes
    payload: bytes | None = None
    version: int = 1
    indexes: Mapping[Index, Key] = {}
    expires_at: float | None = None
    facets: Facets | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The write goes through only if no item has that key."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The write goes through only if the stored item has this version."""

    version: int


Condition = Absent | Unchanged | None


@dataclass(frozen=True, slots=True)
class Put:
    item: Item
    when: Condition = None


@dataclass(frozen=True, slots=True)
class Delete:
    key: Key
    when: Condition = None


Write = Put | Delete


@dataclass(frozen=True, slots=True)
class Range:
    """Items of one `pk` whose `sk` lies in `[first, last]`, both included; backwards when `reverse`.
    With `index`, both are the index's keys. `after` continues behind an earlier page's `cursor`."""

    pk: str
    first: str = ""
    last: str = "\U0010ffff"
    index: Index | None = None
    reverse: bool = False
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` items, perhaps fewer (stores cap a page by size); `cursor` is None on the last page.
    Items read through an index carry no `payload`."""

    items: Sequence[Item]
    cursor: str | None = None


class Table(Protocol):
    """One table of items. Reads of an item and of a key range (no index) see every finished write;
    index reads may lag behind on AWS."""

    async def get(self, key: Key) -> Item | None: ...

    async def put(self, item: Item, when: Condition = None, sends: Sequence["Send"] = ()) -> Item | None:
        """Write `item` if `when` holds, then send `sends`. None when written; otherwise nothing is written or sent
        and the answer is the item that stands there (the reason why `Absent` or `Unchanged` failed; for
        `Unchanged` on a key without an item: raises `ConditionFailed`).

        Adapters that keep table and queues in one store do both in one atom. Others send after the write, so a crash
        between leaves the write alone: such a message must be a hint that redelivery or the watchdog would repeat. What
        is to go `ahead` they send before the write, so a crash between (or a condition that fails) leaves a message
        about nothing, which whoever receives it must bear."""
        ...

    async def query(self, what: Range) -> Page: ...

    async def delete(self, key: Key, when: Condition = None) -> None:
        """Remove the item; absent is fine. Raises `ConditionFailed` when `when` does not hold."""
        ...

    async def transact(self, writes: Sequence[Write]) -> None:
        """All or nothing, at most 100 writes on different keys. Raises `ConditionFailed`."""
        ...


# ---------------------------------------------------------------- queue


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """What a queue promises. FIFO: messages of one group come in order, one batch of a group at a time, and a repeated
    deduplication id within five minutes is dropped. Fair: who has many messages in it does not hold up who has few, as
    far as the store can (SQS: not in FIFO queues). A message not deleted within `visibility` seconds comes again;
    after `max_receives` receives it goes to the dead letters instead (`<name>-dead`, a queue like any other)."""

    name: str
    fifo: bool = False
    visibility: float = 60.0
    max_receives: int = 8
    fair: bool = False

    @property
    def dead_letters(self) -> str:
        return f"{self.name}-dead"


@dataclass(frozen=True, slots=True)
class Send:
    """One message on its way. `body` is UTF-8 text, as SQS wants it. `group` and `deduplication` belong to FIFO queues,
    `delay` (at most 900 s) to others; a FIFO message without a group, or with a delay, raises `Broken`. `share` says
    whose message it is, for fair queues. `ahead`: see `Table.put`."""

    queue: str
    body: bytes
    group: str | None = None
    deduplication: str | None = None
    delay: float = 0.0
    share: str | None = None
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery. `receives` is 1 at first sight; `receipt` is good for this delivery only."""

    id: str
    queue: str
    body: bytes
    receives: int
    receipt: str
    group: str | None = None


class Queue(Protocol):
    async def send(self, messages: Sequence[Send]) -> None: ...

    async def receive(self, queue: str, limit: int = 10, wait: float = 0.0) -> Sequence[Message]:
        """Up to `limit` messages (at most 10 on AWS); waits up to `wait` seconds for the first."""
        ...

    async def delete(self, messages: Sequence[Message]) -> None:
        """Done with these. A stale receipt (the message went to somebody else meanwhile) is ignored."""
        ...

    async def postpone(self, message: Message, seconds: float) -> None:
        """Give this delivery `seconds` from now before it comes again; 0 gives it back at once."""
        ...

    async def depth(self, queue: str) -> int:
        """About how many messages stand in the queue, in flight and delayed ones included."""
        ...


# ---------------------------------------------------------------- blobs, keys, time, names


class Blobs(Protocol):
    """Large values by name; a name is written once or with the same content again."""

    async def put(self, name: str, content: bytes) -> None: ...

    async def get(self, name: str) -> bytes | None: ...

    async def delete(self, name: str) -> None: ...


class KeyRing(Protocol):
    """Envelope encryption. `context` is authenticated: opening with another context raises `Broken`."""

    async def seal(self, plaintext: bytes, context: Mapping[str, str]) -> bytes: ...

    async def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes: ...


CLOCKS_APART = 10.0
"""Seconds that the clocks of two processes may differ."""


class Clock(Protocol):
    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    def new(self, prefix: str) -> str:
        """A new prefixed ULID; see `ids.py`."""
        ...

    def secret(self) -> str:
        """256 random bits, URL-safe: keys, tokens."""
        ...


# ---------------------------------------------------------------- http


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    timeout: float = 30.0
    follow_redirects: bool = True
    max_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str]
    content: bytes


class HttpFailed(Exception):
    """No answer could be had. `code` is one of `refused_address`, `timeout`, `connection`, `too_large`, `redirects`,
    `invalid_url`; the message says what to do. `retryable` tells whether the same request may succeed later."""

    def __init__(self, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable


class Http(Protocol):
    """Outbound HTTP, guarded: every address is checked, at each redirect again, and the checked address is the one
    connected to (PLATFORMS §5)."""

    async def request(self, request: HttpRequest) -> HttpResponse:
        """Raises `HttpFailed`. A 4xx or 5xx is an answer, not a failure."""
        ...
