"""Laws of limits: no more at once than may, and no faster."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from linkflow.engine.room import OUTDATED
from linkflow.execution.lifecycle import CancelRequested, ExecutionCancelled
from linkflow.execution.queueing import ExecutionAdmitted, ExecutionQueued
from tests.simulation.cast import Part
from tests.simulation.laws.reading import Read, Written, at_once, turn_written
from tests.simulation.played import BEGINS, Played


def limits_are_exceeded(played: Played, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """By when the turns were put that admit an execution and close it. One that took another's place has its
    predecessor's."""
    for part, workflow in zip(played.cast.parts, played.workflows, strict=True):
        ours = [one for one in books.values() if one.summary.workflow == workflow.id and one.state.reset_of is None]
        of_limit: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for book in ours:
            number = _admitted(book)
            if number is not None:
                last = turn_written(put, book, book.turns[-1].number)
                of_limit[_counted_by(part, book)].append((turn_written(put, book, number), last))
        for which, spans in of_limit.items():
            if part.limit is not None and (running := at_once(spans)) > part.limit:
                yield f"14. {running} executions of '{part.name}'{which} ran at once, and {part.limit} may"
        if part.rate is not None:
            yield from _hurries(part, *part.rate, ours, calm=played.plan.seed < 0)


def room_is_made_wrong(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """(Who was to be ended anyway may be told both.) What is started for later is as old as the moment it is for."""
    for part, workflow in zip(played.cast.parts, played.workflows, strict=True):
        of_limit: defaultdict[str, list[Read]] = defaultdict(list)
        for book in books.values():
            if book.summary.workflow == workflow.id:
                of_limit[_counted_by(part, book)].append(book)
        for ours in of_limit.values():
            due = 0.0 if part.later is None else BEGINS + part.later
            newest = max((max(one.state.started_at, due), one.summary.execution) for one in ours)[1]
            for book in ours:
                if not _made_room(book):
                    continue
                if part.when_full != "cancel_oldest":
                    yield f"22. {book.summary.execution} of '{part.name}' made room, and need not"
                elif book.summary.execution == newest:
                    yield f"22. {book.summary.execution} of '{part.name}' made room for older ones"


def _made_room(book: Read) -> bool:
    wishes = (event for event in book.events if isinstance(event, CancelRequested | ExecutionCancelled))
    return any(wish.reason == OUTDATED for wish in wishes)


def _counted_by(part: Part, book: Read) -> str:
    return f" for {book.state.input['n']}" if part.each else ""


def _admitted(book: Read) -> int | None:
    events = ((one.number, event) for one in book.turns for event in one.turn.events)
    return next((number for number, event in events if isinstance(event, ExecutionAdmitted)), None)


def _hurries(part: Part, most: int, seconds: float, books: Sequence[Read], *, calm: bool) -> Iterator[str]:
    """By the moments that are reserved for them: behind one who had to wait for his, nothing is saved up. (When others
    got theirs is only known where nothing happens.)"""
    of_limit: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    for book in books:
        reserved = [event.until for event in book.events if isinstance(event, ExecutionQueued) and event.until]
        number = _admitted(book)
        moments = reserved or [one.turn.at for one in book.turns if one.number == number]
        of_limit[_counted_by(part, book)] += [(moment, bool(reserved)) for moment in moments[:1]]
    for begun in of_limit.values():
        begun.sort()
        for (first, waited), (last, _) in zip(begun, begun[most:], strict=False):
            if (waited or calm) and last - first < seconds / most - 0.5:
                said = f"{most + 1} executions of '{part.name}' may begin within {last - first:.1f} s"
                yield f"14. {said}, and {most} in {seconds:g} s"
