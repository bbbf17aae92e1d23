"""What waits stand on: approvals and subscriptions, on every family of adapters."""

import asyncio
from dataclasses import replace as changed

import pytest
from msgspec.structs import replace

from linkflow.errors import NotFound
from linkflow.ports import Table
from linkflow.stores.approvals import Approval, Approvals, Decision, Verdict
from linkflow.stores.subscriptions import Subscription, Subscriptions, of_workflow


def approval(number: int, workspace: str = "ws_1") -> Approval:
    return Approval(workspace, f"ap_{number}", "ex_1", "wf_1", "ask", 1, number, "May I?", created_at=1_000.0 + number)


async def test_an_approval_is_opened_once_and_found_again(table: Table) -> None:
    approvals = Approvals(table)
    first = await approvals.open(approval(1))
    again = await approvals.open(replace(approval(1), title="Another?"))
    assert again == first
    assert (await approvals.find("ws_1", "ap_1")).approval == first
    for workspace, identifier in (("ws_2", "ap_1"), ("ws_1", "ap_2")):
        with pytest.raises(NotFound):
            await approvals.find(workspace, identifier)


async def test_of_several_who_change_it_at_once_one_does(table: Table) -> None:
    approvals = Approvals(table)
    await approvals.open(approval(1))
    found = await approvals.find("ws_1", "ap_1")
    votes: list[Verdict] = ["approved", "rejected", "approved"]
    wanted = [replace(found.approval, decisions=(Decision(f"us_{n}", vote, 1.0),)) for n, vote in enumerate(votes)]
    written = await asyncio.gather(*(approvals.replace(found, one) for one in wanted))
    assert sorted(written) == [False, False, True]
    assert (await approvals.find("ws_1", "ap_1")).approval == wanted[written.index(True)]
    assert not await approvals.replace(changed(found, version=9), wanted[0])


async def test_they_are_listed_by_status_newest_first_and_move_with_it(table: Table) -> None:
    approvals = Approvals(table)
    for number in range(5):
        await approvals.open(approval(number))
    await approvals.open(approval(7, "ws_2"))
    found = await approvals.find("ws_1", "ap_3")
    await approvals.replace(found, replace(found.approval, status="approved"))
    first, cursor = await approvals.listed("ws_1", "pending", 3, None)
    rest, end = await approvals.listed("ws_1", "pending", 3, cursor)
    assert [one.id for one in (*first, *rest)] == ["ap_4", "ap_2", "ap_1", "ap_0"]
    assert end is None
    assert [one.id for one in (await approvals.listed("ws_1", "approved", 3, None))[0]] == ["ap_3"]


def waiting(task: int, kind: str = "paid", workspace: str = "ws_1") -> Subscription:
    return Subscription(workspace, kind, 1_000.0, "event.data", {"trigger": task}, execution="ex_1", scope=1, task=task)


async def found(subscriptions: Subscriptions, kind: str = "paid", workspace: str = "ws_1") -> list[Subscription]:
    return [one async for one in subscriptions.of(workspace, kind)]


async def test_subscriptions_are_gathered_by_type_however_many_and_whatever_the_type_is_called(table: Table) -> None:
    subscriptions = Subscriptions(table)
    for number in range(30):
        await subscriptions.add(waiting(number))
    for kind in ("paid#1", "paid ünd mehr", "*"):
        await subscriptions.add(waiting(1, kind))
        assert await found(subscriptions, kind) == [waiting(1, kind)]
    await subscriptions.add(waiting(1, workspace="ws_2"))
    assert sorted(one.task for one in await found(subscriptions)) == list(range(30))


async def test_adding_one_again_changes_nothing_and_removing_it_twice_is_fine(table: Table) -> None:
    subscriptions = Subscriptions(table)
    await subscriptions.add(waiting(1), expires_at=5_000.0)
    await subscriptions.add(replace(waiting(1), since=2_000.0))
    assert await found(subscriptions) == [waiting(1)]
    for _ in range(2):
        await subscriptions.remove(waiting(1))
    assert await found(subscriptions) == []


async def test_a_workflow_and_those_who_wait_stand_side_by_side(table: Table) -> None:
    subscriptions = Subscriptions(table)
    trigger = Subscription("ws_1", "paid", 1_000.0, workflow="wf_1", node="start")
    await table.transact([of_workflow(trigger)])
    await subscriptions.add(waiting(1))
    assert {one.workflow for one in await found(subscriptions)} == {"wf_1", ""}
    await subscriptions.remove(trigger)
    assert await found(subscriptions) == [waiting(1)]
