"""Laws of children: begun once, by the task that begins them, and over with who waits for them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from linkflow import ids
from linkflow.engine.children import child_id
from tests.simulation.laws.reading import ENDED, Read

OUTLIVES = 600.0
"""Seconds by which a child is surely ended after its parent, clocks that go wrong included."""


def children_are_wrong(books: Mapping[str, Read]) -> Iterator[str]:
    """Tasks of an execution that was ended may have run and not be in its book."""
    children = {
        child_id(name, task): name
        for name, book in books.items()
        for task in (book.tasks if book.state.status in ("succeeded", "failed") else range(1, 40))
    } | {
        ids.derived(ids.EXECUTION, name, key): name
        for name, book in books.items()
        for keys in book.keys.values()
        for key in keys
    }
    ended = any(book.state.status in ENDED for book in books.values())
    for name, book in books.items():
        parent = book.state.parent
        if book.summary.trigger not in ("called", "map"):
            continue
        begun_by = books.get(parent.execution if parent is not None else children.get(name, ""))
        if begun_by is None and parent is None and ended:
            continue
        if begun_by is None or (name not in children and begun_by.state.status == "succeeded"):
            yield f"9. {name} was begun by nobody"
    waited = Counter((one.state.parent.execution, one.state.parent.task) for one in books.values() if one.state.parent)
    for (parent_name, task), times in waited.items():
        if times > 1:
            yield f"9. Task {task} of {parent_name} began {times} children"
    for name, book in books.items():
        parent = book.state.parent
        waiting = books.get(parent.execution) if parent is not None else None
        alone = parent is not None and parent.on_close == "detach"
        if alone and book.state.status in ENDED:
            yield f"9. {name} is {book.state.status}, and was to go on by itself"
        if waiting is None or alone:
            continue
        if (book.state.closed_at or 0.0) > (waiting.state.closed_at or 0.0) + OUTLIVES:
            yield f"9. {name} went on after {waiting.summary.execution}, for which it ran, was over"
