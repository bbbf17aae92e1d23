"""Laws of holds: what is held begins nothing."""

from collections.abc import Iterator, Mapping
from typing import Final

from linkflow.engine.switchboard import FRESH
from linkflow.stores.records import Workflow
from tests.simulation.laws.reading import Read, wrong_clocks
from tests.simulation.plan import Reach
from tests.simulation.played import Played

UNDER_WAY: Final = 130.0
"""Seconds in which what had begun before a process knew of the hold has reached the outside, however slowly."""


def held_goes_on(played: Played, books: Mapping[str, Read]) -> Iterator[str]:
    """What waits for others, or is waited for, is held with them where the whole workspace is, or everything. (One that
    is cancelled cleans up all the same.)"""
    for reply in played.replies:
        visitor = reply.visitor
        if visitor.deed != "hold":
            continue
        workflow = played.workflows[played.cast.entrances[visitor.entrance].part]
        known, until = reply.at + FRESH + wrong_clocks(played), reply.at + visitor.seconds
        for effect in played.outside.effects:
            whose = books.get(effect.key.partition("-")[0])
            if whose is None or whose.state.cancel is not None:
                continue
            still = known if whose.state.started_at > known else known + UNDER_WAY
            if not still < effect.at < until:
                continue
            if _reaches(visitor.reach, workflow, whose):
                yield f"21. {effect.path} is asked by a held execution, {until - effect.at:.1f} s before it is let go"


def _reaches(reach: Reach, workflow: Workflow, book: Read) -> bool:
    match reach:
        case "workflow":
            return book.summary.workflow == workflow.id
        case "workspace":
            return book.summary.workspace == workflow.workspace
        case "engine":
            return True
