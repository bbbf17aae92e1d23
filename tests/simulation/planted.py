"""Bugs put in on purpose, to show that the laws can fail: each is one line of one module, replaced.

This is the one exception to "wrap, never patch": the source is changed on its way into a fresh interpreter, by an
import hook, and nowhere else.

    python -m tests.simulation.planted NAME [SEEDS]      the first seed that finds it, and what it says
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Final

MOST_SEEDS: Final = 1_200
"""Within so many every planted bug is found."""


@dataclass(frozen=True, slots=True)
class Bug:
    """`line` (all of it, or a part that stands nowhere else in the module) becomes `wrong`. `seed` found it before."""

    name: str
    module: str
    line: str
    wrong: str
    seed: int = 0


BUGS: Final = (
    Bug(
        "a turn is put over another",
        "linkflow.stores.books",
        "await self.table.put(item, Absent(), sends) is not None",
        "await self.table.put(item, None, sends) is not None",
    ),
    Bug(
        "the lane message is deleted before the visit",
        "functions.history.handler",
        "        await driver.drive(message,",
        "        await world.queue.delete([message])\n        await driver.drive(message,",
        seed=20,
    ),
    Bug(
        "a repeated start is forgotten",
        "linkflow.engine.start",
        "    if found is None:\n        return execution",
        "    if True:\n        return execution",
        seed=1,
    ),
    Bug(
        "a second outcome is let in",
        "linkflow.execution.advance",
        "            return expects(state, news.scope, news.task)",
        "            return news.scope in state.scopes and state.scopes[news.scope].composite is None",
        seed=5,
    ),
    Bug(
        "the idempotency key holds the attempt",
        "linkflow.execution.advance",
        "-{entry_of(state, scope)}",
        "-{entry_of(state, scope)}-{scope.attempt}",
        seed=60,
    ),
    Bug(
        "the idempotency key is the scope's alone",
        "linkflow.execution.advance",
        "-{entry_of(state, scope)}",
        "-{scope.id}",
    ),
    Bug(
        "a snapshot lacks a field",
        "linkflow.stores.books",
        "encoded = self._encoder.encode(book.state)",
        "encoded = self._encoder.encode(msgspec.structs.replace(book.state, next_task=1))",
        seed=140,
    ),
    Bug(
        "a child's id is new each time",
        "linkflow.engine.children",
        "    child = id_of(call.execution, task)\n",
        "    child = engine.ids.new(ids.EXECUTION)\n",
    ),
    Bug(
        "a child that nobody waits for goes on",
        "linkflow.engine.visit",
        "if len(orphans) > self.let_go:",
        "if len(orphans) < self.let_go:",
        seed=30,
    ),
    Bug(
        "a closed summary does not say how it ended",
        "linkflow.stores.summaries",
        "closed = replace(found, status=state.status,",
        'closed = replace(found, status="succeeded",',
        seed=1,
    ),
    Bug(
        "the watchdog sets no alarm for what was far",
        "linkflow.engine.watch",
        "    await engine.queue.send([ring(workspace, execution, moment, now)])",
        "    pass",
        seed=40,
    ),
    Bug(
        "no alarm is set",
        "linkflow.engine.parting",
        "        await engine.queue.send([ring(workspace, execution, moment, now)])",
        "        return",
    ),
    Bug(
        "a pause is counted from when the state was entered",
        "linkflow.execution.decide",
        "view.around.now + pause",
        "scope.entered_at + pause",
        seed=60,
    ),
    Bug(
        "news is dropped on conflict",
        "linkflow.engine.news",
        "        if await engine.books.append(book, admitted, now, sends):\n            return state",
        "        await engine.books.append(book, admitted, now, sends)\n        return state",
        seed=32,
    ),
    Bug(
        "what must run once is started without a record",
        "linkflow.engine.visit",
        "return task.at_most_once and not task.started and",
        "return False and",
        seed=355,
    ),
    Bug(
        "a task waits for its token before it is in the book",
        "linkflow.engine.draft",
        ' and one.pattern == "request" for one in self.tasks)',
        " for one in self.tasks)",
        seed=6,
    ),
    Bug(
        "a message whose handler failed is deleted",
        "linkflow.runtime.hosts.pump",
        "                if not await handled(message, self._name, self._trigger, self._bury):",
        "                if await handled(message, self._name, self._trigger, self._bury) is None:",
        seed=241,
    ),
    Bug(
        "a child is looked for in another workspace",
        "linkflow.engine.children",
        "        return await engine.workflows.named(workspace, name)",
        '        return await engine.workflows.named("ws_a", name)',
    ),
    Bug(
        "opening an execution again begins its book anew",
        "linkflow.stores.summaries",
        "self.table.put(item, Absent(), sends) is None",
        "self.table.put(item, None, sends) is None",
        seed=9,
    ),
    Bug(
        "who takes up another book takes what it owes for sent",
        "linkflow.engine.visit",
        "self.away.assume(tasks, resumed=resumed or renewed)",
        "self.away.assume(tasks, resumed=resumed)",
        seed=5,
    ),
    Bug(
        "a schedule takes what runs for over",
        "linkflow.engine.schedules",
        'if summary is not None and summary.status == "running":',
        'if summary is not None and summary.status != "running":',
        seed=103,
    ),
    Bug(
        "a schedule starts under a new id each time",
        "linkflow.engine.schedule_starts",
        "    await _start(engine, schedule, owed.execution, _input(",
        "    await _start(engine, schedule, engine.ids.new(ids.EXECUTION), _input(",
    ),
    Bug(
        "a firing is forgotten once it is decided",
        "linkflow.engine.schedules",
        "await engine.schedules.advance(found, decided, keep_due=True)",
        "await engine.schedules.advance(found, replace(decided, owed=()))",
    ),
    Bug(
        "a lease is given although another has it",
        "linkflow.engine.lease",
        "    if standing.offer.until > now:\n        return None\n    if standing",
        "    if standing",
        seed=61,
    ),
    Bug(
        "what is at most once is offered again",
        "linkflow.engine.lease",
        "    if offered.leases < PATIENCE and not task.at_most_once:",
        "    if offered.leases < PATIENCE:",
        seed=191,
    ),
    Bug(
        "two executions have one business key",
        "linkflow.engine.claims",
        "        holder = None if found is None else await _open_holder(",
        "        holder = None if True else await _open_holder(",
        seed=40,
    ),
    Bug(
        "of two who vote at once one is lost",
        "linkflow.stores.approvals",
        "return await self.table.put(_item(approval, found.version + 1), Unchanged(found.version)) is None",
        "return await self.table.put(_item(approval, found.version + 1)) is None",
        seed=7,
    ),
    Bug(
        "a successor begins under another id",
        "linkflow.engine.chain",
        "await opened(engine, request, state.successor, unique=old.unique)",
        "await opened(engine, request, engine.ids.new('ex'), unique=old.unique)",
        seed=10,
    ),
    Bug(
        "a child that is to go on alone is ended",
        "linkflow.engine.children",
        'if book is not None and parent is not None and parent.on_close != "detach":',
        "if book is not None and parent is not None:",
        seed=1025,
    ),
    Bug(
        "the token of the one before is handed out again",
        "linkflow.execution.wishes",
        "task.arguments = taken_over(task.arguments, state, scope.id, task.task)",
        "pass",
        seed=7,
    ),
    Bug(
        "a business key goes over to nobody",
        "linkflow.engine.claims",
        "    if not ours or not await _written(engine, new, opening, found):\n",
        "    if True:\n",
        seed=20,
    ),
    Bug(
        "a rate lets everybody begin",
        "linkflow.stores.limits",
        "encode(Spent(spent + pace))",
        "encode(Spent(spent))",
        seed=70,
    ),
    Bug(
        "a limit by a key counts for all together, but not at all",
        "linkflow.engine.admission",
        '    return f"{name} {sha256(',
        '    return f"{name} {state.started_at} {sha256(',
        seed=250,
    ),
    Bug(
        "a bad moment of a store fails the task",
        "linkflow.engine.tasks",
        "        except TryAgain as trouble:\n            _log",
        "        except TryAgain as trouble:\n"
        "            raise NodeFailed('LinkFlow.NodeBroke', '') from None\n            _log",
        seed=154,
    ),
    Bug(
        "who is held goes on",
        "linkflow.engine.holds",
        "return [] if ours or state.cancel is not None else [PauseRequested(HELD, found.reason)]",
        "return []",
        seed=1,
    ),
    Bug(
        "who is let go stays held",
        "linkflow.engine.holds",
        "return [ResumeRequested(HELD)] if ours else []",
        "return []",
        seed=1,
    ),
    Bug(
        "the newest makes room",
        "linkflow.engine.room",
        "outdated = living[: max(0, len(living) - line.limit)]",
        "outdated = living[line.limit :]",
        seed=28,
    ),
    Bug(
        "what is started for later begins at once",
        "linkflow.engine.start",
        "begins = request.begins if request.begins is not None and request.begins > now else None",
        "begins = None",
        seed=10,
    ),
    Bug(
        "that one started is told by its first visit alone",
        "linkflow.engine.visit",
        "        if self.state.fresh:",
        "        if self.state.fresh and not resumed:",
        seed=1,
    ),
    Bug(
        "a hold of the engine holds nothing",
        "linkflow.stores.controls",
        "        if self.engine is not None:",
        "        if self.engine is not None and not workflow:",
        seed=1,
    ),
    Bug(
        "what is triggered by a repeated request begins again",
        "linkflow.engine.schedule_starts",
        'ids.derived(ids.EXECUTION, schedule.id, f"by {key}")',
        "engine.ids.new(ids.EXECUTION)",
        seed=269,
    ),
    Bug(
        "who starts with a signal is not known again",
        "linkflow.engine.signal",
        'key_policy="use_existing", idempotency_key=name, exact=False',
        'key_policy="use_existing", idempotency_key=None, exact=False',
        seed=148,
    ),
    Bug(
        "an operation passes over what began just before",
        "functions.api.operations.service",
        "started = Span(query.started.first, min(now, ",
        "started = Span(query.started.first, min(now - 5, ",
        seed=272,
    ),
    Bug(
        "an event is told to one",
        "linkflow.engine.publish",
        "            for one in subscribers:",
        "            for one in subscribers[:1]:",
    ),
    Bug(
        "pieces of an outcome are joined as they come",
        "functions.matching.service",
        'b"".join(whole)',
        'b"".join(reversed(whole))',
        seed=870,
    ),
)


class _Spoiler(MetaPathFinder):
    def __init__(self, bug: Bug) -> None:
        self._bug = bug

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == self._bug.module else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Spoiled(self._bug, spec.origin)
        return spec


class _Spoiled(SourceFileLoader):
    def __init__(self, bug: Bug, origin: str) -> None:
        super().__init__(bug.module, origin)
        self._bug = bug

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError(f"{path} is never cached.")

    def get_data(self, path: str) -> bytes:
        return spoiled(self._bug, Path(path).read_text()).encode()


def spoiled(bug: Bug, source: str) -> str:
    """The module's source with the bug in it. Raises `AssertionError` when its line is not there (any more)."""
    assert source.count(bug.line) == 1, f"'{bug.name}': its line stands {source.count(bug.line)} times in {bug.module}"
    return source.replace(bug.line, bug.wrong)


def found_by(bug: Bug, seeds: Sequence[int]) -> tuple[int, str] | None:
    """The first of these seeds that finds the bug, and the law it breaks. Must be the first use of the engine."""
    sys.meta_path.insert(0, _Spoiler(bug))
    seeds_module = import_module("tests.simulation.seeds")
    for seed in seeds:
        try:
            laws = seeds_module.verdict_on(seed).laws
        except (AssertionError, KeyError) as broken:
            laws = (f"broken beyond reading: {broken!r}",)
        if laws:
            return seed, laws[0]
    return None


def main(arguments: Sequence[str]) -> int:
    (bug,) = [bug for bug in BUGS if bug.name == arguments[0]]
    last = int(arguments[1]) if len(arguments) > 1 else MOST_SEEDS
    found = found_by(bug, [*range(bug.seed, bug.seed + 5), *range(last)])
    print("not found" if found is None else f"{found[0]}: {found[1]}")  # noqa: T201 (a program)
    return int(found is None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
