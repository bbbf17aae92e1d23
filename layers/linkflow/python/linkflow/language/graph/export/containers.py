"""Nodes with graphs inside: a loop is a Map, a try a Parallel with a Catch, a repeat states that lead back to one.

Each graph inside is the one branch of a Parallel, or a Map's processor, and hands on its output in a box.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from linkflow.language.graph.export.documents import document
from linkflow.language.graph.export.expressions import expression, joined, literal, query, rendered
from linkflow.language.graph.export.port import BOX, ERROR, Inside, Port, States
from linkflow.language.json import Json

_FAILED: Final = "failed"
_THRESHOLD: Final = "The specified tolerated failure threshold was exceeded"


def alone(inner: Mapping[str, Json]) -> dict[str, Json]:
    """A Parallel of one branch: what can be retried and caught as a whole."""
    return {"Type": "Parallel", "Branches": [inner]}


def made(source: str) -> str:
    return query(f'$lookup({source}, "{BOX}")')


def listed(source: str, one: str) -> str:
    """The list of what `one` (over `$one`) gives for each member, lists among them whole."""
    appended = f'($made := {one}; $append($all, $type($made) = "array" ? [[$made]] : [$made]))'
    return query(f"$reduce({source}, function($all, $one) {{ {appended} }}, [])")


def looped(port: Port) -> States:
    """Over `items`, with `item` and `index`. What it tolerates is counted behind the Map: Step Functions
    tolerates failures in distributed Maps only."""
    config = port.node.config
    item, index = port.variable("item"), port.variable("index")
    begins = {item: "$states.input.item", index: "$states.input.index"}
    body = port.walk("body", Inside(item, begins, {"item": f"${item}", "index": f"${index}"}))
    count, percentage = config.get("tolerated_failures"), config.get("tolerated_percentage")
    if count is None and percentage is None:
        results = listed("$states.result", f'$lookup($one, "{BOX}")')
        return {port.name(): {**_map(port, body), **port.retry(), **port.catch(), **port.left(results)}}
    return _tolerant(port, body, _too_many(count, percentage))


def _map(port: Port, body: Mapping[str, Json]) -> dict[str, Json]:
    config = port.node.config
    items = rendered(config["items"])
    if isinstance(items, str):
        port.warn("error_name", "Items that are no list fail with States.QueryEvaluationError.", "config.items")
        items = query(f'($items := {joined(items)}; $type($items) = "array" ? $items : $error("no list"))')
    return {
        "Type": "Map",
        "Items": items,
        "ItemSelector": {
            "item": query("$states.context.Map.Item.Value"),
            "index": query("$states.context.Map.Item.Index"),
        },
        "MaxConcurrency": rendered(config.get("concurrency", 10)),
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **body},
    }


def _too_many(count: Json, percentage: Json) -> str:
    """Over the list of results; as in `execution.composites`, a count that is not given is none, or zero alone."""
    failed = f"$count($states.input.results[{_FAILED}])"
    over = [] if count is None else [f"{failed} > {expression(count)}"]
    if percentage is not None:
        over.append(f"{failed} * 100 > {expression(percentage)} * $count($states.input.results)")
    return " or ".join(over)


def _tolerant(port: Port, body: Mapping[str, Json], too_many: str) -> States:
    name, trying, over = port.name(), port.name("tries"), port.name("went over")
    each, counting, giving, failing = (port.name(word) for word in ("each", "counts", "gives", "fails"))
    caught = {"ErrorEquals": ["States.ALL"], "Output": {_FAILED: ERROR}, "Next": over}
    attempt = {**alone(body), "Catch": [caught], "Output": query("$states.result[0]"), "Next": over}
    processor = {"StartAt": trying, "States": {trying: attempt, over: {"Type": "Succeed"}}}
    results = listed("$states.input.results", f'$exists($one.{_FAILED}) ? $one.{_FAILED} : $lookup($one, "{BOX}")')
    kept = query('$merge([$type($states.input) = "object" ? $states.input : {}, {"results": $states.result}])')
    rule = {"Condition": query(too_many), "Next": failing}
    inside = {
        each: {**_map(port, processor), "Output": kept, "Next": counting},
        counting: {"Type": "Choice", "Choices": [rule], "Default": giving},
        giving: {"Type": "Succeed", "Output": {BOX: results}},
        failing: {"Type": "Fail", "Error": "States.ExceedToleratedFailureThreshold", "Cause": _THRESHOLD},
    }
    whole = alone({"StartAt": each, "States": inside})
    return {name: {**whole, **port.retry(), **port.catch(), **port.left(made("$states.result[0]"))}}


def tried(port: Port) -> States:
    """The handler's nodes see the error that the body ended with."""
    given = port.variable("input")
    body = port.walk("body", Inside(given, {given: "$states.input"}))
    failed = port.variable("failed")
    error = f"${failed}.error"
    seen = {"error": error, "vars": f'$merge([{port.roots["vars"]}, {{"error": {error}}}])'}
    handler = port.walk("handler", Inside(failed, {failed: "$states.input"}, seen))
    name, handling = port.name(), port.name("handles")
    catch = [{"ErrorEquals": ["States.ALL"], "Output": ERROR, "Next": handling}]
    given_on = {"Arguments": port.input_query}
    ended = port.left(made("$states.result[0]"))
    return {
        name: {**alone(body), **given_on, **port.retry(), "Catch": catch, **ended},
        handling: {**alone(handler), **port.catch(), **ended},
    }


def repeated(port: Port) -> States:
    """One machine counts the passes, hands each what the one before made, and asks whether that was the last."""
    turn = _Turn(port.variable("passes"), port.variable("given"), port.variable("output"))
    start, passing, name = port.variable("input"), port.name("passes"), port.name()
    vars_ = f'$merge([{port.roots["vars"]}, {{"passes": ${turn.passes}}}])'
    body = port.walk("body", Inside(start, {start: "$states.input"}, {"vars": vars_}))
    begin, asking = port.name("starts"), _asked(port, turn, passing)
    first = {"Type": "Pass", "Assign": {turn.passes: 0, turn.given: query(port.input)}, "Next": passing}
    once = {
        **alone(body),
        "Arguments": query(f"${turn.given}"),
        **port.retry(),
        "Assign": {turn.output: made("$states.result[0]")},
        "Output": {},
        "Next": next(iter(asking)),
    }
    whole = alone({"StartAt": begin, "States": {begin: first, passing: once, **asking}})
    return {name: {**whole, **port.catch(), **port.left(made("$states.result[0]"))}}


@dataclass(frozen=True, slots=True)
class _Turn:
    """The variables of a repeat: how many passes are done, what the next one is given, what the last one made."""

    passes: str
    given: str
    output: str


def _asked(port: Port, turn: _Turn, again: str) -> States:
    """Whether `until` holds, which may fail in two ways; if not, another pass begins at the state `again`."""
    until, most = port.node.config["until"], port.node.config.get("at_most", 100)
    counted = f'$merge([{port.roots["vars"]}, {{"passes": ${turn.passes} + 1}}])'
    known = {**port.roots, "vars": counted, "input": f"${turn.given}", "output": f"${turn.output}"}
    looking, asking, deciding, done = (port.name(word) for word in ("looks", "asks", "decides", "is done"))
    bad = port.refusal("LinkFlow.BadConfig", "'until' must give true or false; what was computed is neither.")
    many = port.refusal("LinkFlow.TooManyPasses", f"After {most} passes the condition 'until' did not hold yet.")
    rules: list[Json] = [
        {"Condition": query("$states.input = true"), "Next": done},
        {"Condition": query("$states.input != false"), "Next": next(iter(bad))},
        {"Condition": query(f"${turn.passes} + 1 >= {literal(most)}"), "Next": next(iter(many))},
    ]
    onward = {turn.passes: query(f"${turn.passes} + 1"), turn.given: query(f"${turn.output}")}
    return {
        looking: {"Type": "Pass", "Output": document(until, known) or {}, "Next": asking},
        asking: {"Type": "Pass", "Output": rendered(until), "Next": deciding},
        deciding: {"Type": "Choice", "Choices": rules, "Default": again, "Assign": onward},
        done: {"Type": "Succeed", "Output": {BOX: query(f"${turn.output}")}},
        **bad,
        **many,
    }
