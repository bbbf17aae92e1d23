"""Laws of limits: no more at once than may."""

from collections.abc import Iterator, Mapping

from linkflow.execution.queueing import ExecutionAdmitted
from tests.simulation.laws.reading import Read
from tests.simulation.played import Played
from tests.simulation.ports import NOT_DONE


def limits_are_exceeded(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """By when the turns were put that admit an execution and close it."""
    put: dict[str, float] = {}
    for line in played.weather.lines:
        if line.what == "table.put" and line.outcome != NOT_DONE:
            put.setdefault(line.subject, line.at)
    for part, workflow in zip(played.cast.parts, played.workflows, strict=True):
        if part.limit is None:
            continue
        moments: list[tuple[float, int]] = []
        for name, book in books.items():
            events = ((one.number, event) for one in book.turns for event in one.turn.events)
            admitted = [number for number, event in events if isinstance(event, ExecutionAdmitted)]
            if book.summary.workflow == workflow.id and admitted:
                where = f"EXEC#{part.workspace}#{name} TURN#"
                moments.append((put[f"{where}{admitted[0]:08d}"], 1))
                moments.append((put[f"{where}{book.turns[-1].number:08d}"], -1))
        running = 0
        for _, step in sorted(moments):
            running += step
            if running > part.limit:
                yield f"14. {running} executions of '{part.name}' ran at once, and {part.limit} may"
