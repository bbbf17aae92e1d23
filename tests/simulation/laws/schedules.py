"""Laws of schedules: each due moment fires once, or says why it does not; by hand they start what is asked for."""

from collections import Counter
from collections.abc import Iterator, Mapping

from linkflow.engine.firing import GRACE, execution_of
from linkflow.stores.schedules import Found, Schedules
from tests.simulation.laws.reading import Read, Written, at_once, span, wrong_clocks
from tests.simulation.played import Played, Scheduled


async def moments_are_lost(played: Played, books: Mapping[str, Read], put: Written) -> list[str]:
    broken: list[str] = []
    for one in played.schedules:
        found = await Schedules(played.stores.table).get(one.part.workspace, one.id)
        broken += _fires_wrong(played, one, found, books)
        broken += [*_comes_wrong(played, one, found, books, put), *_is_asked_wrong(played, one, books)]
    return broken


def _fires_wrong(played: Played, scheduled: Scheduled, found: Found, books: Mapping[str, Read]) -> Iterator[str]:
    """By the log: what was decided about each moment, and that nothing else was started."""
    triggered = _by_hand(books, scheduled, "trigger")
    log, schedule = [one for one in found.standing.log if one.execution not in triggered], found.schedule
    begun = {entry.due: entry.execution for entry in log if entry.execution is not None}
    for moment in scheduled.moments:
        entries = [entry for entry in log if entry.due <= moment <= (entry.until or entry.due)]
        if len(entries) != 1:
            yield f"16. The moment {moment} of {schedule.id} is decided {len(entries)} times"
    for due, execution in begun.items():
        if execution not in books or execution != execution_of(schedule, due):
            yield f"16. {execution} should have begun for the moment {due} of {schedule.id}"
    ours = [book for book in books.values() if _is_of(book, scheduled)]
    for book in ours:
        if book.summary.execution not in {*begun.values(), *_by_hand(books, scheduled)}:
            yield f"16. {book.summary.execution} was begun for no moment of {schedule.id}"
    reasons = Counter(entry.skipped for entry in log if entry.skipped)
    permitted = {"missed"} if schedule.misfire != "all" else set[str]()
    permitted |= {"skip": {"overlap"}, "cancel_previous": {"superseded"}}.get(schedule.overlap, set())
    if played.plan.seed < 0:
        permitted -= {"missed", "superseded"}
    if reasons.keys() - permitted:
        yield f"16. {schedule.id} ({schedule.misfire}, {schedule.overlap}) left moments out as {dict(reasons)}"


def _comes_wrong(
    played: Played, scheduled: Scheduled, found: Found, books: Mapping[str, Read], put: Written
) -> Iterator[str]:
    """By when executions begin: not before their moments, in order and one by one where the policy says so."""
    schedule, wrong = found.schedule, wrong_clocks(played)
    by_hand = _by_hand(books, scheduled)
    names = [(one.due, one.execution or "") for one in found.standing.log if one.execution not in by_hand]
    begun = [(due, span(put, books[name])) for due, name in names if name in books]
    for due, (begins, _) in begun:
        if begins < due - wrong:
            yield f"16. The moment {due} of {schedule.id} fired {due - begins:.1f} s early"
        if schedule.overlap == "allow" and begins > due + played.latest:
            yield f"16. The moment {due} of {schedule.id} fired {begins - due:.1f} s late"
    for entry in found.standing.log:
        if entry.skipped == "missed" and entry.at + wrong < entry.due + GRACE:
            yield f"16. The moment {entry.due} of {schedule.id} was given up {entry.at - entry.due:.1f} s behind it"
    if schedule.overlap in ("skip", "queue"):
        if (many := at_once([one for _, one in begun])) > 1:
            yield f"16. {many} executions of {schedule.id} ran at once, whose policy is {schedule.overlap}"
        if [due for due, _ in sorted(begun, key=lambda one: one[1][0])] != sorted(due for due, _ in begun):
            yield f"16. The executions of {schedule.id} did not begin in the order of their moments"


def _is_of(book: Read, scheduled: Scheduled) -> bool:
    return book.summary.trigger == "schedule" and book.state.input["schedule"] == scheduled.id


def _by_hand(books: Mapping[str, Read], scheduled: Scheduled, *manners: str) -> set[str]:
    """What somebody triggered or backfilled, whatever the policies say."""
    manners = manners or ("trigger", "backfill")
    return {name for name, book in books.items() if _is_of(book, scheduled) and book.state.input.get("by") in manners}


def _is_asked_wrong(played: Played, scheduled: Scheduled, books: Mapping[str, Read]) -> Iterator[str]:
    """Who asks by hand is told of each execution that began, and there is no other."""
    told = {name for one in played.replies if one.schedule == scheduled.id for name in one.executions}
    for name in told - books.keys():
        yield f"16. {name} of {scheduled.id} should have been begun by hand, and is not there"
    for name in _by_hand(books, scheduled) - told:
        yield f"16. {name} of {scheduled.id} was begun by hand, and nobody was told of it"
