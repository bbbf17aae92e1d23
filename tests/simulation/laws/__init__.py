"""What must hold of every story, whatever befell it. Each law says in words how it was broken.

 1. Nothing is stuck: once faults stop, everything ends within bounded time, and all queues are empty.
 2. Accepted is never lost: who was answered 2xx finds one execution, the same for the same key; one that is refused
    leaves nothing. Who waits for the result is told what the book says.
 3. Every execution comes to what the same start comes to where nothing happens (or what timing permits: an execution
    that was cancelled, or in which a task was given up because its processes died, may end otherwise).
 4. Books have no gaps; what they hold, replayed turn by turn, is the state that loading gives, snapshots included.
 5. A closed execution owes nothing, waits for nothing, and hears nothing any more.
 6. No completion is recorded twice, none for another task.
 7. Every effect outside carries its key: one for each entry into a state, shared by no other; every attempt of an entry
    asks the same. (Where turns may wait, what a process did that died may be of no entry, or be asked otherwise.)
 8. What must run at most once an attempt does.
 9. Children are begun once, by the task that begins them; none outlives a parent that waits for it, unless it is to go
    on alone, and then nobody ends it.
10. Summaries say what books say.
11. While one workspace is served, nothing of another is touched, but for the platform's own, which works for all.
12. No task fails for a bug of ours, and nobody outside is answered by one.
13. Waits end at their moment, and what is started for later begins at its own: never before, within seconds where
    nothing happens, and always within the time of repairs.
14. No more executions of a workflow run at once than may, nor begin faster; also where limits count by a key.
15. Work is in one remote worker's hands at a time, as far as clocks agree; who was told that an outcome was taken, of
    such work or by a token, finds one in the book.
16. Each moment of a schedule fires once, or says why it does not, by a reason that its policies permit; nothing else
    is started, nothing before its moment, and never two at once where that is not wanted.
17. One open execution has a business key; who is refused for it, is while another has it.
18. An approval counts each person once, loses no vote, is decided as the votes say, and so says the book; none waits
    behind its execution.
19. Who continues as new goes on in one execution, which begins when the one before is over.
20. An execution that is taken up again has a book that begins as the old one's, one for each who wished for it; the
    old one is over, and says so.
21. What is held begins nothing until it is let go.
22. Who makes room for the newest is not the newest; none but those who are to make room do.
23. Who wants to hear of starts and ends hears of each, and of no other, by one delivery, and the log says so.
24. Who starts with a signal is heard once, by the execution that he is told of.
25. An operation on all executions of a workflow reaches each that was there, and none that began behind it.
26. An event starts one execution of each workflow that is for it, ends what waited for it, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulation.laws.accepted import accepted_is_lost, begins_early, ends_otherwise
from tests.simulation.laws.books import book_is_broken, moments_are_missed
from tests.simulation.laws.business_keys import keys_are_shared
from tests.simulation.laws.callbacks import endings_are_unheard
from tests.simulation.laws.chains import chains_are_torn
from tests.simulation.laws.children import children_are_wrong
from tests.simulation.laws.effects import effects_are_wrong
from tests.simulation.laws.handed_out import outcomes_are_lost, votes_are_lost, work_is_doubled
from tests.simulation.laws.hearing import greetings_are_lost, news_is_lost
from tests.simulation.laws.holds import held_goes_on
from tests.simulation.laws.limits import limits_are_exceeded, room_is_made_wrong
from tests.simulation.laws.operations import operations_miss
from tests.simulation.laws.reading import End, read, written, wrong_clocks
from tests.simulation.laws.schedules import moments_are_lost
from tests.simulation.played import Played


@dataclass(frozen=True, slots=True)
class Judgement:
    """`laws` are those that a story breaks; `gave_up` are its executions in which a task was given up, and which may
    therefore end otherwise."""

    laws: tuple[str, ...]
    gave_up: int = 0


async def judge(played: Played, expected: Mapping[int, End]) -> Judgement:
    """`expected` is what each entrance must come to."""
    if played.surprises:
        return Judgement(tuple(f"12. A visitor was answered by {surprise}" for surprise in played.surprises))
    if played.stuck:
        return Judgement(tuple(f"1. It is stuck: {line}" for line in await _what_is_stuck(played)))
    found = [f"11. {trespass}." for trespass in played.trespasses]
    try:
        books = {summary.execution: await read(played, summary) for summary in played.summaries}
    except (KeyError, AssertionError) as error:
        return Judgement((f"4. A book cannot be read: {error!r}",))
    put = written(played)
    for name, book in books.items():
        missed = moments_are_missed(book, played.latest, wrong_clocks(played))
        found += [f"{law} ({name})" for law in (*book_is_broken(book), *missed)]
    found += [*accepted_is_lost(played, books), *begins_early(played, books)]
    found += ends_otherwise(played, books, expected)
    found += effects_are_wrong(played, books)
    found += [*limits_are_exceeded(played, books, put), *room_is_made_wrong(played, books)]
    found += held_goes_on(played, books)
    found += children_are_wrong(books)
    found += [*chains_are_torn(played, books, put), *keys_are_shared(played, books, put)]
    found += [*work_is_doubled(played, books), *outcomes_are_lost(played, books)]
    found += [*await votes_are_lost(played, books), *await moments_are_lost(played, books, put)]
    found += await endings_are_unheard(played, books)
    found += [*greetings_are_lost(played, books), *news_is_lost(played, books, put)]
    found += await operations_miss(played, books, put)
    return Judgement(tuple(found), sum(book.gave_up for book in books.values()))


async def ends(played: Played) -> dict[int, End]:
    """What every entrance came to."""
    by_key = {reply.visitor.entrance: reply.execution for reply in played.replies if reply.execution}
    states = {one.execution: (await read(played, one)).state for one in played.summaries}
    found: dict[int, End] = {}
    for number, name in by_key.items():
        last = states[name]
        while last.successor in states:
            last = states[last.successor]
        found[number] = End(last.status, last.output)
    return found


async def _what_is_stuck(played: Played) -> list[str]:
    said = [
        f"{one.execution} of '{one.workflow}' is {one.status}" for one in played.summaries if one.status == "running"
    ]
    return said or ["a queue never empties, or somebody is never answered"]
