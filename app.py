"""The contents page: how every service's functions are bound to AWS. Lambda imports this module; requests come in at
`app`, queues and schedules at the attribute with the function's name. Importing it connects nothing.
"""

from functions.services import declare
from linkflow.runtime.hosts.aws import bind
from linkflow.runtime.settings import from_environment
from linkflow.runtime.wiring import connect

_bound = bind(declare, from_environment(), connect)
app = _bound.app
globals().update(_bound.handlers)
