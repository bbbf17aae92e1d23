"""A distributed Map's way around its iterations: limits are evaluated, items are read and batched, results are written.

    starting ──▶ (reading ──▶) running ──▶ (writing ──▶) finished

Reading and writing are tasks of the Map's own scope, carried out by whoever can do its reader's and writer's resource
(`arn:aws:states:::s3:getObject`, `…:putObject`). The iterations are scopes of the same execution, unless there are very
many (`parts`).
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from msgspec import UNSET

from linkflow.execution import events as e
from linkflow.execution import item_reader, parts, result_writer
from linkflow.execution.entries import entry_of
from linkflow.execution.failures import ITEM_READER_FAILED, RESULT_WRITER_FAILED, RUNTIME
from linkflow.execution.state import Iterations, Scope, State
from linkflow.execution.surroundings import ScopeSurroundings
from linkflow.language import program as p
from linkflow.language.flow import Expression
from linkflow.language.items import Batcher
from linkflow.language.json import Json
from linkflow.language.view import EvaluationFailed, View

MOST_ITEMS: Final = 100_000_000
"""What MaxItems is at most, however large the number given (recorded)."""

Item = tuple[int, Json]


def tolerances(box: p.Map, inner: View) -> tuple[int | None, float | None]:
    """How many failures, and what share of the items in percent, a Map bears."""
    count = box.tolerated_count.evaluate(inner) if box.tolerated_count else None
    return count, box.tolerated_percentage.evaluate(inner) if box.tolerated_percentage else None


def go_on(box: p.Map, state: State, scope: Scope, work: Iterations, view: View) -> Iterator[e.Event]:
    """The step that follows in a Map that is not at its iterations."""
    if work.stage == "starting":
        yield from _start(box, state, scope, work, view)
    elif scope.failure is not None:
        error = ITEM_READER_FAILED if work.stage == "reading" else RESULT_WRITER_FAILED
        yield e.StateFailed(scope.id, error, scope.failure.cause, composite=True)
    elif work.stage == "reading":
        yield from _read(box, state, scope, work, view)
    else:
        yield from end(box, state, scope, work)


def _start(box: p.Map, state: State, scope: Scope, work: Iterations, view: View) -> Iterator[e.Event]:
    inner = box.flow.enter(view)
    count, percentage = tolerances(box, inner)
    run = run_id(box, state, scope)
    writer = _where(box.writer.arguments.evaluate(inner)) if box.writer else None
    if box.reader is None:
        items = grouped(box, state, scope, view.around.now, work.items) if box.batcher else UNSET
        dealt = parts.share(len(work.items if items is UNSET else items), work.max_concurrency)
        yield e.MapRunStarted(scope.id, run, items, count, percentage, writer=writer, dealt=dealt)
        return
    most = box.reader.max_items.evaluate(inner) if box.reader.max_items else None
    arguments = box.reader.arguments.evaluate(inner)
    most = min(most, MOST_ITEMS) if most else None
    yield e.MapRunStarted(scope.id, run, UNSET, count, percentage, reading=True, max_items=most, writer=writer)
    if most is not None and most < 0:
        yield e.StateFailed(scope.id, ITEM_READER_FAILED, "field MaxItems must be positive", composite=True)
        return
    yield e.TaskScheduled(scope.id, state.next_task, scope.attempt, arguments)


def _where(arguments: Json) -> Json:
    if not isinstance(arguments, dict):
        raise EvaluationFailed(RUNTIME, "The arguments of ResultWriter must be an object.")
    return arguments


def _read(box: p.Map, state: State, scope: Scope, work: Iterations, view: View) -> Iterator[e.Event]:
    assert box.reader is not None  # noqa: S101 (only a Map with a reader reads)
    try:
        form = item_reader.form(box.reader, box.flow.enter(view))
        items = item_reader.items(box.reader.resource, form, scope.result)
    except item_reader.Unreadable as unreadable:
        yield e.StateFailed(scope.id, ITEM_READER_FAILED, str(unreadable), composite=True)
        return
    items = items if work.max_items is None else items[: work.max_items]
    items = grouped(box, state, scope, view.around.now, items)
    yield e.ItemsRead(scope.id, items, parts.share(len(items), work.max_concurrency))


def end(box: p.Map, state: State, scope: Scope, work: Iterations) -> Iterator[e.Event]:
    """All iterations are settled: what they made is the result, or goes where the writer says, file by file."""
    if state.part is not None and scope.parent is None:
        yield e.CompositeFinished(scope.id, result=parts.made(work))
        return
    if box.writer is None or not work.distributed:
        yield e.CompositeFinished(scope.id)
        return
    if box.writer.resource is None:
        yield e.CompositeFinished(scope.id, result=result_writer.formatted(box.writer, work))
        return
    files = result_writer.files(box.writer, work)
    if work.written < len(files):
        arguments = result_writer.request(work, *files[work.written])
        yield e.TaskScheduled(scope.id, state.next_task, scope.attempt, arguments)
    else:
        yield e.CompositeFinished(scope.id, result=result_writer.result(work))


def selected(selector: Expression, box: p.Map, state: State, scope: Scope, now: float, item: Item) -> Json:
    """What an iteration receives instead of its item."""
    around = ScopeSurroundings(state, scope, now, item=item)
    return selector.evaluate(box.flow.enter(View(scope.input, around)))


def grouped(box: p.Map, state: State, scope: Scope, now: float, items: list[Json]) -> list[Json]:
    """The items as the iterations receive them: each as the selector has it, in batches; untouched without a batcher,
    since then every iteration selects for itself."""
    if box.batcher is None:
        return items
    if box.selector is not None:
        items = [selected(box.selector, box, state, scope, now, item) for item in enumerate(items)]
    return batched(box.batcher, box.flow.enter(View(scope.input, ScopeSurroundings(state, scope, now))), items)


def batched(batcher: Batcher, view: View, items: list[Json]) -> list[Json]:
    """`{"Items": […]}` of each batch, with what all of them share."""
    most = batcher.max_items.evaluate(view) if batcher.max_items else None
    largest = batcher.max_bytes.evaluate(view) if batcher.max_bytes else None
    common = {"BatchInput": batcher.batch_input.evaluate(view)} if batcher.batch_input else {}
    return [{**common, "Items": batch} for batch in item_reader.batches(items, most, largest, common)]


def run_id(box: p.Map, state: State, scope: Scope) -> str:
    """The run's name: an ARN where the execution's is one."""
    execution = state.names.execution_id
    entry = f"{execution}/{entry_of(state, scope)}/{scope.attempt}"
    label = box.label or _uuid(f"{entry}/label")
    run = _uuid(f"{entry}/run")
    if not execution.startswith("arn:"):
        return f"{execution}/{label}:{run}"
    parts = execution.split(":")
    return ":".join([*parts[:5], "mapRun", f"{parts[6]}/{label}", run])


def _uuid(text: str) -> str:
    """A version-4 UUID that is the same whenever it is asked for."""
    digits = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
