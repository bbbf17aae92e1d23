"""Laws of operations on all executions of a workflow: they reach whom they are meant for, and nobody else."""

from collections.abc import Iterator, Mapping

from linkflow.stores.operations import Operation, Operations
from tests.simulation.errands import ACTIONS
from tests.simulation.laws.reading import Read, Written, lineage, span
from tests.simulation.played import Played, Reply


async def operations_miss(played: Played, books: Mapping[str, Read], put: Written) -> list[str]:
    broken: list[str] = []
    operations = Operations(played.stores.table)
    for reply in played.replies:
        if reply.visitor.deed not in ACTIONS:
            continue
        workflow = played.workflows[played.cast.entrances[reply.visitor.entrance].part]
        operation = await operations.get(workflow.workspace, str(reply.body))
        ours = {name: book for name, book in books.items() if book.summary.workflow == workflow.id}
        if operation.status != "done" or operation.failed:
            said = f"{operation.status}, with {operation.failed} failures: {operation.troubles}"
            broken.append(f"25. Operation {operation.id} ({operation.action}) is {said}")
        elif operation.action == "retry":
            broken += _not_taken_up(operation, reply, ours, put)
        else:
            broken += [*_not_ended(operation, reply, ours, put), *_ended_wrongly(operation, ours)]
    return broken


def _not_ended(operation: Operation, reply: Reply, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """Those that were there before it was asked for, and what they went on as. (Who takes the place of another while
    they are gone through is not meant.)"""
    for name, book in books.items():
        if book.state.successor in books or span(put, book)[1] <= reply.at:
            continue
        before = list(lineage(book, books))
        if any(one.state.reset_of is not None for one in before):
            continue
        was_there = any(
            one.summary.started_at <= operation.created_at and span(put, one)[0] <= reply.since for one in before
        )
        if was_there and (operation.action == "terminate" or book.state.cancel is None):
            yield f"25. Operation {operation.id} ({operation.action}) was done, and {name} goes on"


def _ended_wrongly(operation: Operation, books: Mapping[str, Read]) -> Iterator[str]:
    for name, book in books.items():
        since = min(one.summary.started_at for one in lineage(book, books))
        if book.state.cancel_request == operation.id and since > operation.created_at:
            yield f"25. Operation {operation.id} ended {name}, which began behind it"


def _not_taken_up(operation: Operation, reply: Reply, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    for name, book in books.items():
        failed = book.summary.status in ("failed", "timed_out") and span(put, book)[1] <= reply.since
        if failed and book.summary.started_at <= operation.created_at and not book.summary.reset_to:
            yield f"25. Operation {operation.id} was done, and {name}, which had failed, was not taken up again"
