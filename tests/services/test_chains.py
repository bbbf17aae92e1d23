"""Executions that go on in one another: what has begun is not begun again."""

from linkflow.engine.chain import newest
from linkflow.engine.visit import visit
from linkflow.messages import LANE
from tests.services.dying import dying
from tests.services.stage import Stage, Working
from tests.unit.graphs import graph, node

FOREVER = 100_000


async def test_who_looks_along_a_chain_wakes_nobody_in_it() -> None:
    stage = Stage(Working())
    again = node("again", "continue_as_new", {"input": "{{ {'n': trigger.n + 1} }}"})
    on = node("on", "condition", {"all": [{"left": "{{ trigger.n }}", "operator": "less", "right": 4}]})
    waits = node("waits", "wait_for_signal", {"name": "go"})
    drawing = graph([node("start", "manual"), on, again, waits], "start -> on", "on -true-> again", "on -false-> waits")
    first = await stage.begin(drawing)
    engine = dying(stage.world, FOREVER, after=False)  # (whose table sends by calls of its own, as on AWS)
    while messages := await stage.world.queue.receive(LANE.name):
        for message in messages:
            await visit(engine, "ws", message.group or "")
        await stage.world.queue.delete(messages)
    book = await newest(engine, "ws", first)
    assert book is not None
    assert book.state.input == {"n": 4}
    await visit(engine, "ws", first)
    assert await stage.world.queue.receive(LANE.name) == ()
