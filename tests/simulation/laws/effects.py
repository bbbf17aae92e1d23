"""Laws of what happens outside: each effect carries its key, and what must happen once does."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from linkflow.execution.events import PauseRequested, VisitResumed
from tests.simulation.laws.reading import ENDED, Entry, Read
from tests.simulation.outside import AskedOnce
from tests.simulation.played import Played


def effects_are_wrong(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    entries: defaultdict[str, set[tuple[str, Entry]]] = defaultdict(set)
    for name, book in books.items():
        for entry, keys in book.keys.items():
            for key in keys:
                entries[key].add((name, entry))
    for key, where in entries.items():
        if len(where) > 1:
            yield f"7. The key {key} is shared by {sorted(where)}"
    asked: defaultdict[str, set[bytes]] = defaultdict(set)
    attempts: Counter[tuple[str, int]] = Counter()
    for effect in played.outside.effects:
        asked[effect.key].add(effect.path.encode() + (b"" if effect.path.startswith("/later") else effect.content))
        attempts[effect.key, effect.attempt] += effect.path.startswith(f"/{AskedOnce.type}")
        key = effect.key.rpartition("-")[0] if effect.path.startswith("/vote") else effect.key
        whose = books.get(effect.key.partition("-")[0])
        if whose is None:
            yield f"7. An effect has the key {effect.key!r}, which is of no execution"
        elif key not in entries and whose.state.status not in ENDED and not _went_another_way(whose):
            yield f"7. An effect has the key {effect.key!r}, which is of no task"
    for key, contents in asked.items():
        whose = books.get(key.partition("-")[0])
        if len(contents) > 1 and not (whose is not None and _went_another_way(whose)):
            yield f"7. With the key {key} different things were asked"
    for attempt, times in attempts.items():
        if times > 1:
            yield f"8. {attempt} ran {times} times"


def _went_another_way(book: Read) -> bool:
    """Whether what a process did before it died, or before it heard of a pause, may be in no book: turns may wait, and
    an interruption counts, so that who repeats them may come to something else. Behind a pause nothing follows, and
    what followed before it may come in another order when it is over."""
    waits = book.program.durability != "step"
    return waits and any(isinstance(event, VisitResumed | PauseRequested) for event in book.events)
