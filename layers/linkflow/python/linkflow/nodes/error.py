from typing import ClassVar

from linkflow.nodes.base import TriggerNode


class ErrorTrigger(TriggerNode):
    """Starts the workflow when an execution of another one fails or times out whose settings name it as
    `error_workflow`. Output: `{"execution", "workflow", "error": {"code", "message"}, "node"}`. It starts once for
    each, and never for what an error workflow itself fails with."""

    type: ClassVar[str] = "error"
