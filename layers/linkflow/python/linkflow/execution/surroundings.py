"""What the expressions of one state can see of the execution: variables, context object, a graph's roots, the seed.

Made for each evaluation and asked lazily: most expressions look only at their input.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from linkflow.execution.entries import entry_of
from linkflow.execution.state import Iterations, Nodes, Scope, State
from linkflow.execution.tokens import LinkKind, stand_in, task_token
from linkflow.language.json import Json


def moment_text(moment: float) -> str:
    """RFC 3339 in UTC with milliseconds, as Step Functions writes times: `2026-01-31T09:30:00.000Z`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ScopeSurroundings(msgspec.Struct, eq=False):
    """The `Surroundings` of the state that `scope` stands in. `item`: the Map's item that is being looked at; `token`:
    the number of the task whose token may be read; `retries`: whether the state is of a kind that counts them;
    `address`: what the task's links begin with, which are good until the moment `expires`."""

    state: State
    scope: Scope
    now: float
    item: tuple[int, Json] | None = None
    token: int | None = None
    retries: bool = True
    address: str = ""
    expires: float = 0.0

    def variables(self) -> Mapping[str, Json]:
        """The variables of this scope and, where it has none of that name, of those around it, up to where another
        execution would begin: an iteration of a distributed Map sees none of outside."""
        scope = self.scope
        if scope.parent is None:
            return scope.variables
        chain = [scope]
        while chain[-1].parent is not None and chain[-1].history != chain[-1].id:
            chain.append(self.state.scopes[chain[-1].parent])
        return {name: value for one in reversed(chain) for name, value in one.variables.items()}

    def own(self) -> Mapping[str, Json]:
        return self.scope.variables

    def context(self) -> Mapping[str, Json]:
        """The context object (Step Functions developer guide, "Accessing execution data from the Context object")."""
        state, scope, names = self.state, self.scope, self.state.names
        child = state.scopes[scope.history] if scope.history else None
        context: dict[str, Json] = {
            "Execution": {
                "Id": names.execution_id if child is None else f"{names.execution_id}/{child.id}",
                "Input": state.input if child is None else child.given,
                "Name": names.execution if child is None else f"{names.execution}/{child.id}",
                "RoleArn": names.role,
                "StartTime": moment_text(state.started_at),
            },
            "StateMachine": {"Id": names.workflow_id, "Name": names.workflow},
            "State": {
                "EnteredTime": moment_text(scope.entered_at),
                "Name": scope.state,
            },
        }
        if self.retries:
            context["State"]["RetryCount"] = sum(scope.retries.values())
        if names.redrive_count is not None:
            context["Execution"]["RedriveCount"] = names.redrive_count
        if item := self._item():
            context["Map"] = {"Item": {"Index": item[0], "Value": item[1]}}
        if self.token is not None:
            context["Task"] = {"Token": task_token(state, scope.id, self.token)}
        return context

    def roots(self) -> Mapping[str, Json]:
        """The roots of a graph's expressions (LANGUAGE §2)."""
        state = self.state
        nodes: dict[str, Json] = {}
        for scope in reversed(list(self._around())):
            if isinstance(scope.composite, Nodes):
                nodes.update(scope.composite.results)
        roots: dict[str, Json] = {
            "trigger": state.input,
            "nodes": nodes,
            "vars": self.variables(),
            "execution": {
                "id": state.names.execution_id,
                "trigger": state.trigger,
                "started_at": moment_text(state.started_at),
            },
            "workflow": {"id": state.names.workflow_id, "name": state.names.workflow, "version": state.version},
            "workspace": {"id": state.workspace},
        }
        if item := self._item():
            roots["index"], roots["item"] = item
        if self.token is not None and self.address:
            token = stand_in(state, "token", self.scope.id, self.token)
            roots["callback"] = {"url": self.link("resume"), "token": token}
        return roots

    def link(self, kind: LinkKind, person: str = "") -> str:
        if self.token is None:
            return ""
        part = "resume" if kind == "resume" else "approvals"
        last = stand_in(self.state, kind, self.scope.id, self.token, self.expires, person)
        return f"{self.address}/{part}/{last}"

    def seed(self) -> int:
        scope = self.scope
        text = f"{self.state.names.execution_id}/{entry_of(self.state, scope)}/{scope.attempt}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

    def _around(self) -> "list[Scope]":
        """The scopes around this one, nearest first."""
        around = []
        parent = self.scope.parent
        while parent is not None:
            scope = self.state.scopes[parent]
            around.append(scope)
            parent = scope.parent
        return around

    def _item(self) -> tuple[int, Json] | None:
        """Index and value of the nearest Map iteration, if any."""
        if self.item is not None:
            return self.item
        child = self.scope
        for scope in self._around():
            if child.history == child.id and child.history:
                return None
            if isinstance(scope.composite, Iterations):
                index = int(child.key)
                return index, scope.composite.items[index]
            child = scope
        return None
