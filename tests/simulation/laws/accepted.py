"""Laws of what visitors were told: accepted is never lost, and comes to what it should."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from linkflow.execution.state import State
from tests.simulation.cast import Part
from tests.simulation.laws.reading import End, Read, lineage, origin, wrong_clocks
from tests.simulation.played import BEGINS, Played


def accepted_is_lost(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    given: defaultdict[int, set[str]] = defaultdict(set)
    for reply in played.replies:
        part = played.cast.parts[played.cast.entrances[reply.visitor.entrance].part]
        if reply.visitor.deed == "start otherwise" and reply.kind != "refused" and not _is_lenient(part):
            yield f"2. Another request with a used key was '{reply.kind}'"
        elif reply.visitor.deed == "reset":
            continue
        elif reply.visitor.deed == "start" and reply.kind == "refused":
            if part.keyed == "reject":
                continue
            yield f"2. A start was refused: {reply.body}"
        elif reply.execution is not None:
            given[reply.visitor.entrance].add(reply.execution)
            if reply.execution not in books:
                yield f"2. {reply.execution} was accepted, and is not there"
        if reply.outcome is not None:
            yield from _told_otherwise(reply.outcome, books)
    for entrance, executions in given.items():
        if len(executions) > 1:
            yield f"2. The key of entrance {entrance} stands for {sorted(executions)}"


def _is_lenient(part: Part) -> bool:
    """Whether a name that was used before says that this is the same, whatever it holds."""
    return part.hook is not None or part.greeted


def _told_otherwise(outcome: State, books: Mapping[str, Read]) -> Iterator[str]:
    name = outcome.names.execution_id
    told, found = End(outcome.status, outcome.output), books.get(name)
    if found is None or not outcome.closed or told != End(found.state.status, found.state.output):
        yield f"2. Who waited for {name} was told {told}, and its book says otherwise"


def begins_early(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """(Every start of a workflow is for the same moment.)"""
    parts = {workflow.id: part for part, workflow in zip(played.cast.parts, played.workflows, strict=True)}
    for effect in played.outside.effects:
        book = books.get(effect.key.partition("-")[0])
        part = None if book is None else parts.get(book.summary.workflow)
        if part is None or part.later is None:
            continue
        early = BEGINS + part.later - effect.at
        if early > wrong_clocks(played):
            yield f"13. {effect.path} is asked {early:.1f} s before its execution is to begin"


def ends_otherwise(played: Played, books: Mapping[str, Read], expected: Mapping[int, End]) -> Iterator[str]:
    """The last of those that go on in one another counts. Where a child gave a task up, its parents may come to
    anything."""
    if any(book.gave_up and book.state.parent is not None for book in books.values()):
        return
    entrances = {reply.execution: reply.visitor.entrance for reply in played.replies if reply.visitor.deed == "start"}
    for name, book in books.items():
        number = entrances.get(origin(book, books).summary.execution)
        if number is None or book.state.successor in books:
            continue
        part = played.cast.parts[played.cast.entrances[number].part]
        if part.promise == "end" or any(one.gave_up for one in lineage(book, books)):
            continue
        end = expected[number]
        if book.state.status in ("cancelled", "terminated") and _was_to_end(played, number):
            continue
        if book.state.status != end.status:
            why = book.state.failure
            yield f"3. {name} of '{part.name}' is {book.state.status} ({why}), and should be {end.status}"
        elif part.promise == "result" and book.state.output != end.output:
            yield f"3. {name} of '{part.name}' came to {book.state.output}, and should to {end.output}"
    yield from _answers_otherwise(played, books, expected)


def _answers_otherwise(played: Played, books: Mapping[str, Read], expected: Mapping[int, End]) -> Iterator[str]:
    for reply in played.replies:
        end = expected.get(reply.visitor.entrance)
        part = played.cast.parts[played.cast.entrances[reply.visitor.entrance].part]
        if reply.kind == "200" and part.promise == "result" and end is not None and reply.body != end.output:
            book = books.get(reply.execution or "")
            if reply.visitor.deed == "start" and not (book is not None and book.gave_up):
                yield f"3. A webhook was answered 200 with {reply.body}, and should with {end.output}"


def _was_to_end(played: Played, entrance: int) -> bool:
    """Whether somebody came to end it."""
    entrances = played.cast.entrances
    return any(
        entrances[one.entrance].part == entrances[entrance].part
        if one.deed in ("cancel all", "terminate all")
        else one.entrance == entrance and one.deed in ("cancel", "terminate")
        for one in played.plan.visitors
    )
