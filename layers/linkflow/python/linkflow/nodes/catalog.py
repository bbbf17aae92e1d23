"""The node types that LinkFlow knows, by name."""

from collections.abc import Mapping

from linkflow.nodes.approval import Approval
from linkflow.nodes.base import BaseNode
from linkflow.nodes.condition import Condition
from linkflow.nodes.continue_as_new import ContinueAsNew
from linkflow.nodes.delay import Delay
from linkflow.nodes.error import ErrorTrigger
from linkflow.nodes.event import EventTrigger
from linkflow.nodes.http_request import HttpRequest
from linkflow.nodes.loop import Loop
from linkflow.nodes.manual import Manual
from linkflow.nodes.merge import Merge
from linkflow.nodes.no_op import NoOp
from linkflow.nodes.remote_task import RemoteTask
from linkflow.nodes.repeat import Repeat
from linkflow.nodes.respond import Respond
from linkflow.nodes.schedule import Schedule
from linkflow.nodes.set import Set
from linkflow.nodes.sub_workflow import SubWorkflow
from linkflow.nodes.try_ import Try
from linkflow.nodes.wait_for_callback import WaitForCallback
from linkflow.nodes.wait_for_event import WaitForEvent
from linkflow.nodes.wait_for_signal import WaitForSignal
from linkflow.nodes.webhook import Webhook

NODES: Mapping[str, type[BaseNode]] = {
    node.type: node
    for node in (
        Manual,
        Webhook,
        ErrorTrigger,
        EventTrigger,
        Schedule,
        HttpRequest,
        Condition,
        Set,
        Delay,
        Merge,
        Loop,
        Repeat,
        Try,
        SubWorkflow,
        ContinueAsNew,
        WaitForSignal,
        RemoteTask,
        WaitForEvent,
        WaitForCallback,
        Approval,
        Respond,
        NoOp,
    )
}
