"""What an entry into a state is called: by the way that leads to it, and by nothing that happened elsewhere.

    the root's 1st state ─▶ its 1st attempt ─▶ node `charge` ─▶ that scope's 1st state

Numbers of scopes, tasks and events depend on what came first of things that have nothing to do with one another: a
signal in one branch shifts those of all others. A visit that dies, or finds that somebody else wrote, decides again
what was not written down yet, perhaps in another order; by this name it asks the outside with the same idempotency key.
"""

from hashlib import blake2b

import msgspec

from linkflow.execution.state import Scope, State

_encoder = msgspec.json.Encoder()


def entry_of(state: State, scope: Scope) -> str:
    """The name of the entry into the state in which `scope` stands, within its execution. A composite that is tried
    again begins its children anew, so its attempts are part of their names, and a task's own are not of its."""
    way: list[str | int] = [scope.state, scope.steps]
    while scope.parent is not None:
        around = state.scopes[scope.parent]
        way += (scope.key, around.attempt, around.state, around.steps)
        scope = around
    return blake2b(_encoder.encode(way), digest_size=10).hexdigest()
