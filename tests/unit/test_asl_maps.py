"""Maps of state machines, inline and distributed: order, tolerance, batches, what is read and written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.execution.commands import RunTask
from linkflow.execution.events import MapRunStarted, News
from linkflow.language.json import Json
from tests.unit.asl_runs import GET, PUT, State, distributed, machine, task
from tests.unit.driver import fails, gives, succeed


@given(order=st.permutations(range(5)), width=st.integers(0, 5))
def test_results_stand_in_the_order_of_the_items(order: list[int], width: int) -> None:
    """Whatever finishes first, and however many run at once."""
    work = {"StartAt": "W", "States": {"W": {**task(), "End": True}}}
    run = machine(Each={"Type": "Map", "MaxConcurrency": width, "ItemProcessor": work}).start(list(range(5)))
    while not run.state.closed:
        owed = run.owed()
        assert len(owed) <= (width or 5)
        run.tell(succeed(min(owed, key=lambda one: order[one.arguments])))
    assert run.state.output == list(range(5))


@given(failing=st.sets(st.integers(0, 5)), tolerated=st.integers(0, 6))
def test_a_map_bears_as_many_failures_as_it_says(failing: set[int], tolerated: int) -> None:
    run = machine(Each=distributed(ToleratedFailureCount=tolerated)).start(list(range(6)))
    run.finish(lambda owed: fails("Oops")(owed) if owed.arguments in failing else succeed(owed))
    if len(failing) <= tolerated:
        assert run.state.output == [item for item in range(6) if item not in failing]
    else:
        assert run.state.failure is not None
        assert run.state.failure.error == "States.ExceedToleratedFailureThreshold"


@given(items=st.lists(st.integers(0, 9), max_size=12), most=st.integers(1, 5))
def test_batches_hold_every_item_once_and_in_order(items: list[int], most: int) -> None:
    batcher = {"MaxItemsPerBatch": most, "BatchInput": {"common": True}}
    run = machine(Each=distributed(ItemBatcher=batcher)).start(items).finish()
    batches: list[dict[str, Any]] = run.state.output
    assert [item for batch in batches for item in batch["Items"]] == items
    assert (
        all(0 < len(batch["Items"]) <= most and batch["BatchInput"]["common"] for batch in batches)
        if items
        else batches == []
    )


def read_and_write(bucket: dict[str, str]) -> Any:
    """Answers a Map's own tasks from a bucket, and all others with their arguments."""

    def answer(owed: RunTask) -> News:
        if owed.resource == GET:
            return gives({"Body": bucket[owed.arguments["Key"]]})(owed)
        if owed.resource == PUT:
            bucket[owed.arguments["Key"]] = owed.arguments["Body"]
            return gives({})(owed)
        return succeed(owed)

    return answer


@pytest.mark.parametrize(
    ("config", "text", "items"),
    [
        ({"InputType": "JSON"}, '[1, {"a": 2}]', [1, {"a": 2}]),
        ({"InputType": "JSON", "ItemsPointer": "/a/b"}, '{"a": {"b": [1]}}', [1]),
        ({"InputType": "JSONL"}, '"a\u2028b"', ["a\u2028b"]),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "a\r\nx\u2028y\r\n", [{"a": "x\u2028y"}]),
        ({"InputType": "JSONL"}, '{"a": 1}\n\n2\n', [{"a": 1}, 2]),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, 'a,b\n"x\ny",1\n', [{"a": "x\ny", "b": "1"}]),
        ({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"]}, "x,y\n", [{"a": "x"}]),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "PIPE"},
            "a|b\n1|2",
            [{"a": "1", "b": "2"}],
        ),
        ({"InputType": "JSON", "MaxItems": 1}, "[1, 2]", [1]),
    ],
)
def test_items_are_read_as_their_form_says(config: State, text: str, items: list[Json]) -> None:
    reader = {"Resource": GET, "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": config}
    run = machine(Each=distributed(ItemReader=reader)).start({}).finish(read_and_write({"k": text}))
    assert run.state.output == items


@pytest.mark.parametrize(("text", "input_type"), [('{"a": 1}', "JSON"), ("[1", "JSON"), ("a,a\n1,2", "CSV")])
def test_what_cannot_be_read_is_a_failure_with_a_name(text: str, input_type: str) -> None:
    config = {"InputType": input_type, "CSVHeaderLocation": "FIRST_ROW"}
    reader = {"Resource": GET, "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": config}
    rule = {"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Mend"}
    run = machine(Each=distributed(ItemReader=reader, Catch=[rule]), Mend={"Type": "Pass"}).start({})
    assert run.finish(read_and_write({"k": text})).state.output["Error"] == "States.ItemReaderFailed"


def test_results_are_written_with_a_manifest_that_finds_them() -> None:
    writer = {"Resource": PUT, "Parameters": {"Bucket": "b", "Prefix": "out"}}
    bucket: dict[str, str] = {}
    run = machine(Each=distributed(ResultWriter=writer)).start([1, 2]).finish(read_and_write(bucket))
    manifest = run.state.output["ResultWriterDetails"]["Key"]
    assert list(bucket)[-1] == manifest, "whoever finds the manifest finds all"
    assert [key for key in bucket if key != manifest and f'"{key}"' in bucket[manifest]] == list(bucket)[:-1]


def test_a_writer_that_fails_fails_the_map() -> None:
    writer = {"Resource": PUT, "Parameters": {"Bucket": "b", "Prefix": "out"}}
    run = machine(Each=distributed(ResultWriter=writer)).start([1])
    run.finish(lambda owed: fails("S3.Denied")(owed) if owed.resource == PUT else succeed(owed))
    assert run.state.failure is not None
    assert run.state.failure.error == "States.ResultWriterFailed"


def test_a_run_is_called_the_same_whatever_came_first_beside_it() -> None:
    """Where nothing is put until the end, it is decided again when others write meanwhile: files keep their names."""
    names = set()
    for late in (False, True):
        beside = {"StartAt": "B", "States": {"B": task(Next="C"), "C": {"Type": "Pass", "End": True}}}
        wide = {**distributed(), "End": True}
        maps = {"StartAt": "A", "States": {"A": task(Next="Wide"), "Wide": wide}}
        run = machine(Both={"Type": "Parallel", "Branches": [maps, beside]}).start([1])
        for one in sorted(run.owed(), key=lambda one: one.node, reverse=late):
            run.tell(succeed(one))
        names |= {event.run for _, turn in run.book for event in turn if isinstance(event, MapRunStarted)}
    assert len(names) == 1
