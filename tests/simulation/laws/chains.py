"""Laws of executions that go on in one another: continued as new, or taken up again from a point of their books."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.simulation.laws.reading import Read, Written, span
from tests.simulation.played import Played


def chains_are_torn(played: Played, books: Mapping[str, Read], put: Written) -> Iterator[str]:
    """(One that takes the place of another goes on from the same as that one.)"""
    own = (book for book in books.values() if book.state.reset_of is None)
    follow = Counter(book.state.continued_from for book in own if book.state.continued_from)
    for name, book in books.items():
        if book.state.status == "continued":
            following = books.get(book.state.successor or "")
            if following is None or following.state.continued_from != name:
                yield f"19. {name} goes on in {book.state.successor}, which is not there"
            elif span(put, following)[0] < span(put, book)[1]:
                yield f"19. {book.state.successor} began before {name} was over"
            if follow[name] != 1:
                yield f"19. {follow[name]} executions go on from {name}"
        yield from _is_taken_up_wrong(name, book, books)
    for name in follow:
        if name not in books or books[name].state.status != "continued":
            yield f"19. An execution goes on from {name}, which does not end so"
    yield from _wishes_are_lost(played, books)


def _is_taken_up_wrong(name: str, book: Read, books: Mapping[str, Read]) -> Iterator[str]:
    if book.state.reset_of is None:
        return
    before = books.get(book.state.reset_of.execution)
    if before is None:
        yield f"20. {name} took up {book.state.reset_of.execution}, which is not there"
        return
    copied = [one.turn.events for one in book.turns[1 : book.state.reset_of.turn]]
    if copied != [one.turn.events for one in before.turns[1 : book.state.reset_of.turn]]:
        yield f"20. The book of {name} does not begin as that of {before.summary.execution}"


def _wishes_are_lost(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """Who wished for it has one execution for one wish, and the one before is over and says what took its place."""
    for reply in played.replies:
        if reply.visitor.deed != "reset" or reply.execution is None:
            continue
        new = books.get(reply.execution)
        if new is None or new.state.reset_of is None:
            yield f"20. {reply.execution} was to take another's place, and is not there"
            continue
        old = books[new.state.reset_of.execution]
        alike = [one for one in books.values() if one.state.reset_of and books.get(one.state.reset_of.execution) is old]
        wishes = {one.visitor for one in played.replies if one.visitor.deed == "reset" and one.execution}
        wishes |= {one.visitor for one in played.replies if one.visitor.deed == "retry all"}
        if len(alike) > len(wishes):
            yield f"20. {old.summary.execution} was taken up {len(alike)} times for {len(wishes)} wishes"
        if not old.summary.reset_to:
            yield f"20. {old.summary.execution} does not say that {reply.execution} took its place"
