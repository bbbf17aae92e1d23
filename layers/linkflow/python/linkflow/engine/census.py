"""The census: once in its life, every execution that is still open some minutes after its start is looked after.

What moves is in no index of the watchdog, for an entry there is two write units or more, and most executions are over
before anybody could look (`parting.py`). Their messages are as durable as items, but whoever purges a queue by hand
takes them away. So every few minutes those that started a while ago are gone through where people list them: that is a
read of some hundred bytes for each execution. One that is found open comes into the watchdog's index for the rest of
its life, and is woken where nothing says that it rightfully waits.
"""

from linkflow.engine.engine import Engine
from linkflow.engine.watch import look_after
from linkflow.search import Query, Span
from linkflow.stores import index_keys

SETTLED = 90.0
"""Seconds after its start until an execution is looked for: longer than indexes lag behind and clocks differ."""
_PAGE = 200


async def census(engine: Engine, first: float, last: float, now: float) -> int:
    """Look after what started between these moments (seconds since 1970), is open, and is not in the index; how many
    there were. Doing it again is harmless."""
    count = 0
    async for workspace in engine.workflows.workspaces():
        shelf, cursor = index_keys.listed_executions(workspace), None
        query = Query(shelf, ("running",), started=Span(first, last), descending=False, parts=True)
        while True:
            found = await engine.summaries.search(query, _PAGE, cursor)
            strays = [(one.workspace, one.execution) for one in found.summaries if one.check_at is None]
            await look_after(engine, strays, now)
            count, cursor = count + len(strays), found.cursor
            if cursor is None:
                break
    return count
