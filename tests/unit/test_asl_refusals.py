"""What is refused in a state machine, and where: the rules that no recording shows."""

from typing import Final

import pytest

from linkflow.language.json import Json
from tests.unit.machines import END, found, machine, task


def items(**fields: Json) -> Json:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    inside = {"StartAt": "I", "States": {"I": END}, "ProcessorConfig": config}
    return {"Type": "Map", "ItemProcessor": inside, "End": True, **fields}


def choice(rule: Json) -> Json:
    return machine({"Type": "Choice", "Choices": [rule], "Default": "B"}, END)


REFUSED: Final[dict[str, tuple[Json, str]]] = {
    "a timeout of zero": (machine(task(TimeoutSeconds=0)), "/States/A/TimeoutSeconds"),
    "a timeout that is true": (machine(task(TimeoutSeconds=True)), "/States/A/TimeoutSeconds"),
    "a heartbeat longer than the timeout": (
        machine(task(TimeoutSeconds=5, HeartbeatSeconds=5)),
        "/States/A/HeartbeatSeconds",
    ),
    "States.ALL beside others": (
        machine(task(Retry=[{"ErrorEquals": ["States.ALL", "E"]}])),
        "/States/A/Retry[0]/ErrorEquals",
    ),
    "States.ALL before others": (
        machine(task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}])),
        "/States/A/Retry[0]/ErrorEquals",
    ),
    "a back-off below one": (
        machine(task(Retry=[{"ErrorEquals": ["E"], "BackoffRate": 0.5}])),
        "/States/A/Retry[0]/BackoffRate",
    ),
    "a longest delay below the first": (
        machine(task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 9, "MaxDelaySeconds": 9}])),
        "/States/A/Retry[0]/MaxDelaySeconds",
    ),
    "a catcher that leads nowhere": (
        machine(task(Catch=[{"ErrorEquals": ["E"], "Next": "X"}])),
        "/States/A/Catch[0]/Next",
    ),
    "a rule without an operator": (choice({"Variable": "$.a", "Next": "B"}), "/States/A/Choices[0]"),
    "a rule with two operators": (
        choice({"Variable": "$.a", "StringEquals": "x", "IsNull": True, "Next": "B"}),
        "/States/A/Choices[0]",
    ),
    "a nested rule with Next": (
        choice({"Not": {"Variable": "$.a", "IsNull": True, "Next": "B"}, "Next": "B"}),
        "/States/A/Choices[0]/Not",
    ),
    "And beside Or": (choice({"And": [], "Or": [], "Next": "B"}), "/States/A/Choices[0]"),
    "a moment that is not one": (
        choice({"Variable": "$.a", "TimestampEquals": "2023-02-30T00:00:00Z", "Next": "B"}),
        "/States/A/Choices[0]/TimestampEquals",
    ),
    "a result put into a variable": (machine(task(ResultPath="$x")), "/States/A/ResultPath"),
    "a result put into the context": (machine(task(ResultPath="$$.x")), "/States/A/ResultPath"),
    "a result put into many places": (machine(task(ResultPath="$..x")), "/States/A/ResultPath"),
    "a variable named states": (machine({**END, "Assign": {"states": 1}}), "/States/A/Assign"),
    "a variable with a hyphen": (machine({**END, "Assign": {"a-b.$": "$.x"}}), "/States/A/Assign"),
    "a variable with a name too long": (machine({**END, "Assign": {"x" * 81: 1}}), "/States/A/Assign"),
    "a variable assigned again inside": (
        machine(
            {
                "Type": "Parallel",
                "Branches": [{"StartAt": "I", "States": {"I": {**END, "Assign": {"x": 1}}}}],
                "Next": "B",
            },
            {**END, "Assign": {"x": 2}},
        ),
        "/States/A/Branches[0]/States/I/Assign",
    ),
    "an expression without an end": (machine({**END, "Output": "{% 1"}, QueryLanguage="JSONata"), "/States/A/Output"),
    "an expression that cannot be parsed": (
        machine({**END, "Output": {"a": ["{% 1 + %}"]}}, QueryLanguage="JSONata"),
        "/States/A/Output/a[0]",
    ),
    "the error where there is none": (
        machine({**END, "Output": "{% $states.errorOutput %}"}, QueryLanguage="JSONata"),
        "/States/A/Output",
    ),
    "a template key with two values": (machine({**END, "Parameters": {"a": 1, "a.$": "$.a"}}), "/States/A/Parameters"),
    "a template key without a path": (machine({**END, "Parameters": {"b": [{"a.$": 1}]}}), "/States/A/Parameters/b[0]"),
    "a percentage above a hundred": (
        machine(items(ToleratedFailurePercentage=100.5)),
        "/States/A/ToleratedFailurePercentage",
    ),
    "a number and a path to one": (machine(items(MaxConcurrency=1, MaxConcurrencyPath="$.n")), "/States/A"),
    "a query language for a processor": (
        machine(
            items(ItemProcessor={**machine(END), "States": {"I": END}, "StartAt": "I", "QueryLanguage": "JSONata"})
        ),
        "/States/A/ItemProcessor",
    ),
    "headers that are not given": (
        machine(
            items(
                ItemReader={"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"CSVHeaderLocation": "GIVEN"}}
            )
        ),
        "/States/A/ItemReader/ReaderConfig",
    ),
    "results written nowhere": (machine(items(ResultWriter={})), "/States/A/ResultWriter"),
    "batches without a bound": (machine(items(ItemBatcher={})), "/States/A/ItemBatcher"),
    "two states of one name": (
        machine({"Type": "Parallel", "Branches": [machine(END)], "End": True}),
        "/States/A/Branches[0]/States/A",
    ),
    "a state name too long": ({"StartAt": "x" * 81, "States": {"x" * 81: END}}, "/States/" + "x" * 81),
    "an end that is false": (machine({"Type": "Pass", "End": False}), "/States/A"),
    "a start that is not there": (machine(END, StartAt="Z"), "/StartAt"),
    "a loop without an end": (machine({"Type": "Pass", "Next": "A"}), "null"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_this_is_refused_where_it_is_wrong(name: str) -> None:
    document, location = REFUSED[name]
    assert location in {place or "null" for place, _message in found(document)}


@pytest.mark.parametrize(
    "resource", ["arn:aws:states:::sqs:sendMessage.waitForTaskToken", "arn:aws:states:::ecs:runTask.sync"]
)
def test_an_express_machine_waits_for_nobody(resource: str) -> None:
    document = machine(task(Resource=resource))
    assert found(document) == []
    ((location, message),) = found(document, machine_type="EXPRESS")
    assert location == "/States/A/Resource"
    assert message == f"Express state machine does not support '.{resource.rpartition('.')[2]}' service integration "


def test_an_express_child_of_a_standard_machine_waits_for_nobody_either() -> None:
    waiting = {"StartAt": "I", "States": {"I": task(Resource="arn:aws:states:::ecs:runTask.sync")}}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    assert len(found(machine(items(ItemProcessor={**waiting, "ProcessorConfig": config})))) == 1
