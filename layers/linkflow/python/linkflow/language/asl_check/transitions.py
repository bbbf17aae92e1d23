"""Where states lead: every target exists, every state can be reached, and the machine can end."""

from collections.abc import Iterator, Mapping

from linkflow.language.asl_check.problem import Place, Report
from linkflow.language.asl_check.scope import is_object
from linkflow.language.json import Json


def check_transitions(report: Report, place: Place, machine: Mapping[str, Json], states: Mapping[str, Json]) -> None:
    """AWS's order: missing targets first; then either that nothing ends, or what cannot be reached."""
    start = machine.get("StartAt")
    for target_place, target in _targets(place, machine, states):
        if target not in states:
            report.error(
                target_place,
                f"Missing 'Next' target: {target}",
                f"There is no state '{target}' in the same States object; add it, or name one that is there.",
                code="MISSING_TRANSITION_TARGET",
            )
    if states and not any(_may_end(state) for state in states.values()):
        report.error(
            place,
            "Workflow has no terminal state",
            "Give one state 'End': true, or add a Succeed or Fail state.",
            code="MISSING_END_STATE",
            anywhere=True,
        )
    elif isinstance(start, str) and start in states:
        _check_reachable(report, place, start, states)


def _check_reachable(report: Report, place: Place, start: str, states: Mapping[str, Json]) -> None:
    reached = {start}
    waiting = [start]
    while waiting:
        for _place, target in targets_of(Place(), states[waiting.pop()]):
            if target in states and target not in reached:
                reached.add(target)
                waiting.append(target)
    for name in states:
        if name not in reached:
            report.error(
                place.at("States", name),
                f'State "{name}" is not reachable.',
                "Lead a transition to it, or remove it.",
                code="MISSING_TRANSITION_TARGET",
            )


def _targets(place: Place, machine: Mapping[str, Json], states: Mapping[str, Json]) -> Iterator[tuple[Place, str]]:
    if isinstance(machine.get("StartAt"), str):
        yield place.at("StartAt"), machine["StartAt"]
    for name, state in states.items():
        yield from targets_of(place.at("States", name), state)


def targets_of(place: Place, state: Json) -> Iterator[tuple[Place, str]]:
    """Each name that a state may lead to, with the place where it is written."""
    if not is_object(state):
        return
    for name in ("Next", "Default"):
        if isinstance(state.get(name), str):
            yield place.at(name), state[name]
    for name in ("Choices", "Catch"):
        entries = state.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if is_object(entry) and isinstance(entry.get("Next"), str):
                yield place.at(name, index, "Next"), entry["Next"]


def _may_end(state: Json) -> bool:
    """Whether a machine can end here; a state that says nothing of what follows is told so elsewhere."""
    if not is_object(state):
        return True
    if state.get("Type") == "Choice":
        return False
    return "Next" not in state or bool(state.get("End"))
