"""Laws of signals and events: who was to hear of one does, once."""

from collections import Counter
from collections.abc import Iterator, Mapping

from linkflow.execution.events import SignalReceived, TaskSubmitted, TaskSucceeded
from tests.simulation.laws.reading import Read, Written, origin, span, turn_written, wrong_clocks
from tests.simulation.played import BEGINS, Announced, Played
from tests.simulation.scenes import NEWS


def greetings_are_lost(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """Who starts with a signal is heard by the execution that he is told of, once, and by no other but those that take
    its place."""
    for reply in played.replies:
        entrance = played.cast.entrances[reply.visitor.entrance]
        if reply.kind != "accepted" or not played.cast.parts[entrance.part].greeted:
            continue
        heard = {
            name: times
            for name, book in books.items()
            if book.summary.workflow == played.workflows[entrance.part].id
            and (times := sum(isinstance(one, SignalReceived) and one.id == entrance.key for one in book.events))
        }
        of_one = {origin(books[name], books).summary.execution for name in heard}
        if heard.get(reply.execution or "") is None or len(of_one) > 1 or max(heard.values()) > 1:
            yield f"24. Who came to entrance {entrance.number} was told of {reply.execution}, and heard by {heard}"


def news_is_lost(played: Played, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """An event starts one execution of each workflow that is for it, ends what waited for it when it was published, and
    who published it is told so."""
    told = {
        workflow.id: workflow.workspace
        for part, workflow in zip(played.cast.parts, played.workflows, strict=True)
        if part.told
    }
    ours = {name: book for name, book in books.items() if book.summary.workflow in told}
    begun = Counter(book.state.input["id"] for book in ours.values() if _is_begun_by_news(book))
    for event in played.announced:
        wanted = sum(workspace == event.workspace for workspace in told.values())
        sure = event.since > BEGINS + wrong_clocks(played)  # (else it may be older than the workflow, by a late clock)
        started = begun.pop(event.name, 0)
        if started > wanted or (started < wanted and sure):
            yield f"26. {event.name} did not start one execution of each of {wanted} workflows"
        yield from _is_told_wrong(event, ours, put)
        for name, book in ours.items():
            if book.summary.workspace == event.workspace and _passes_by(played, event, book, put):
                yield f"26. {name} waited when {event.name} was published, and did not hear of it"
    if begun:
        yield f"26. Executions were started by events that nobody published: {begun}"


def _is_begun_by_news(book: Read) -> bool:
    return book.summary.trigger == "event" and book.state.reset_of is None


def _is_told_wrong(event: Announced, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """(Of several who end a wait at the same moment each may be told that it did; the first counts.)"""
    for name in event.followed.started:
        if name not in books or books[name].state.input["id"] != event.name:
            yield f"26. {event.name} is said to have started {name}, and has not"
    for name in event.followed.ended:
        if name in books and event.since <= _heard_or_over(books[name], put) <= event.at:
            continue
        if name not in books or event.name not in [news.result["id"] for _, news in _news(books[name])]:
            yield f"26. {event.name} is said to have ended a wait of {name}, and has not"


def _news(book: Read) -> Iterator[tuple[int, TaskSucceeded]]:
    """What it heard, and in which turn."""
    for one in book.turns:
        for event in one.turn.events:
            if isinstance(event, TaskSucceeded) and isinstance(event.result, dict) and event.result.get("type") == NEWS:
                yield one.number, event


def _passes_by(played: Played, event: Announced, book: Read, put: Written) -> bool:
    """Whether it waited for this event before it was published, and still did when all had been told."""
    if book.summary.trigger == "event" or book.state.reset_of is not None or book.state.input["n"] != event.given["n"]:
        return False
    waits = [one.number for one in book.turns if any(isinstance(each, TaskSubmitted) for each in one.turn.events)]
    if not waits or turn_written(put, book, waits[0]) + wrong_clocks(played) >= event.since:
        return False
    return _heard_or_over(book, put) > event.at


def _heard_or_over(book: Read, put: Written) -> float:
    heard = [number for number, _ in _news(book)]
    return turn_written(put, book, heard[0]) if heard else span(put, book)[1]
