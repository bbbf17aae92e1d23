"""A call whose process dies at any instruction, and its repetitions: one execution, for as long as the window lasts."""

import asyncio
from dataclasses import replace

import pytest

from functions.api.workflows.service import create
from functions.edge.service import receive
from linkflow.adapters.clock import VirtualClock
from linkflow.runtime.calls import Call
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import World, in_memory
from linkflow.search import Query
from linkflow.stores import index_keys
from linkflow.stores.rates import Rates
from tests.services.dying import Died, Lifetime, over
from tests.services.ticking import WORKSPACE
from tests.unit.graphs import graph, node

CONFIG = {"deduplicate": {"by": "expression", "expression": "{{ trigger.body.id }}", "window": 600}}


def call(number: int) -> Call:
    headers = {"content-type": "application/json", "x-sent": str(number)}
    return Call(f"req_{number}", "POST", "/hooks/x", "", headers, "127.0.0.1", b'{"id": 7}')


async def hooked(world: World) -> str:
    made = await create(world, WORKSPACE, "hooked", "graph", graph([node("hook", "webhook", CONFIG)]))
    return made.workflow.hooks[0].token


async def begun(world: World) -> list[str]:
    page = await world.engine.summaries.search(Query(index_keys.listed_executions(WORKSPACE)), 100)
    return [one.execution for one in page.summaries]


@pytest.mark.parametrize("after", [False, True])
async def test_a_call_that_dies_anywhere_and_is_repeated_is_one_execution(after: bool) -> None:
    world = in_memory(Settings(), VirtualClock())
    token, deaths, answer = await hooked(world), 0, None
    while answer is None:
        engine = over(world, Lifetime(deaths, after=after))
        mortal = replace(world, engine=engine, table=engine.table, queue=engine.queue)
        try:
            answer = await receive(mortal, Rates(mortal.table), token, "", call(deaths))
        except Died:
            deaths += 1
    assert deaths >= 4
    assert await begun(world) == [answer.body["execution"]]
    await world.close()


async def test_behind_the_window_the_same_call_is_a_new_one() -> None:
    clock = VirtualClock()
    world = in_memory(Settings(), clock)
    token, rates = await hooked(world), Rates(world.table)
    answers = []
    for seconds in (0, 599, 2, 1, 597):
        await clock.advance(seconds)
        answers.append((await receive(world, rates, token, "", call(seconds))).body["execution"])
    assert answers[0] == answers[1]
    assert answers[2] == answers[3] == answers[4] != answers[1]
    assert len(await begun(world)) == 2
    await world.close()


async def test_many_repetitions_at_once_in_several_processes_are_one_execution() -> None:
    world = in_memory(Settings(), VirtualClock())
    token = await hooked(world)
    rates = [Rates(world.table) for _ in range(4)]
    answers = await asyncio.gather(*(receive(world, rates[n % 4], token, "", call(n)) for n in range(40)))
    assert len({answer.body["execution"] for answer in answers}) == 1
    assert len(await begun(world)) == 1
    await world.close()
