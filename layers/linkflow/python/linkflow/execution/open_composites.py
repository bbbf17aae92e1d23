"""What facts change of a composite: it begins, its items come, nodes are passed over, it is done. Part of `evolve`: it
writes into the state.
"""

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution.state import Branches, Failure, Iterations, Nodes, Scope, Stage, State
from linkflow.execution.tree import compose, count, ready, wake
from linkflow.language.json import Json
from linkflow.language.program import PASSES


def start_branches(state: State, scope: Scope, event: e.ParallelStarted) -> None:
    compose(state, scope.id, Branches(width=event.branches))
    count(state, scope, 1)
    if event.input is not UNSET:
        scope.carry = event.input


def start_graph(state: State, scope: Scope, event: e.GraphStarted) -> None:
    compose(state, scope.id, Nodes(width=event.nodes))
    count(state, scope, 1)
    if event.repeats and PASSES not in scope.variables:
        scope.variables = {**scope.variables, PASSES: 0}


def skip(state: State, event: e.NodeSkipped) -> None:
    nodes = state.scopes[event.scope].composite
    assert isinstance(nodes, Nodes)  # noqa: S101 (only a graph skips nodes)
    nodes.exits[event.node] = None
    nodes.fresh.append(event.node)
    nodes.begun = True
    wake(state, event.scope)


def start_map(state: State, scope: Scope, event: e.MapStarted) -> None:
    items = scope.input if event.items is UNSET else event.items
    limits = (event.max_concurrency, event.tolerated_count, event.tolerated_percentage)
    stage: Stage = "starting" if event.distributed else "running"
    compose(state, scope.id, Iterations(items, *limits, event.distributed, event.keep_errors, stage))
    count(state, scope, 1)


def set_out(state: State, event: e.MapRunStarted) -> None:
    """A distributed Map begins its run."""
    scope = ready(state, event.scope, "composite")
    work = _iterations(scope)
    work.run, work.stage = event.run, "reading" if event.reading else "running"
    work.tolerated_count, work.tolerated_percentage = event.tolerated_count, event.tolerated_percentage
    work.max_items, work.writer, work.dealt = event.max_items, event.writer, event.dealt
    if event.items is not UNSET:
        work.items = event.items
    count(state, scope, 1)


def take_items(state: State, event: e.ItemsRead) -> None:
    """What the reader brought."""
    scope = ready(state, event.scope, "composite")
    work = _iterations(scope)
    work.items, work.stage, work.dealt = event.items, "running", event.dealt
    scope.result = UNSET


def finish(state: State, event: e.CompositeFinished) -> None:
    scope = ready(state, event.scope, "finish")
    composite = scope.composite
    ran = type(composite) is Iterations and composite.run != ""
    count(state, scope, 2 if ran else 1)
    scope.result = _result(composite, event.last) if event.result is UNSET else event.result
    scope.composite = None


def _result(composite: Branches | Iterations | Nodes | None, last: tuple[str, ...]) -> Json:
    match composite:
        case Iterations(keep_errors=True):
            failed: dict[int, Json] = {index: _error_output(one) for index, one in composite.errors.items()}
            return [value for _, value in sorted((composite.results | failed).items())]
        case Branches() | Iterations():
            return [composite.results[index] for index in sorted(composite.results)]
        case Nodes():
            return composite.results[last[0]] if len(last) == 1 else {name: composite.results[name] for name in last}
        case None:
            return None


def _error_output(failure: Failure) -> Json:
    """What stands in a loop's result for an item that failed, as `on_error: continue` would leave it."""
    return {"error": {"code": failure.error, "message": failure.cause}}


def _iterations(scope: Scope) -> Iterations:
    assert isinstance(scope.composite, Iterations)  # noqa: S101 (only a Map runs)
    return scope.composite
