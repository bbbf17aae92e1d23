"""All services: what every host binds. To add a service, add its `functions` here."""

from functions.api.handler import functions as api
from functions.control_plane.handler import functions as control_plane
from functions.edge.handler import functions as edge
from functions.frontend.handler import functions as frontend
from functions.history.handler import functions as history
from functions.matching.handler import functions as matching
from functions.timer.handler import functions as timer
from functions.visibility.handler import functions as visibility
from functions.worker.handler import functions as worker
from linkflow.runtime.functions import Declare, together

SERVICES: tuple[Declare, ...] = (api, frontend, edge, history, matching, worker, timer, visibility, control_plane)

declare: Declare = together(*SERVICES)
