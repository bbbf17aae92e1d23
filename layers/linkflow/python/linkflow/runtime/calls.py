"""One HTTP call as a handler may see it on any host: what came in, who calls, what shall go out beside the answer."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Call:
    """`headers` have lower-case names, and of a repeated header the values joined by commas; `body` is as it came,
    byte for byte (signatures are over that); `client` is the peer's address or empty."""

    id: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    client: str
    body: bytes = b""
    caller: object = None
    """What the routes' guard found out about the caller."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """Headers for the answer, whatever it is: `X-RateLimit-*` and the like."""


_current: ContextVar[Call] = ContextVar("linkflow_call")


def current_call() -> Call:
    """The call being answered. Raises `LookupError` outside one."""
    return _current.get()


def enter(call: Call) -> None:
    """From here on, in this asyncio task, `call` is the one being answered."""
    _current.set(call)
