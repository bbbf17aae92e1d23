from typing import ClassVar

from linkflow.nodes.base import TaskContext, TaskNode, TaskResult


class NoOp(TaskNode):
    """Does nothing, durably: a recorded task without an effect. A placeholder while a workflow takes shape, and the
    measure of what a durable step costs."""

    type: ClassVar[str] = "no_op"

    async def run(self, context: TaskContext) -> TaskResult:  # noqa: ARG002 (it does nothing)
        return TaskResult(None)
