"""The contents page: every service, and how its functions are bound to AWS. Lambda imports this module; requests come
in at `app`, queues and schedules at the attribute with the function's name.

Importing it connects nothing. To add a service, add its `functions` here.
"""

from linkflow.runtime.functions import Declare, together
from linkflow.runtime.hosts.aws import bind
from linkflow.runtime.settings import from_environment
from linkflow.runtime.wiring import connect

SERVICES: tuple[Declare, ...] = ()

_bound = bind(together(*SERVICES), from_environment(), connect)
app = _bound.app
globals().update(_bound.handlers)
