"""Laws of callbacks: who wants to hear of executions does, and the log knows it."""

from collections.abc import Mapping

from linkflow.execution.events import StateEntered
from linkflow.stores.callbacks import Deliveries, Delivery
from tests.simulation.laws.reading import Read
from tests.simulation.outside import Heard
from tests.simulation.played import Played


async def endings_are_unheard(played: Played, books: Mapping[str, Read]) -> list[str]:
    """(What is heard twice is known by its delivery.)"""
    workspace, callback = played.cast.hears, played.callback
    if workspace is None or callback is None:
        return []
    log = await _log(played, workspace, callback)
    logged, broken = {(one.execution, one.event) for one in log}, list[str]()
    for name, book in books.items():
        must = set(_of(book)) if book.summary.workspace == workspace else set[str]()
        told = {event for execution, event in logged if execution == name}
        broken += [f"23. {name} has '{event}', and nobody was told" for event in must - told]
        broken += [f"23. {name} has no '{event}', and it was told" for event in told - must - {"started"}]
    broken += [f"23. The delivery {one.id} is {one.status}" for one in log if one.status != "delivered"]
    differ = {Heard(one.id, one.execution, one.event) for one in log} ^ set(played.outside.heard)
    return broken + ([f"23. What was heard and the log differ by {differ}"] if differ else [])


def _of(book: Read) -> list[str]:
    """What must be told of it: one that goes on as another is not over, and one that goes on from another, or was ended
    before a state was entered, need not have started."""
    if book.state.part is not None:
        return []
    began = book.state.reset_of is None and any(isinstance(event, StateEntered) for event in book.events)
    ending = ["completed" if book.state.status == "succeeded" else "failed"] if book.state.successor is None else []
    return [*(["started"] if began else []), *ending]


async def _log(played: Played, workspace: str, callback: str) -> list[Delivery]:
    deliveries, found = Deliveries(played.stores.table), list[Delivery]()
    page, cursor = await deliveries.listed(workspace, callback, 100, None)
    while True:
        found += page
        if cursor is None:
            return found
        page, cursor = await deliveries.listed(workspace, callback, 100, cursor)
