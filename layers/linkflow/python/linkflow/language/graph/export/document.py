"""The whole document: its time limit, its memory, its levels."""

from math import ceil
from typing import Final

import msgspec

from linkflow.errors import Fault
from linkflow.language.graph.definition import GraphDefinition
from linkflow.language.graph.export.desk import Desk, Memory
from linkflow.language.graph.export.expressions import literal
from linkflow.language.graph.export.facts import ExportCatalogue, Exported, Facts
from linkflow.language.graph.export.machine import machine
from linkflow.language.graph.export.port import LONGEST
from linkflow.language.json import Json

LARGEST: Final = 1_048_576
"""Bytes of a definition (developer guide, "Quotas")."""


def export_asl(definition: GraphDefinition, catalogue: ExportCatalogue, facts: Facts) -> Exported:
    """The graph as a document in JSONata that passes `check_asl`; `definition` has passed `check_graph`."""
    desk = Desk(facts, catalogue, machine)
    desk.variables.taken.update(("nodes", "exits", "trigger"))
    walk = machine(desk, _memory(facts), definition)
    document = {"QueryLanguage": "JSONata", **_timeout(desk, definition.settings.timeout), **walk}
    size = len(msgspec.json.encode(document))
    if size > LARGEST:
        message = f"The document is {size:,} bytes; Step Functions takes {LARGEST:,}."
        desk.warnings.append(Fault("$", "too_large", message))
    return Exported(document, tuple(desk.warnings))


def _timeout(desk: Desk, seconds: float | None) -> dict[str, Json]:
    if seconds is None:
        return {}
    whole = min(LONGEST, ceil(seconds))
    if whole != seconds:
        message = f"{seconds:g} s become {whole} s: whole seconds, at most {LONGEST:,}."
        desk.warnings.append(Fault("$.settings.timeout", "rounded_time", message))
    return {"TimeoutSeconds": whole}


def _memory(facts: Facts) -> Memory:
    execution, workflow = "$states.context.Execution", "$states.context.StateMachine"
    started = f'"trigger": {literal(facts.trigger)}, "started_at": {execution}.StartTime'
    roots = {
        "trigger": "$trigger",
        "nodes": "$nodes",
        "vars": "{}",
        "execution": f'{{"id": {execution}.Id, {started}}}',
        "workflow": f'{{"id": {workflow}.Id, "name": {workflow}.Name, "version": {facts.version}}}',
        "workspace": f'{{"id": {literal(facts.workspace)}}}',
    }
    return Memory("nodes", "exits", "$trigger", {"trigger": "$states.input"}, roots)
