"""The engine's verbs for programs that have the installation's secret."""

from functions.frontend.schemas import SignalledView, SignalWithStart, StartedView, StartExecution
from linkflow.engine.signal import signal_with_start as tell_or_start
from linkflow.engine.start import Start
from linkflow.engine.synchronous import Outcome, start_and_wait
from linkflow.errors import Fault, Invalid
from linkflow.language.program import address_of
from linkflow.runtime.signed import Signer
from linkflow.runtime.starting import chosen
from linkflow.runtime.telling import told
from linkflow.runtime.views import failure_view
from linkflow.runtime.wiring import World


async def start(world: World, caller: Signer, body: StartExecution, key: str | None) -> Outcome:
    """Raises `NotFound`, `Invalid`, and what `engine.start.begin` raises."""
    return await start_and_wait(world.engine, await _wanted(world, caller, body, key), body.wait)


async def _wanted(world: World, caller: Signer, body: StartExecution | SignalWithStart, key: str | None) -> Start:
    workflow = await world.engine.workflows.named(caller.workspace, body.workflow)
    number = body.version or workflow.version
    program = await world.engine.programs.numbered(caller.workspace, workflow.id, number)
    if body.node is not None and address_of("", "graph", body.node) not in program.machines:
        raise Invalid("The request", [Fault("$.body.node", "unknown_node", f"There is no node '{body.node}'.")])
    return chosen(body, workflow, "engine", body.node or program.manual_start, key, world.clock.now())


async def signal_with_start(world: World, caller: Signer, body: SignalWithStart, key: str | None) -> SignalledView:
    """Raises what starting and signalling raise."""
    request, news = await _wanted(world, caller, body, None), told(world, body.signal, caller.name, key)
    started = await tell_or_start(world.engine, request, news)
    return SignalledView(id=started.execution, new=started.new, signal=news.id, url=address(world, started.execution))


def started_view(world: World, outcome: Outcome) -> StartedView:
    state, execution = outcome.state, outcome.started.execution
    return StartedView(
        id=execution,
        new=outcome.started.new,
        status="running" if state is None else state.status,
        url=address(world, execution),
        output=None if state is None else state.output,
        error=None if state is None else failure_view(state.failure),
    )


def address(world: World, execution: str) -> str:
    return f"{world.settings.address}/engine/v1/executions/{execution}"
