"""Distributed Maps so wide that they are dealt to child executions."""

from typing import Any

import pytest

from functions.services import declare
from linkflow.engine.engine import Call, Engine, Told
from linkflow.engine.integrations import INTEGRATIONS
from linkflow.execution.events import ScopeOpened, TaskFailed, TaskSucceeded
from linkflow.execution.parts import FEWEST, HANDS, SHARE, WIDE, hands, share
from linkflow.runtime.hosts.rehearsal import Piece, Rehearsed, rehearse

ITEMS = list(range(WIDE + 250))
CHECK = "arn:aws:lambda:us-east-1:123456789012:function:check"


def wide(**more: Any) -> dict[str, Any]:
    states = {
        "Check": {"Type": "Task", "Resource": CHECK, "Next": "Out"},
        "Out": {"Type": "Pass", "Parameters": {"v.$": "$"}, "End": True},
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Check",
        "States": states,
    }
    return {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": processor, "End": True, **more}}}


class Checking:
    """Refuses the bad ones, and notes how many it works on at the same time."""

    def __init__(self, *bad: int) -> None:
        self.bad = bad
        self.now = self.most = 0

    def get(self, resource: str) -> Any:
        return self.check if resource == CHECK else INTEGRATIONS.get(resource)

    async def check(self, engine: Engine, call: Call) -> Told:
        task = call.task
        self.now += 1
        self.most = max(self.most, self.now)
        await engine.clock.sleep(0.01)
        self.now -= 1
        if task.arguments in self.bad:
            return TaskFailed(task.scope, task.task, "Bad", f"{task.arguments} is bad")
        return TaskSucceeded(task.scope, task.task, task.arguments)


def run(definition: dict[str, Any], *bad: int) -> tuple[Rehearsed, Checking]:
    checking = Checking(*bad)
    return rehearse(declare, Piece("asl", definition, ITEMS, seconds=600), checking), checking


def test_the_result_is_that_of_one_execution_and_its_book_stays_small() -> None:
    done, _ = run(wide())
    assert done.state.output == [{"v": item} for item in ITEMS]
    opened = [event for turn in done.turns for event in turn.events if isinstance(event, ScopeOpened)]
    assert len(opened) == -(-len(ITEMS) // SHARE)


def test_what_iterations_receive_instead_of_their_items_reaches_them() -> None:
    selector = {"ItemSelector": {"n.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index"}}
    done, _ = run(wide(**selector))
    assert done.state.output == [{"v": {"n": item, "at": item}} for item in ITEMS]


@pytest.mark.parametrize(("tolerated", "status"), [(3, "succeeded"), (2, "failed")])
def test_failures_are_counted_over_all_parts(tolerated: int, status: str) -> None:
    done, _ = run(wide(ToleratedFailureCount=tolerated), 5, 700, 1_200)
    assert done.state.status == status
    if status == "succeeded":
        assert [one["v"] for one in done.state.output] == [item for item in ITEMS if item not in (5, 700, 1_200)]
    else:
        assert done.state.failure is not None
        assert done.state.failure.error == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize("limit", [1, 7, 99, 250])
def test_as_many_iterations_run_at_the_same_time_as_may(limit: int) -> None:
    done, checking = run(wide(MaxConcurrency=limit))
    assert done.state.status == "succeeded"
    assert checking.most == limit


def test_a_limit_is_divided_among_parts_without_much_being_left() -> None:
    for limit in range(1, 6_000):
        used = hands(limit) * (limit // hands(limit))
        assert 0.96 * limit <= used <= limit
        assert 1 <= hands(limit) <= HANDS


@pytest.mark.parametrize("items", [WIDE + 1, 10_000, 1_000_000])
def test_parts_are_large_enough_for_their_share_of_the_limit(items: int) -> None:
    for limit in range(1, 6_000):
        part = share(items, limit)
        assert FEWEST <= part <= SHARE
        assert part >= min(SHARE, limit // hands(limit))


def test_the_parts_of_a_map_need_no_slot_of_their_own_workflow() -> None:
    """Else they would wait for the execution that waits for them."""
    done, _ = run({**wide(), "LinkFlow": {"concurrency": {"limit": 1}}})
    assert done.state.status == "succeeded"
    assert len(done.state.output) == len(ITEMS)
