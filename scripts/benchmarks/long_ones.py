"""Executions that are long or wide: as many states in a row, or as many items, as one execution should bear."""

from typing import Any

MANY = 10_000
_NO_OP = "linkflow:no_op"
_MORE = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Enough"}
_ENOUGH = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThanEquals": MANY, "Next": "Done"}]}
_STATES = {
    "Work": {"Type": "Task", "Resource": _NO_OP, "Parameters": {}, "ResultPath": None, "Next": "More"},
    "More": _MORE,
    "Enough": {**_ENOUGH, "Default": "Work"},
    "Done": {"Type": "Succeed"},
}
_DURABLE = {"Type": "Task", "Resource": _NO_OP, "Parameters": {}, "End": True}
_PURE = {"Type": "Pass", "Parameters": {"v.$": "$", "kind": "item"}, "End": True}


def _graph(node: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A graph of that node, which begins with a trigger."""
    start = {"id": "start", "type": "manual"}
    return {"nodes": [start, {"id": "all", **node}], "edges": [{"source": "start", "target": "all"}], **given}


def _repeat() -> dict[str, Any]:
    config = {"body": _body(durable=True), "until": f"{{{{ vars.passes >= {MANY} }}}}", "at_most": MANY}
    return _graph({"type": "repeat", "config": config})


def _body(*, durable: bool) -> dict[str, Any]:
    pure = {"type": "set", "config": {"values": {"v": "{{ item }}", "kind": "item"}}}
    return {"nodes": [{"id": "one", **({"type": "no_op"} if durable else pure)}], "edges": []}


def _loop(*, durable: bool) -> dict[str, Any]:
    return _graph({"type": "loop", "config": {"items": "{{ trigger.items }}", "body": _body(durable=durable)}})


def _map(mode: str, *, durable: bool) -> dict[str, Any]:
    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    states = {"One": _DURABLE if durable else _PURE}
    processor = {"ProcessorConfig": config, "StartAt": "One", "States": states}
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    return {"StartAt": "Each", "States": {"Each": each}}


LONG: dict[str, tuple[str, dict[str, Any]]] = {
    "Choice and Task": ("asl", {"StartAt": "Work", "States": _STATES}),
    "repeat": ("graph", _repeat()),
}
WIDE: dict[str, tuple[str, dict[str, Any]]] = {
    "inline Map, Task": ("asl", _map("INLINE", durable=True)),
    "inline Map, pure": ("asl", _map("INLINE", durable=False)),
    "loop, Task": ("graph", _loop(durable=True)),
    "loop, pure": ("graph", _loop(durable=False)),
    "distributed Map, Task": ("asl", _map("DISTRIBUTED", durable=True)),
    "distributed Map, pure": ("asl", _map("DISTRIBUTED", durable=False)),
}
ITEMS = list(range(MANY))
