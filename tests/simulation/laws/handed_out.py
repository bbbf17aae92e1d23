"""Laws of what is handed out and comes back: tokens, work for remote workers, and approvals."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from linkflow.engine.approvals import approval_id
from linkflow.execution.events import ScopeAborted, TaskScheduled, TaskSucceeded
from linkflow.stores import keys
from linkflow.stores.approvals import Approval
from linkflow.stores.records import decode
from tests.simulation.laws.books import OUTCOMES
from tests.simulation.laws.reading import ENDED, Read, wrong_clocks
from tests.simulation.played import Given, Held, Played
from tests.simulation.requests import TAKEN


def work_is_doubled(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """A lease is over before the next one begins, as far as clocks agree."""
    of_task: defaultdict[tuple[str, int], list[Held]] = defaultdict(list)
    attempts: Counter[tuple[str, int]] = Counter()
    for held in played.held:
        of_task[held.leased.execution, held.leased.task.task].append(held)
        attempts[held.leased.task.key, held.leased.task.attempt] += held.leased.task.at_most_once
        if any(answer == TAKEN for answer in held.answers):
            yield from _is_lost(books, Given(held.leased.execution, held.leased.task.task, TAKEN))
    for (execution, task), many in of_task.items():
        for one, after in pairwise(many):
            if after.at < one.until - wrong_clocks(played):
                yield f"15. Task {task} of {execution} was leased again {one.until - after.at:.1f} s too early"
        if again := [lease for lease, times in Counter(one.leased.lease for one in many).items() if times > 1]:
            yield f"15. The leases {again} of task {task} of {execution} were given twice"
    for attempt, times in attempts.items():
        if times > 1:
            yield f"8. {attempt} was handed to {times} workers"


def outcomes_are_lost(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    for given in played.given:
        if given.told == TAKEN and given.vote is None:
            yield from _is_lost(books, given)


def _is_lost(books: Mapping[str, Read], given: Given) -> Iterator[str]:
    """Who was told that an outcome is taken finds one in the book; unless nobody wanted it any more at the same moment:
    the execution was ended, or what ran beside the task failed."""
    book = books.get(given.execution)
    if book is None or book.state.status in ENDED or any(isinstance(event, ScopeAborted) for event in book.events):
        return
    if given.task not in [event.task for event in book.events if isinstance(event, OUTCOMES)]:
        yield f"15. The outcome of task {given.task} of {given.execution} was taken, and is not in the book"


async def votes_are_lost(played: Played, books: Mapping[str, Read]) -> list[str]:
    """Each person counts once; what was taken stands there; and the book says what they decided."""
    found: list[str] = []
    asking = {one.id for one, part in zip(played.workflows, played.cast.parts, strict=True) if part.votes}
    for name, book in books.items():
        for event in book.events if book.summary.workflow in asking else ():
            if isinstance(event, TaskScheduled):
                key = keys.approval(book.summary.workspace, approval_id(name, event.task))
                item = await played.stores.table.get(key)
                if item is not None:
                    found += _miscounted(played, book, decode(item.body, Approval))
    return found


def _miscounted(played: Played, book: Read, approval: Approval) -> Iterator[str]:
    where = (approval.execution, approval.task)
    said = f"approval of task {approval.task} of {approval.execution}"
    counted = [(one.by, one.decision) for one in approval.decisions]
    if len({by for by, _ in counted}) != len(counted):
        yield f"18. Somebody decided twice on the {said}"
    for given in played.given:
        vote = given.vote
        if vote is None or given.told != TAKEN or (given.execution, given.task) != where:
            continue
        if (vote.by, vote.decision) not in counted:
            yield f"18. The vote of {vote.by} on the {said} was taken, and is lost"
    right = _decided(approval)
    if (approval.status if approval.decided else None) != right:
        yield f"18. The {said} is {approval.status}, by the votes {counted}, of {approval.required} wanted"
    if approval.status == "pending":
        yield f"18. The {said} waits, although the execution is over"
    heard = [event for event in book.events if isinstance(event, TaskSucceeded) and event.task == approval.task]
    told = [event.result["decision"] for event in heard]
    if (right is None or book.state.status == "succeeded") and told != ([] if right is None else [right]):
        yield f"18. The {said} is {approval.status}, and the book says {told}"


def _decided(approval: Approval) -> str | None:
    approvals = sum(one.decision == "approved" for one in approval.decisions)
    rejections = len(approval.decisions) - approvals
    if approvals >= approval.required:
        return "approved"
    return "rejected" if len(approval.assignees) - rejections < approval.required else None
