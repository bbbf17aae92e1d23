"""Links: addresses at which somebody outside ends a waiting task, without a key. Whoever has one may use it, once."""

from linkflow.engine.callbacks import end
from linkflow.engine.engine import Engine
from linkflow.errors import LinkOver, NotFound
from linkflow.execution.advance import expects
from linkflow.execution.events import TaskSucceeded
from linkflow.execution.tokens import Link, LinkKind, proves, read_link
from linkflow.language.json import Json


async def read(engine: Engine, kind: LinkKind, text: str) -> Link:
    """What the link is for, whether or not it still works. Raises `NotFound` for one that was made up or changed."""
    link = read_link(text)
    book = None if link is None else await engine.books.load(link.workspace, link.execution)
    if link is None or book is None or link.kind != kind or not proves(link, book.state):
        raise NotFound("link", text[:12] + "…")
    return link


async def open_link(engine: Engine, kind: LinkKind, text: str) -> Link:
    """The same, for one that still works. Raises `LinkOver`."""
    link = await read(engine, kind, text)
    book = await engine.books.load(link.workspace, link.execution)
    if book is None or book.state.closed or not expects(book.state, link.scope, link.task):
        raise LinkOver("This link has been used, or nobody waits for it any more.")
    if link.expires <= engine.clock.now():
        raise LinkOver("This link has expired.")
    return link


async def resume(engine: Engine, text: str, output: Json) -> None:
    """End the task with `output`. Raises `NotFound`, `LinkOver`."""
    link, now = await open_link(engine, "resume", text), engine.clock.now()
    if not await end(engine, link.workspace, link.execution, TaskSucceeded(link.scope, link.task, output, now, now)):
        raise LinkOver("This link has been used.")
