from collections.abc import Mapping, Sequence
from typing import ClassVar

from linkflow.errors import Fault
from linkflow.language.json import Json
from linkflow.language.recurrence.form import RecurrenceForm, recurrence_faults
from linkflow.nodes.base import TriggerNode


class Schedule(TriggerNode, RecurrenceForm):
    """Starts the workflow when its time has come: by cron expression, at intervals, or on given dates. Output:
    `{"schedule", "name", "due_at", "due_at_local", "fired_at", "input"}`."""

    type: ClassVar[str] = "schedule"
    fixed: ClassVar[frozenset[str]] = frozenset(RecurrenceForm.model_fields)

    @classmethod
    def faults(cls, config: Mapping[str, Json]) -> Sequence[Fault]:
        return super().faults(config) or recurrence_faults(cls.model_validate(config))
