"""Maps that read their items from files and write their results to files, on the whole house."""

from typing import Any

import pytest

from tests.flow.house import House
from tests.flow.test_state_machines import created

S3 = "arn:aws:states:::s3"
SDK = "arn:aws:states:::aws-sdk:s3"


def reading(body: Any, reader: dict[str, Any], resource: str = "getObject", **more: Any) -> dict[str, Any]:
    """Writes a file, then maps over it."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Out",
        "States": {"Out": {"Type": "Pass", "End": True}},
    }
    where = {"Bucket": "shelf", "Prefix": "in/"} if resource == "listObjectsV2" else {"Bucket": "shelf", "Key": "in/a"}
    source = {"Resource": f"{S3}:{resource}", "Parameters": where}
    states = {
        "Write": {
            "Type": "Task",
            "Resource": f"{SDK}:putObject",
            "Parameters": {"Bucket": "shelf", "Key": "in/a", "Body": body},
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "ItemReader": {**source, **({"ReaderConfig": reader} if reader else {})},
            "ItemProcessor": processor,
            "End": True,
            **more,
        },
    }
    return {"StartAt": "Write", "States": states}


@pytest.mark.parametrize(
    ("body", "reader", "items"),
    [
        ('[1, {"a": 2}]', {"InputType": "JSON"}, [1, {"a": 2}]),
        ('1\n\n{"a": 2}\n', {"InputType": "JSONL"}, [1, {"a": 2}]),
        ("x,y\n1,2\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, [{"x": "1", "y": "2"}]),
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": 2}, [1, 2]),
    ],
)
async def test_items_are_read_from_a_file(house: House, body: str, reader: dict[str, Any], items: list[Any]) -> None:
    done = await house.start(await created(house, reading(body, reader)), {}, wait=30)
    assert (done["status"], done["output"]) == ("succeeded", items)


async def test_the_files_of_a_bucket_are_items_too(house: House) -> None:
    done = await house.start(await created(house, reading("text", {}, "listObjectsV2")), {}, wait=30)
    assert [(file["Key"], file["Size"]) for file in done["output"]] == [("in/a", 4)]


async def test_results_are_written_and_can_be_read_again(house: House) -> None:
    writer = {"Resource": f"{S3}:putObject", "Parameters": {"Bucket": "shelf", "Prefix": "out"}}
    machine = reading("[7, 8]", {"InputType": "JSON"}, ResultWriter=writer, End=False, Next="Read")
    del machine["States"]["Each"]["End"]
    machine["States"]["Read"] = {
        "Type": "Task",
        "Resource": f"{SDK}:getObject",
        "Parameters": {"Bucket.$": "$.ResultWriterDetails.Bucket", "Key.$": "$.ResultWriterDetails.Key"},
        "OutputPath": "$.Body",
        "End": True,
    }
    done = await house.start(await created(house, machine), {}, wait=30)
    assert done["status"] == "succeeded", done
    assert "SUCCEEDED_0.json" in done["output"]


async def test_a_file_that_is_not_there_fails_the_map_with_a_name(house: House) -> None:
    machine = reading("[]", {"InputType": "JSON"})
    machine["States"]["Each"]["ItemReader"]["Parameters"]["Key"] = "nowhere"
    done = await house.start(await created(house, machine), {}, wait=30)
    assert done["error"]["code"] == "States.ItemReaderFailed"


async def test_a_map_too_wide_for_one_book_is_dealt_to_executions_of_its_own(house: House) -> None:
    machine = reading(str(list(range(1_050))), {"InputType": "JSON"}, ResultSelector={"n.$": "States.ArrayLength($)"})
    done = await house.start(await created(house, machine), {}, wait=60)
    assert (done["status"], done["output"]) == ("succeeded", {"n": 1_050})
    asked: dict[str, str | int] = {"limit": 50, "trigger": "map"}
    parts = (await house.http.get("/api/v1/executions", params=asked)).json()["data"]
    assert [one["status"] for one in parts] == ["succeeded"] * 11
    for door in ("", "/history", "/events"):
        assert (await house.http.get(f"/api/v1/executions/{parts[0]['id']}{door}")).status_code == 200
        assert (await house.http.get(f"/api/v1/executions/{done['id']}{door}")).status_code == 200
