"""A whole definition: its machines, from the root inwards."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from linkflow.language.asl_check.fields import Shape, both, check_shape
from linkflow.language.asl_check.maps import PROCESSOR_CONFIG, is_distributed
from linkflow.language.asl_check.problem import DEEPEST, Place, Problem, Report
from linkflow.language.asl_check.scope import Language, MachineType, Scope, Site, is_object
from linkflow.language.asl_check.states import LONGEST_WAIT, check_state, language_of
from linkflow.language.asl_check.transitions import check_transitions
from linkflow.language.asl_check.values import expected, one_of, text, whole
from linkflow.language.asl_check.variables import RESERVED, assigned_in, variables_of
from linkflow.language.json import Json

LONGEST_STATE_NAME: Final = 80


def _states(site: Site, value: Json) -> None:
    if not is_object(value):
        expected(site, "Object")
    elif not value:
        site.error("The field 'States' must not be empty", "Add at least one state.")


_NESTED: Final = Shape(
    fields={"StartAt": both(text), "States": both(_states), "Comment": both(text)},
    required=("StartAt", "States"),
)

_ROOT: Final = Shape(
    fields={
        **_NESTED.fields,
        "Version": both(one_of("1.0")),
        "TimeoutSeconds": both(whole(1, LONGEST_WAIT, queried=False)),
        "QueryLanguage": both(one_of("JSONPath", "JSONata")),
    },
    required=_NESTED.required,
)

_PROCESSOR: Final = Shape(
    fields={**_NESTED.fields, "ProcessorConfig": both(lambda site, value: check_shape(site, value, PROCESSOR_CONFIG))},
    required=_NESTED.required,
)


class Machines:
    """The walk over a definition: remembers the names that must be unique in all of it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._names: set[str] = set()
        self._labels: set[str] = set()

    def check(self, site: Site, machine: Json, shape: Shape) -> None:
        check_shape(site, machine, shape)
        if not is_object(machine) or site.place.depth >= DEEPEST:
            return
        states = machine.get("States")
        if not is_object(states):
            return
        inside = replace(site, scope=Scope(assigned_in(states), site.scope))
        for name, state in states.items():
            self._check_state(inside.at("States", name), name, state)
        check_transitions(self._report, site.place, machine, states)

    def _check_state(self, site: Site, name: str, state: Json) -> None:
        self._check_name(site, name)
        check_state(site, state)
        if not is_object(state):
            return
        self._check_label(site, state)
        _check_references(site, state)
        if state.get("Type") == "Parallel" and "Branches" in state:
            self._check_branches(site.at("Branches"), state["Branches"])
        elif state.get("Type") == "Map":
            for field in ("ItemProcessor", "Iterator"):
                if field in state:
                    self._check_processor(site.at(field), state[field], state)

    def _check_name(self, site: Site, name: str) -> None:
        if name in self._names:
            site.error(
                f"Duplicate State name: {name}",
                "State names are unique in the whole definition, branches and processors included; rename one.",
                code="DUPLICATE_STATE_NAME",
            )
        self._names.add(name)
        if not 0 < len(name) <= LONGEST_STATE_NAME:
            site.error(
                f"State name must have between 1 and {LONGEST_STATE_NAME} characters",
                "Rename the state.",
                code="INVALID_STATE_NAME",
            )

    def _check_label(self, site: Site, state: Mapping[str, Json]) -> None:
        label = state.get("Label")
        if isinstance(label, str):
            if label in self._labels:
                site.at("Label").error(
                    f"Duplicate Label: {label}", "Each Map's label is its own.", code="DUPLICATE_LABEL_NAME"
                )
            self._labels.add(label)

    def _check_branches(self, site: Site, branches: Json) -> None:
        if not isinstance(branches, list):
            expected(site, "Array")
            return
        if not branches:
            site.error("The field 'Branches' must not be empty", "Give the Parallel state at least one branch.")
        for index, branch in enumerate(branches):
            self.check(site.at(index), branch, _NESTED)

    def _check_processor(self, site: Site, processor: Json, state: Mapping[str, Json]) -> None:
        inside = site
        if is_object(processor):
            if is_distributed(processor):
                inside = replace(inside, scope=None, machine_type=_child_type(site, processor))
            else:
                _check_inline(replace(site, place=site.place.parent or site.place), state)
        self.check(inside, processor, _PROCESSOR)


def _child_type(site: Site, processor: Mapping[str, Json]) -> MachineType:
    config = processor["ProcessorConfig"]
    if site.machine_type == "EXPRESS":
        site.at("ProcessorConfig", "Mode").error(
            "Express state machine does not support Distributed Map", "Use mode INLINE, or a STANDARD state machine."
        )
    if "ExecutionType" not in config:
        site.at("ProcessorConfig").error(
            "These fields are required: [ExecutionType]", "Add 'ExecutionType': 'STANDARD' or 'EXPRESS'."
        )
    return "EXPRESS" if config.get("ExecutionType") == "EXPRESS" else "STANDARD"


def _check_inline(site: Site, state: Mapping[str, Json]) -> None:
    """What needs child executions makes no sense without them."""
    for name in ("ItemReader", "ItemBatcher", "ResultWriter"):
        if name in state:
            site.at(name).error(
                f"Field '{name}' is only supported in DISTRIBUTED mode",
                "Set ItemProcessor.ProcessorConfig.Mode to DISTRIBUTED.",
            )


def _check_references(site: Site, state: Mapping[str, Json]) -> None:
    language = language_of(state, site.machine_language)
    for name, place in variables_of(state, language).items():
        if site.scope is None or name not in site.scope:
            advice = f"Assign '{name}' in a state that runs before, or correct its spelling."
            site.at(*place.keys()).warn(
                f"Variable '{name}' is not assigned in this scope",
                "$states exists in JSONata only: start from '$' or '$$'." if name == RESERVED else advice,
                code="UNDEFINED_VARIABLE",
            )


def check_asl(document: Json, *, machine_type: MachineType = "STANDARD") -> list[Problem]:
    """Everything that is wrong with a definition, in the order of the document, transitions last. Never raises; takes
    time in proportion to the definition's size."""
    report = Report()
    language: Language = language_of(document, "JSONPath") if is_object(document) else "JSONPath"
    site = Site(report, Place(), language, language, machine_type)
    Machines(report).check(site, document, _ROOT)
    return report.problems


def variable_references(document: Json) -> dict[str, list[str]]:
    """The variables that each state reads, sorted, as DescribeStateMachine reports them; states that read none are left
    out. Expects a definition without errors."""
    found: dict[str, list[str]] = {}
    language: Language = language_of(document, "JSONPath") if is_object(document) else "JSONPath"
    waiting = [document]
    while waiting:
        machine = waiting.pop()
        states = machine.get("States") if is_object(machine) else None
        for name, state in states.items() if is_object(states) else ():
            if is_object(state):
                names = sorted(variables_of(state, language_of(state, language)))
                found.update({name: names} if names else {})
                waiting.extend(nested(state))
    return found


def nested(state: Mapping[str, Json]) -> list[Json]:
    """The machines inside a state."""
    branches = state.get("Branches")
    processors = [state[name] for name in ("ItemProcessor", "Iterator") if name in state]
    return processors + (branches if isinstance(branches, list) else [])
