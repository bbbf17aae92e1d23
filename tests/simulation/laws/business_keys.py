"""Laws of business keys that only one open execution may have."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tests.simulation.laws.reading import Read, Written, at_once, span
from tests.simulation.played import Played, Reply


def keys_are_shared(played: Played, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """An execution that was reset has the key before the one whose place it takes is over: it is left out. One that
    goes on from another has it, unless somebody took it in the moment between."""
    holders: defaultdict[tuple[str, str], list[Read]] = defaultdict(list)
    for book in books.values():
        if book.summary.unique:
            holders[book.summary.workflow, book.summary.business_key].append(book)
    for (workflow, key), held in holders.items():
        if (many := at_once([span(put, book) for book in held if book.state.reset_of is None])) > 1:
            yield f"17. {many} open executions of {workflow} had the key '{key}' at once"
    for name, book in books.items():
        before = books.get(book.state.continued_from or "")
        if before is not None and before.summary.unique and not book.summary.unique:
            begins, since = span(put, book)[0], span(put, before)[0]
            held = holders[book.summary.workflow, book.summary.business_key]
            if not any(since <= span(put, other)[0] <= begins for other in held if other is not before):
                yield f"17. {name} goes on without the key of {before.summary.execution}, which nobody took"
    for reply in played.replies:
        yield from _is_told_wrong(played, reply, books, put)


def _is_told_wrong(played: Played, reply: Reply, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """Who is refused, or told of an execution that is not his, was told so while another had the key."""
    number = played.cast.entrances[reply.visitor.entrance].part
    part, workflow = played.cast.parts[number], played.workflows[number]
    if part.keyed is None or reply.visitor.deed != "start":
        return
    others = [book for book in books.values() if book.summary.workflow == workflow.id]
    there = [one for one in others if span(put, one)[0] <= reply.at and span(put, one)[1] >= reply.since]
    if reply.kind == "refused":
        if part.keyed != "reject":
            yield f"17. A start of '{part.name}' was refused, whose policy is {part.keyed}"
        elif not there:
            yield f"17. A start of '{part.name}' was refused, and nobody had the key"
    for book in others:
        if book.state.status == "terminated" and part.keyed != "terminate_existing" and book.state.successor is None:
            wanted = any(one.deed in ("terminate", "terminate all") for one in played.plan.visitors)
            if not wanted:
                yield f"17. {book.summary.execution} was terminated for another, whose policy is {part.keyed}"
