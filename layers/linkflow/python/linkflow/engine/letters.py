"""News on its way into books: what several have to tell one execution at the same moment shares a turn."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from linkflow.execution.events import News
from linkflow.execution.state import State


@dataclass(frozen=True, slots=True)
class Letter:
    news: News
    told: "asyncio.Future[State]"


Write = Callable[[Sequence[News]], Awaitable[State]]
"""Writes what it is given into the book; the state as it was when the news came."""


class Letters:
    """At most one writer per execution is at work in this process; whatever arrives meanwhile is its next batch."""

    __slots__ = ("_boxes", "_writers")

    def __init__(self) -> None:
        self._boxes: dict[str, list[Letter]] = {}
        self._writers: set[asyncio.Task[None]] = set()

    async def send(self, execution: str, news: News, write: Write) -> State:
        """Returns once `news` is written. Raises what `write` raises."""
        letter = Letter(news, asyncio.get_running_loop().create_future())
        box = self._boxes.setdefault(execution, [])
        box.append(letter)
        if len(box) == 1:
            writer = asyncio.create_task(self._deliver(execution, box, write))
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await letter.told

    async def _deliver(self, execution: str, box: list[Letter], write: Write) -> None:
        """The box is kept until it is empty, so that who comes meanwhile starts no second writer."""
        while box:
            batch = list(box)
            try:
                state = await write([letter.news for letter in batch])
            except Exception as error:  # noqa: BLE001 (it is raised where the news came from)
                for letter in batch:
                    if not letter.told.done():
                        letter.told.set_exception(error)
            else:
                for letter in batch:
                    if not letter.told.done():
                        letter.told.set_result(state)
            del box[: len(batch)]
        del self._boxes[execution]
