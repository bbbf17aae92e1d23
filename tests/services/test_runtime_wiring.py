"""A whole process on the file-based family: what is accepted before a crash or a stop is handled after it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx

from linkflow.messages import LANE, TASKS
from linkflow.ports import Message, Send
from linkflow.runtime.functions import Declare, Function, HttpRoutes, QueueTrigger
from linkflow.runtime.hosts.embedded import Embedded
from linkflow.runtime.routes import Routes, Schema
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, connect


class Letter(Schema):
    text: str


def post_office(read: "asyncio.Queue[str]") -> Declare:
    def functions(world: World) -> Sequence[Function]:
        routes = Routes()

        @routes.post("/letters", status_code=202)
        async def send(body: Letter) -> None:
            await world.queue.send([Send(LANE.name, body.text.encode(), group=body.text[0])])

        async def deliver(message: Message) -> None:
            read.put_nowait(message.body.decode())

        return [
            Function("post_http", "post", HttpRoutes(routes)),
            Function("post_lane", "post", QueueTrigger(LANE, deliver)),
            Function("post_tasks", "post", QueueTrigger(TASKS, deliver)),
        ]

    return functions


async def test_a_letter_posted_is_read_and_no_letter_is_left(tmp_path: Path) -> None:
    read: asyncio.Queue[str] = asyncio.Queue()
    world = await connect(Settings(data=tmp_path))
    async with Embedded(world, post_office(read)(world)) as embedded:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(embedded.site), base_url="http://test") as client:
            texts = [f"{group}{n}" for n in range(10) for group in "abcde"]
            answers = [await client.post("/letters", json={"text": text}) for text in texts]
            assert {answer.status_code for answer in answers} == {202}
        heard = [await read.get() for _ in texts]
    for group in "abcde":
        assert [text for text in heard if text[0] == group] == [text for text in texts if text[0] == group]
    again = await connect(Settings(data=tmp_path))
    assert await again.queue.depth(LANE.name) == 0
    await again.close()


async def test_a_letter_posted_before_a_stop_is_read_by_the_next_process(tmp_path: Path) -> None:
    read: asyncio.Queue[str] = asyncio.Queue()
    before = await connect(Settings(data=tmp_path))
    await before.queue.send([Send(TASKS.name, b"late")])
    await before.close()
    world = await connect(Settings(data=tmp_path))
    async with Embedded(world, post_office(read)(world)):
        assert await read.get() == "late"
