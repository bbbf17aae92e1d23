"""A failing seed as a story: made as small as it can be while it still fails, then told in order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from tests.simulation.plan import Plan, plan_of
from tests.simulation.played import BEGINS, Played
from tests.simulation.seeds import Rehearsed, rehearsed, told
from tests.simulation.weather import Line

TRIES: Final = 400
"""Plans that are tried to make one smaller."""
_DULL: Final = ("queue.receive", "table.query", "table.get", "queue.depth")


def tale(seed: int) -> str:
    """What the seed tells: minimal where it fails, whole where it does not."""
    rehearsal = rehearsed(seed)
    plan = plan_of(seed, rehearsal.cast)
    laws = told(plan, rehearsal)[1].laws
    least = smaller(plan, rehearsal, _law(laws)) if laws else plan
    played, judgement = told(least, rehearsal, telling=True)
    return "\n".join(_lines(played, judgement.laws))


def smaller(plan: Plan, rehearsal: Rehearsed, law: str) -> Plan:
    """A plan as small as can be found that breaks the same law."""
    tries, shrunk = 0, True
    while shrunk and tries < TRIES:
        shrunk = False
        for less in (*plan.halves(), *plan.parts()):
            tries += 1
            if tries > TRIES:
                break
            if _law(told(less, rehearsal)[1].laws) == law:
                plan, shrunk = less, True
                break
    return plan


def _law(laws: Sequence[str]) -> str:
    return laws[0].partition(".")[0] if laws else ""


def _lines(played: Played, laws: Sequence[str]) -> Iterator[str]:
    plan = played.plan
    yield f"Seed {plan.seed}: " + ("all is well." if not laws else "these laws are broken:")
    yield from (f"  {law}" for law in laws)
    yield f"Hosts: {len(plan.skews)}, visits of {plan.visit or 'any number of'} s, queues " + (
        "apart from the table." if plan.apart else "in one atom with the table."
    )
    yield from (f"  {one}" for one in (*plan.visitors, *plan.happenings, *plan.faults))
    for part in played.cast.parts:
        if any(played.cast.parts[played.cast.entrances[one.entrance].part] is part for one in plan.visitors):
            yield f"Workflow {part.name} in {part.workspace}: {msgspec.json.encode(part.definition).decode()}"
    yield "What happened:"
    for line in played.weather.lines:
        if line.fault or line.what not in _DULL or "×" in line.outcome:
            yield str(_since(line)) + _written(line)


def _since(line: Line) -> Line:
    return replace(line, at=line.at - BEGINS)


def _written(line: Line) -> str:
    """The events of a turn that was put."""
    if line.content is None or "TURN#" not in line.subject or line.content[:1] in (b"z", b"@"):
        return ""
    events = msgspec.json.decode(line.content)["events"]
    return "  " + ", ".join(_short(event) for event in events)


def _short(event: dict[str, object]) -> str:
    shown = [str(event[name]) for name in ("scope", "task", "attempt", "tasks", "state", "error") if name in event]
    return f"{event['e']}({' '.join(shown)})"
