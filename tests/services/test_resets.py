"""Taking up again, business keys, and going on as new, when the process dies at any call to the outside."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import pytest

from linkflow.engine.resets import Reset, reset
from linkflow.engine.start import Start, begin
from linkflow.engine.visit import visit
from linkflow.engine.watch import watch
from linkflow.errors import Conflict
from linkflow.execution.state import State
from linkflow.messages import LANE
from linkflow.ports import Index, Range
from linkflow.stores import index_keys
from linkflow.stores.records import Summary, decode
from tests.services.dying import Died, dying
from tests.services.stage import NAMES, Stage, Working, line
from tests.unit.graphs import graph, node

DEATHS = 16
"""Calls to the outside of the longest verb here."""


async def awake(stage: Stage) -> list[str]:
    """The executions that the lane or the watchdog would bring a visit to; all of them are visited. (One may never have
    been opened.)"""
    await stage.clock.advance(400)
    await watch(stage.world.engine, stage.clock.now())
    woken = [message.group or "" for message in await stage.world.queue.receive(LANE.name, 100)]
    for execution in woken:
        await visit(stage.world.engine, "ws", execution, resumed=True)
    return woken


async def half_way() -> tuple[Stage, str]:
    """An execution whose visit died in the middle of it."""
    stage = Stage(Working(stop=5))
    old = await stage.begin(line())
    visiting = asyncio.create_task(stage.visit(old))
    await stage.working.stopped.wait()
    visiting.cancel()
    await asyncio.gather(visiting, return_exceptions=True)
    return stage, old


async def state_of(stage: Stage, execution: str) -> State | None:
    book = await stage.world.engine.books.load("ws", execution)
    return None if book is None else book.state


@pytest.mark.parametrize("after", [False, True])
async def test_a_reset_that_dies_anywhere_leaves_one_execution_running_and_a_repetition_finds_it(after: bool) -> None:
    deaths = 0
    for calls in range(DEATHS):
        stage, old = await half_way()
        wish = Reset(node="n2", key="k", by="us_1")
        try:
            await reset(dying(stage.world, calls, after=after), "ws", old, wish)
        except Died:
            deaths += 1
        await awake(stage)
        new = await reset(stage.world.engine, "ws", old, wish)
        await awake(stage)
        began, ended = await state_of(stage, new), await state_of(stage, old)
        assert began is not None
        assert ended is not None
        assert began.status == "succeeded"
        assert ended.closed
        assert began.reset_of is not None
        assert (began.reset_of.execution, began.names.execution_id) == (old, new)
        again = [name for name, key in stage.working.calls if key.startswith(new)]
        assert again == NAMES[2:]
        summary = await stage.world.engine.summaries.get("ws", old)
        assert summary is not None
        assert summary.reset_to == new
    assert deaths > 8


async def test_the_new_executions_first_visit_ends_the_old_one_that_a_crash_left_open() -> None:
    """The summary is written, the old one not terminated: two would run."""
    for calls in range(DEATHS):
        stage, old = await half_way()
        with contextlib.suppress(Died):
            await reset(dying(stage.world, calls, after=True), "ws", old, Reset(node="n2", key="k"))
        found = [one for one in await listed(stage) if one != old]
        before = await state_of(stage, old)
        if found and before is not None and not before.closed:
            await stage.visit(found[0])
            after = await state_of(stage, old)
            assert after is not None
            assert (after.status, after.successor) == ("terminated", found[0])
            return
    pytest.fail("no death fell between the two writes")


async def listed(stage: Stage) -> list[str]:
    """Newest first."""
    page = await stage.world.table.query(Range(index_keys.listed_executions("ws"), index=Index.LISTING, reverse=True))
    return [decode(item.body, Summary).execution for item in page.items]


async def test_the_newest_version_takes_over_only_where_it_would_have_gone_the_same_way() -> None:
    stage = Stage(Working())
    workflow = await stage.workflow(line(NAMES[:3]))
    engine = stage.world.engine
    old = (await begin(engine, Start(workflow, {"n": 1}, node="start"))).execution
    await stage.visit(old)
    newer = await stage.newer(workflow, line([*NAMES[:2], "x"]))
    new = await reset(engine, "ws", old, Reset(node="n2", version="newest"))
    state = await stage.visit(new)
    assert (state.status, state.version) == ("succeeded", newer.version)
    assert [name for name, key in stage.working.calls if key.startswith(new)] == ["x"]
    with pytest.raises(Conflict, match="would not have gone the same way"):
        await reset(engine, "ws", old, Reset(turn=2, version="newest"))
    same = await reset(engine, "ws", old, Reset(turn=2))
    assert (await stage.visit(same)).version == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_start_with_a_business_key_that_dies_anywhere_leaves_no_key_without_its_execution(after: bool) -> None:
    deaths = 0
    for calls in range(8):
        stage = Stage(Working())
        workflow = await stage.workflow(line(NAMES[:2]))
        request = Start(workflow, {}, node="start", business_key="k", key_policy="reject", idempotency_key="i")
        try:
            await begin(dying(stage.world, calls, after=after), request)
        except Died:
            deaths += 1
        again = await begin(stage.world.engine, request)
        with pytest.raises(Conflict):
            await begin(stage.world.engine, replace(request, idempotency_key="j"))
        await awake(stage)
        state = await state_of(stage, again.execution)
        assert state is not None
        assert state.status == "succeeded"
        assert (await begin(stage.world.engine, replace(request, idempotency_key="j"))).new
    assert deaths > 3


@pytest.mark.parametrize("after", [False, True])
async def test_who_takes_a_business_key_finds_all_of_its_former_owners_over(after: bool) -> None:
    """A reset gave the key to the execution it began, and died before it ended the old one; who took the key ended the
    one that had it, and the old one was still open. The one that is reset here is a reset itself."""
    deaths = 0
    for calls in range(DEATHS):
        stage = Stage(Working())
        nodes = [node("start", "manual"), node("pause", "delay", {"seconds": 600})]
        workflow = await stage.workflow(graph(nodes, "start -> pause"))
        request = Start(workflow, {}, node="start", business_key="k", key_policy="terminate_existing")
        old = (await begin(stage.world.engine, request)).execution
        await stage.visit(old)
        try:
            first = await reset(dying(stage.world, calls, after=after), "ws", old, Reset(turn=0, key="first"))
            await reset(dying(stage.world, calls, after=after), "ws", first, Reset(turn=0, key="second"))
        except Died:
            deaths += 1
        newest = (await begin(stage.world.engine, request)).execution
        states = {name: await state_of(stage, name) for name in await listed(stage)}
        assert [name for name, state in states.items() if state is not None and not state.closed] == [newest]
    assert deaths > 5


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("policy", ["allow", "reject"])
async def test_an_execution_that_goes_on_as_new_is_never_lost_between_two(policy: Any, after: bool) -> None:
    deaths = 0
    for calls in range(DEATHS):
        stage = Stage(Working())
        more = {"all": [{"left": "{{ trigger.n }}", "operator": "less", "right": 3}]}
        again = node("again", "continue_as_new", {"input": "{{ {'n': trigger.n + 1} }}"})
        nodes = [node("start", "manual"), node("more", "condition", more), again, node("done")]
        workflow = await stage.workflow(graph(nodes, "start -> more", "more -true-> again", "more -false-> done"))
        request = Start(workflow, {"n": 1}, node="start", business_key="k", key_policy=policy)
        first = (await begin(stage.world.engine, request)).execution
        try:
            await visit(dying(stage.world, calls, after=after), "ws", first)
        except Died:
            deaths += 1
        for _ in range(6):
            await awake(stage)
        chain = await listed(stage)
        assert len(chain) == 3
        states = [await state_of(stage, one) for one in chain]
        told = sorted((one.input["n"], one.status) for one in states if one is not None)
        assert told == [(1, "continued"), (2, "continued"), (3, "succeeded")]
        assert len(stage.working.calls) == 1
        assert (await begin(stage.world.engine, replace(request, key_policy="reject"))).new
    assert deaths > 5
