"""Dead letters: messages that were given up, why, and what can be done with them.

Whoever gives a message up writes down the reason, then lets go of it: hosts do so at the last receive that failed. What
died without a word (its process was killed at the last receive) is moved by the queue itself to its dead letters,
and comes from there to the others within minutes, without a reason. A crash on the way leaves a message that is buried
again, into the same grave.

Sending a dead letter again is harmless: wakes and alarms are hints, tasks have one outcome, and every message may come
twice anyhow. No execution is stuck for one that died without a word: it goes into the watchdog's index, and the task
that the message was for fails, as one does whose visits die.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from linkflow.engine.engine import Engine
from linkflow.engine.news import tell
from linkflow.engine.wakes import SOON
from linkflow.errors import NotFound
from linkflow.execution.events import TaskFailed
from linkflow.execution.failures import INTERRUPTED
from linkflow.messages import QUEUES, TASKS, TASKS_ISOLATED, unpacked
from linkflow.ports import Message, Send
from linkflow.stores.dead_letters import DeadLetter, Lying

LONGEST_REASON = 1_000
UNEXPLAINED = "Nobody said why: its process ended at the last receive. The logs of that time know more."
_BATCH = 10
_PAGE = 100


class _Task(msgspec.Struct, frozen=True):
    scope: int = 0
    node: str = ""
    task: int = 0
    attempt: int = 0


class _Body(msgspec.Struct, frozen=True):
    """What messages have in common, as far as they have it; nothing that users put in."""

    workspace: str = ""
    execution: str = ""
    schedule: str = ""
    task: _Task | None = None


_DECODER = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant; None: whichever. Without a workspace those of all."""

    workspace: str | None
    queue: str | None = None
    ids: Collection[str] | None = None

    def fits(self, letter: DeadLetter) -> bool:
        return self.workspace in (None, letter.workspace) and self.queue in (None, letter.queue)


async def bury(engine: Engine, message: Message, reason: str) -> None:
    """Write down that the message is given up, and why; its queue may then be told to forget it."""
    letter = _letter(message, message.queue, reason[:LONGEST_REASON], engine.clock.now())
    await _tell_the_watchdog(engine, letter)
    await engine.dead_letters.bury(letter)


async def gather(engine: Engine) -> int:
    """Bring what the queues moved to their own dead letters to the others; how many there were."""
    count = 0
    for spec in QUEUES:
        while messages := await engine.queue.receive(spec.dead_letters, _BATCH):
            for message in messages:
                letter = _letter(message, spec.name, UNEXPLAINED, engine.clock.now(), spec.max_receives)
                await _tell_the_watchdog(engine, letter)
                await engine.dead_letters.bury_unexplained(letter)
                if spec in (TASKS, TASKS_ISOLATED):
                    await _give_up(engine, _body(message), spec.max_receives)
            await engine.queue.delete(messages)
            count += len(messages)
    return count


async def _tell_the_watchdog(engine: Engine, letter: DeadLetter) -> None:
    """What this message was about has nobody else now who would come for it."""
    if letter.workspace and letter.execution:
        now = engine.clock.now()
        await engine.summaries.check_by(letter.workspace, letter.execution, now + SOON, now)


async def _give_up(engine: Engine, body: _Body, times: int) -> None:
    if body.task is None:
        return
    now = engine.clock.now()
    cause = f"The process that carried out this task died {times} times at it; its message is a dead letter."
    failed = TaskFailed(body.task.scope, body.task.task, INTERRUPTED, cause, now, now)
    with suppress(NotFound):
        await tell(engine, body.workspace, body.execution, failed)


async def listed(
    engine: Engine, wanted: Wanted, limit: int, cursor: str | None = None
) -> tuple[list[DeadLetter], str | None]:
    """Those that died last first."""
    found: list[DeadLetter] = []
    while True:
        page, following = await engine.dead_letters.listed(_PAGE, cursor)
        for identifier, place in page:
            cursor = place
            lying = await engine.dead_letters.get(identifier)
            if lying is not None and wanted.fits(lying.letter):
                found.append(lying.letter)
                if len(found) == limit:
                    return found, cursor
        if following is None:
            return found, None


async def redrive(engine: Engine, wanted: Wanted) -> int:
    """Send them again; how many they were. Raises `NotFound` for an id that is none."""
    count = 0
    async for lying in _meant(engine, wanted):
        letter = lying.letter
        fifo = any(spec.fifo for spec in QUEUES if spec.name == letter.queue)
        group = letter.group or letter.execution or letter.id
        share = letter.workspace or None
        await engine.queue.send([Send(letter.queue, letter.body, group=group if fifo else None, share=share)])
        await engine.dead_letters.exhume(lying)
        count += 1
    return count


async def purge(engine: Engine, wanted: Wanted) -> int:
    """Forget them; how many they were. Raises `NotFound` for an id that is none."""
    count = 0
    async for lying in _meant(engine, wanted):
        await engine.dead_letters.exhume(lying)
        count += 1
    return count


async def _meant(engine: Engine, wanted: Wanted) -> AsyncIterator[Lying]:
    if wanted.ids is not None:
        for identifier in wanted.ids:
            lying = await engine.dead_letters.get(identifier)
            if lying is None or not wanted.fits(lying.letter):
                raise NotFound("dead letter", identifier)
            yield lying
        return
    cursor = None
    while True:
        page, cursor = await engine.dead_letters.listed(_PAGE, cursor)
        for identifier, _ in page:
            lying = await engine.dead_letters.get(identifier)
            if lying is not None and wanted.fits(lying.letter):
                yield lying
        if cursor is None:
            return


def _body(message: Message) -> _Body:
    try:
        return _DECODER.decode(unpacked(message.body))
    except ValueError:  # (those of decoding among them)
        return _Body()


def _letter(message: Message, queue: str, reason: str, now: float, receives: int | None = None) -> DeadLetter:
    body = _body(message)
    about = (
        "" if body.task is None else f"task {body.task.task} of node '{body.task.node}', attempt {body.task.attempt}"
    )
    if body.schedule:
        about = f"schedule {body.schedule}"
    times = message.receives if receives is None else receives
    return DeadLetter(queue, reason, now, times, message.body, body.workspace, body.execution, about, message.group)
