from typing import ClassVar

from linkflow.nodes.base import TriggerNode


class Manual(TriggerNode):
    """Starts the workflow by hand or through the API. Its output is the input the execution was started with."""

    type: ClassVar[str] = "manual"
