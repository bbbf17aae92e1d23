"""Graphs and what they are exported to, run side by side: they end alike and give the same."""

from itertools import pairwise
from typing import Final

from linkflow.execution.commands import RunTask
from linkflow.execution.events import News, TaskFailed, TaskSucceeded
from linkflow.language.asl import compile_asl
from linkflow.language.asl_check import check_asl, errors
from linkflow.language.graph.check import check_graph
from linkflow.language.graph.export import Exported, Facts, export_asl
from linkflow.language.json import Json
from linkflow.nodes.catalog import NODES
from tests.unit.driver import Run
from tests.unit.graphs import graph, node, program

FACTS: Final = Facts(workspace="ws_1", version=1)


def exported(drawn: dict[str, Json], facts: Facts = FACTS) -> Exported:
    checked = check_graph(drawn, NODES)
    assert checked.definition is not None, checked.errors
    result = export_asl(checked.definition, NODES, facts)
    assert errors(check_asl(result.document)) == []
    return result


def world(task: RunTask) -> News:
    """Tasks say in their own config what comes of them: the `body` is given back, `/fails` in the address fails."""
    asked = task.arguments
    if str(asked.get("url")).endswith("/fails"):
        return TaskFailed(task.scope, task.task, "Boom", "it broke")
    return TaskSucceeded(task.scope, task.task, asked.get("body"))


def call(name: str, body: Json = None, *, fails: bool = False, **more: Json) -> dict[str, Json]:
    url = "https://example.com/fails" if fails else "https://example.com/"
    return node(name, "http_request", {"url": url, "method": "POST", "body": body}, **more)


def ends(run: Run) -> tuple[str, Json]:
    """Status, and the output or the error's name; the words of errors differ between the languages."""
    failure = run.state.failure
    return run.state.status, wordless(run.state.output) if failure is None else failure.error


def wordless(value: Json) -> Json:
    match value:
        case {"code": str() as code, "message": _}:
            return {"code": code}
        case dict():
            return {name: wordless(one) for name, one in value.items()}
        case list():
            return [wordless(one) for one in value]
        case _:
            return value


def both(drawn: dict[str, Json], value: Json = None) -> tuple[tuple[str, Json], tuple[str, Json]]:
    """How the graph ends on the core, and how its export does."""
    machine = exported(drawn).document
    return ends(Run(program(drawn)).start(value).finish(world)), ends(
        Run(compile_asl(machine)).start(value).finish(world)
    )


def same(drawn: dict[str, Json], value: Json = None) -> Json:
    """Both end alike; gives the output, or the error."""
    ours, theirs = both(drawn, value)
    assert theirs == ours
    return ours[1]


def line(*nodes: dict[str, Json]) -> dict[str, Json]:
    """A trigger and these nodes one after the other."""
    names = ["start", *(one["id"] for one in nodes)]
    return graph([node("start", "manual"), *nodes], *(f"{a} -> {b}" for a, b in pairwise(names)))


def values(name: str, **made: Json) -> dict[str, Json]:
    return node(name, "set", {"values": made})


ODD: Final[list[Json]] = [
    None,
    [],
    [1],
    [[1]],
    [None],
    {},
    {"error": None},
    {"error": 1},
    0,
    False,
    "",
    "a",
    [1, [2]],
    1.5,
]
"""Values that JSONata likes to unwrap, to flatten or to lose."""


def body(*nodes: dict[str, Json]) -> dict[str, Json]:
    """These nodes one after the other, as a graph inside a node."""
    drawn = graph(list(nodes), *(f"{a['id']} -> {b['id']}" for a, b in pairwise(nodes)))
    return {"nodes": drawn["nodes"], "edges": drawn["edges"]}
