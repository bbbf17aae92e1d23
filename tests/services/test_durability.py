"""When outcomes are put: at each step, in groups, at the end. Counted in turns; and what a crash or a stranger's turn
makes of it."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from linkflow.engine.cancel import cancel
from linkflow.engine.news import tell
from linkflow.execution.events import SignalReceived
from tests.services.stage import NAMES, STEPS, Stage, Working, line


@pytest.mark.parametrize(
    ("settings", "turns"),
    [
        ({}, STEPS),
        ({"durability": "step"}, STEPS),
        ({"durability": "group", "group_steps": 4, "group_seconds": 60}, STEPS // 4),
        ({"durability": "group", "group_steps": 5, "group_seconds": 60}, 3),
        ({"durability": "end"}, 1),
    ],
)
async def test_a_workflow_says_how_many_turns_its_steps_take(settings: Any, turns: int) -> None:
    stage = Stage(Working())
    execution = await stage.begin(line(**settings))
    state = await stage.visit(execution)
    assert (state.status, await stage.turns(execution)) == ("succeeded", turns)
    assert [name for name, _ in stage.working.calls] == NAMES
    book = await stage.world.engine.books.load("ws", execution)
    assert book is not None
    assert book.state.output == state.output


async def test_a_group_that_has_waited_long_enough_is_put_while_the_next_task_still_runs() -> None:
    stage = Stage(Working(stop=3))
    execution = await stage.begin(line(durability="group", group_seconds=5))
    visiting = asyncio.create_task(stage.visit(execution))
    await stage.working.stopped.wait()
    assert await stage.turns(execution) == 0
    await stage.clock.advance(6)
    while not await stage.turns(execution):  # noqa: ASYNC110 (the put finishes in its own time)
        await asyncio.sleep(0)
    stage.working.go.set()
    assert (await visiting).status == "succeeded"


async def test_a_node_may_ask_for_more_or_less_than_its_workflow() -> None:
    careful = line(durability="end")
    careful["nodes"][4]["durability"] = "step"
    careless = line()
    for one in careless["nodes"][1:]:
        one["durability"] = "end"
    for definition, turns in ((careful, 2), (careless, 1)):
        stage = Stage(Working())
        execution = await stage.begin(definition)
        await stage.visit(execution)
        assert await stage.turns(execution) == turns


@pytest.mark.parametrize("durability", ["step", "group", "end"])
@pytest.mark.parametrize("dies_at", [1, 2, 5, 7, STEPS])
async def test_a_crash_repeats_what_was_not_put_with_the_same_keys_and_nothing_else(
    durability: str, dies_at: int
) -> None:
    working = Working(stop=dies_at)
    stage = Stage(working)
    execution = await stage.begin(line(durability=durability, group_steps=3, group_seconds=60))
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    done = {"step": dies_at - 1, "group": (dies_at - 1) // 3 * 3, "end": 0}[durability]
    assert (await stage.visit(execution, resumed=True)).status == "succeeded"
    assert [name for name, _ in working.calls] == NAMES[:dies_at] + NAMES[done:]
    assert len({key for _, key in working.calls}) == STEPS


@pytest.mark.parametrize("durability", ["step", "group", "end"])
async def test_a_stranger_who_writes_meanwhile_makes_nothing_run_twice(durability: str) -> None:
    """Neither in a group nor in the first turn, which is put late."""
    for stop in (1, 2, 6):
        working = Working(stop=stop)
        stage = Stage(working)
        execution = await stage.begin(line(durability=durability, group_steps=4, group_seconds=60))
        visiting = asyncio.create_task(stage.visit(execution))
        await working.stopped.wait()
        await tell(stage.world.engine, "ws", execution, SignalReceived("hello", 1, "s1"))
        working.go.set()
        assert (await visiting).status == "succeeded"
        assert [name for name, _ in working.calls] == NAMES


async def test_a_cancel_during_a_group_is_obeyed_with_what_was_done_on_record() -> None:
    working = Working(stop=6)
    stage = Stage(working)
    execution = await stage.begin(line(durability="end"))
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    await cancel(stage.world.engine, "ws", execution, "us_1", "enough")
    await stage.clock.advance(2)
    assert (await visiting).status == "cancelled"


async def test_an_express_machine_is_recorded_when_it_waits_and_when_it_ends() -> None:
    states: dict[str, Any] = {
        name: {"Type": "Task", "Resource": "linkflow:no_op", "Next": following}
        for name, following in pairwise([*NAMES, "W"])
    }
    states["W"] = {"Type": "Wait", "Seconds": 100, "Next": "Z"}
    states["Z"] = {"Type": "Task", "Resource": "linkflow:no_op", "End": True}
    machine = {"StartAt": NAMES[0], "States": states}
    stage = Stage(Working())
    execution = await stage.begin(machine, "asl", express=True)
    await stage.visit(execution)
    assert await stage.turns(execution) == 1
    await stage.clock.advance(101)
    assert (await stage.visit(execution)).status == "succeeded"
    assert await stage.turns(execution) == 2


async def test_what_came_of_what_must_not_run_twice_is_on_record_before_anything_follows() -> None:
    """It was lost with its process, so that what followed was asked again, with the same key, about something else."""
    once = line(durability="end")
    once["nodes"][5]["at_most_once"] = True
    working = Working(stop=6)
    stage = Stage(working)
    execution = await stage.begin(once)
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    assert (await stage.visit(execution, resumed=True)).status == "succeeded"
    assert [name for name, _ in working.calls] == [*NAMES[:6], *NAMES[5:]]


async def test_what_must_not_run_twice_is_on_record_before_it_begins() -> None:
    once = line(durability="end")
    once["nodes"][5]["at_most_once"] = True
    working = Working(stop=5)
    stage = Stage(working)
    execution = await stage.begin(once)
    visiting = asyncio.create_task(stage.visit(execution))
    await working.stopped.wait()
    assert await stage.turns(execution) > 0
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    assert (await stage.visit(execution, resumed=True)).status == "failed"
    assert len(working.calls) == 5
