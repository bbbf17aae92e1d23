"""One piece of a workflow by itself: a state of the States Language, a graph's node, expressions.

All of it runs on the parts that run it in an execution, and nothing is recorded. Nothing is called either, but by a
task node of which that was asked.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from functions.api.testing import sight, states
from functions.api.testing.schemas import PreviewExpressions, TestNode, TestState
from linkflow import ids
from linkflow.engine.engine import Call
from linkflow.engine.histories import all_turns
from linkflow.engine.tasks import run_bounded
from linkflow.errors import Fault, Invalid
from linkflow.execution.commands import RunTask
from linkflow.execution.events import TaskFailed, TaskPostponed, TaskSubmitted, TaskSucceeded, TaskTimedOut
from linkflow.execution.inspect import Inspection, inspect
from linkflow.execution.state import Failure
from linkflow.execution.surroundings import moment_text
from linkflow.language import program as p
from linkflow.language.graph.check import check_graph
from linkflow.language.graph.compile import GRAPH, compile_graph
from linkflow.language.graph.flow import document
from linkflow.language.graph.template import compile_template, faults
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed, View
from linkflow.runtime.wiring import World

LONGEST_RUN: Final = 25.0
"""Seconds that a tried task may take: less than the gateway waits for an answer."""

_NODE: Final = "node"


@dataclass(frozen=True, slots=True)
class NodeTest:
    """`config` is the rendered one. Without `outcome` and `failure`, that is all there is to see."""

    config: Json = None
    faults: Sequence[Fault] = ()
    outcome: p.Outcome | None = None
    failure: Failure | None = None
    until: float | None = None
    notes: Sequence[str] = ()


async def test_state(world: World, body: TestState) -> tuple[Inspection, list[str]]:
    """What becomes of the data, and what the test leaves unsaid. Raises `Invalid` with every fault of the request."""
    if refused := await asyncio.to_thread(states.faults, body):
        raise Invalid("The request", refused)
    box = states.subject(body)
    given = states.given(body, world.ids.new(ids.EXECUTION), world.clock.now())
    return inspect(box, given), list(states.notes(body, box))


async def test_node(world: World, workspace: str, body: TestNode) -> NodeTest:
    """The node's config as it would be rendered, and what the node makes of it. Raises `Invalid` where there is no such
    type, or no such input can reach it; faults of the config are part of the answer."""
    drawn = {"id": _NODE, "type": body.type, "config": body.config}
    checked = check_graph({"nodes": [drawn]}, world.engine.nodes)
    found = [Fault(one.path.replace("$.nodes[0]", "$", 1), one.code, one.message) for one in checked.errors]
    if unknown := [one for one in found if one.path == "$.type"]:
        raise Invalid("The request", unknown)
    if checked.definition is None:
        return NodeTest(faults=found)
    node = compile_graph(checked.definition, world.engine.nodes, "").machines[p.address_of("", GRAPH, _NODE)]
    view = _view(world, workspace, body)
    bodies = world.engine.nodes[body.type].bodies
    own = {key: value for key, value in body.config.items() if key not in bodies}
    try:
        config = {**body.config, **compile_template(own).render(document(view), view)}
    except EvaluationFailed as failed:
        failing = list(_failing(own, view, "$.config"))
        return NodeTest(faults=failing, failure=Failure(failed.error, failed.cause))
    return await _tried(world, workspace, body, node.states[_NODE], config, view)


def _view(world: World, workspace: str, body: TestNode) -> View:
    """What came in is what started the execution, unless told: so it is for the first node."""
    execution = world.ids.new(ids.EXECUTION)
    view = sight.made_up(workspace, execution, world.clock.now(), body.trigger, body.nodes, body.vars)
    roots: dict[str, Json] = body.model_dump(include=body.model_fields_set & {"input", "error"})
    view = sight.with_roots(view, roots)
    if world.engine.nodes[body.type].join(body.config).gather and not isinstance(view.input, dict):
        told = f"A {body.type} node receives an object: the outputs of the nodes before it, by id."
        raise Invalid("The request", [Fault("$.input", "not_an_object", told)])
    return view


async def _tried(world: World, workspace: str, body: TestNode, box: p.State, config: Json, view: View) -> NodeTest:
    kind = world.engine.nodes[body.type]
    try:
        kind.configured(config)
        match box:
            case p.Node():
                return NodeTest(config, outcome=box.evaluation(config, view))
            case p.Wait():
                return NodeTest(config, outcome=p.Outcome(view.input), until=box.moment.until(view))
            case p.Pass():
                return NodeTest(config, outcome=p.Outcome(view.input))
            case p.Task() if body.run:
                return await _run(world, workspace, box, config)
            case p.Task():
                return NodeTest(config, notes=["It was not carried out; with 'run' it would be, for real."])
            case _:
                return NodeTest(config, notes=["Only its config is shown: what it holds is not tried."])
    except EvaluationFailed as failed:
        wrong = [Fault(f"$.config{one.path[1:]}", one.code, one.message) for one in kind.faults(config)]
        return NodeTest(config, wrong, failure=Failure(failed.error, failed.cause))


async def _run(world: World, workspace: str, box: p.Task, config: Json) -> NodeTest:
    """Carries the task out, once. What it starts elsewhere is not waited for: no execution is there to be told."""
    execution, now = world.ids.new(ids.EXECUTION), world.clock.now()
    limit = min(box.default_timeout or LONGEST_RUN, LONGEST_RUN)
    task = RunTask(0, 1, 1, box.name, box.resource, config, execution, limit, now + limit)
    told = await run_bounded(world.engine, Call(workspace, execution, task))
    notes = [] if box.pattern == "request" else ["It was started and not waited for: a test is no execution."]
    match told:
        case TaskSucceeded():
            return NodeTest(config, outcome=p.Outcome(told.result, told.exit), notes=notes)
        case TaskSubmitted():
            return NodeTest(config, outcome=p.Outcome(told.output), notes=notes)
        case TaskFailed() | TaskTimedOut():
            return NodeTest(config, failure=Failure(told.error, told.cause))
        case TaskPostponed():
            notes = [
                f"A limit of the workspace lets it call again at {moment_text(told.until)}; in a workflow it waits."
            ]
            return NodeTest(config, notes=notes)


async def preview(world: World, workspace: str, body: PreviewExpressions) -> tuple[Json, Fault | None]:
    """What the template comes to, or the first expression that fails. Raises `Invalid` with every expression that does
    not compile, and `NotFound` where there is no such execution."""
    if bad := list(faults(body.template, "$.template")):
        raise Invalid("The template", [Fault(one.path, "bad_expression", one.message) for one in bad])
    view = sight.with_roots(await _seen(world, workspace, body), body.roots.model_dump(exclude_unset=True))
    try:
        return compile_template(body.template).render(document(view), view), None
    except EvaluationFailed as failed:
        told = Fault("$.template", failed.error, failed.cause)
        return None, next(_failing(body.template, view, "$.template"), told)


async def _seen(world: World, workspace: str, body: PreviewExpressions) -> View:
    if body.execution is None and body.node is not None:
        raise Invalid("The request", [Fault("$.execution", "missing", "Say which execution the node is of.")])
    if body.execution is None:
        return sight.made_up(workspace, world.ids.new(ids.EXECUTION), world.clock.now(), None, {}, {})
    numbered = await all_turns(world.engine, workspace, body.execution)
    turns = [(one.turn.at, one.turn.events) for one in numbered]
    if body.node is None:
        return sight.seen_in_the_end(turns)
    view = sight.seen_by(turns, body.node)
    if view is None:
        told = f"'{body.node}' was never entered in this execution."
        raise Invalid("The request", [Fault("$.node", "never_entered", told)])
    return view


def _failing(source: Json, view: View, path: str) -> Iterator[Fault]:
    """Every text in `source` that cannot be evaluated, each with its path."""
    match source:
        case str():
            try:
                compile_template(source).render(document(view), view)
            except EvaluationFailed as failed:
                yield Fault(path, failed.error, failed.cause)
        case dict():
            for key, value in source.items():
                yield from _failing(value, view, f"{path}.{key}")
        case list():
            for index, value in enumerate(source):
                yield from _failing(value, view, f"{path}[{index}]")
        case _:
            pass
