"""One state by itself, with a given input, variables, context and answer: what becomes of the data at every stage.

This is Step Functions' TestState. The data passes through the same flows, rules and retriers as in an execution; what
is told of it differs by kind of state and query language (recorded). A Task is answered with a mock or with what
`task_of` was answered with; Parallel and Map are never run, only their answer is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from linkflow.execution import item_reader
from linkflow.execution.failures import ITEM_READER_FAILED, TOLERANCE_EXCEEDED, matches
from linkflow.execution.map_runs import batched
from linkflow.execution.state import Failure
from linkflow.execution.surroundings import moment_text
from linkflow.language import program as p
from linkflow.language.asl.path_flow import ABSENT, PathFlow
from linkflow.language.flow import Expression, Shaped
from linkflow.language.items import Reader
from linkflow.language.json import Json
from linkflow.language.view import MISSING, EvaluationFailed, View

Status = Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]

NAME = "StateName"
"""What the state is called in the context object, whatever its name."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the state is tested with. `failure` and `result` are the mock's; `retries` says how often the retrier that
    matches has retried already, `failed_iterations` how many of a Map's iterations failed. `items` stand for what an
    item reader brings: the items themselves, or the text that they are read from."""

    input: Json
    variables: Mapping[str, Json] = field(default_factory=dict)
    context: Mapping[str, Json] | None = None
    result: Json = MISSING
    failure: Failure | None = None
    retries: int = 0
    failed_iterations: int = 0
    items: list[Json] | str | None = None
    execution: str = ""
    workflow: str = ""
    role: str | None = None
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Inspection:
    """`data` holds the stages under the names of the API's `InspectionData`."""

    status: Status
    data: Mapping[str, Json]
    output: Json = MISSING
    next: str | None = None
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of a state that is no part of an execution."""

    given: Given
    counts_retries: bool
    now: float
    item: tuple[int, Json] | None = None

    def own(self) -> Mapping[str, Json]:
        return self.variables()

    def variables(self) -> Mapping[str, Json]:
        return self.given.variables

    def context(self) -> Mapping[str, Json]:
        given = self.given
        if given.context is not None:
            return given.context
        state: dict[str, Json] = {"EnteredTime": moment_text(self.now), "Name": NAME}
        if self.counts_retries:
            state["RetryCount"] = given.retries
        item = self.item
        looked_at = {} if item is None else {"Map": {"Item": {"Index": item[0], "Value": item[1]}}}
        return looked_at | {
            "Execution": {
                "Id": given.execution,
                "Input": given.input,
                "Name": given.execution.rsplit(":", 1)[-1],
                "RoleArn": given.role,
                "StartTime": moment_text(self.now),
            },
            "StateMachine": {"Id": given.workflow, "Name": given.workflow.rsplit(":", 1)[-1]},
            "State": state,
        }

    def roots(self) -> Mapping[str, Json]:
        return {}

    def link(self, kind: Literal["resume", "approval"], person: str = "") -> str:  # noqa: ARG002 (nobody waits)
        return ""

    def seed(self) -> int:
        return Random(self.given.execution).getrandbits(63)


def find(program: p.Program, name: str) -> p.State | None:
    """The state of this name, in whichever machine of the program."""
    found = (machine.states[name] for machine in program.machines.values() if name in machine.states)
    return next(found, None)


def task_of(box: p.State, given: Given) -> Json:
    """The arguments with which a Task would be called; `MISSING` for any other state, or if they cannot be made."""
    if not isinstance(box, p.Task | p.Receive):
        return MISSING
    view = _view(box, given)
    try:
        return box.flow.arguments(box.flow.enter(view))
    except EvaluationFailed:
        return MISSING


def inspect(box: p.State, given: Given) -> Inspection:
    """Runs the state. Never raises: what fails is told of."""
    test = _Test(box, given, _view(box, given))
    try:
        return test.run()
    except EvaluationFailed as failed:
        return test.failed(Failure(failed.error, failed.cause))


def _view(box: p.State, given: Given) -> View:
    return View(given.input, Around(given, isinstance(box, p.Task | p.Receive | p.Map | p.Parallel), given.now))


class _Test:
    def __init__(self, box: p.State, given: Given, view: View) -> None:
        self.box = box
        self.given = given
        self.view = view
        self.data: dict[str, Json] = {"input": given.input}
        self.assigned: Mapping[str, Json] = {}

    def run(self) -> Inspection:
        box = self.box
        entered = self._entered()
        match box:
            case p.Fail():
                return self._ended(box, entered)
            case p.Choice():
                return self._chosen(box, entered)
            case p.Task() | p.Receive():
                self._stage("afterParameters" if self._paths else "afterArguments", box.flow.arguments(entered))
            case p.Map():
                self._limits(box, entered)
            case p.Wait():
                box.moment.until(entered)
            case _:
                pass
        if self.given.failure is not None:
            return self.failed(self.given.failure)
        return self._left(entered)

    @property
    def _paths(self) -> bool:
        return isinstance(self.box.flow, PathFlow)

    def _stage(self, name: str, value: Json) -> None:
        self.data[name] = value

    def _entered(self) -> View:
        flow = self.box.flow
        entered = flow.enter(self.view)
        if isinstance(flow, PathFlow) and not isinstance(self.box, p.Parallel) and flow.fixed is ABSENT:
            self._stage("afterInputPath", entered.input)
        return entered

    def _left(self, entered: View) -> Inspection:
        box, flow, result = self.box, self.box.flow, self.given.result
        own = result is not MISSING and isinstance(box, p.Task | p.Receive | p.Parallel | p.Map)
        if not own:
            result = flow.arguments(entered) if isinstance(box, p.Pass) else entered.input
        if isinstance(box, p.Task | p.Receive) or (isinstance(flow, PathFlow) and flow.fixed is not ABSENT):
            self._stage("result", result)
        elif isinstance(flow, PathFlow) and isinstance(box, p.Pass):
            self._stage("afterParameters", result)
        view = self.view.after(result)
        if isinstance(flow, PathFlow) and not isinstance(box, p.Wait | p.Succeed):
            selected = flow.selected(view, result)
            self._stage("afterResultSelector", selected)
            self._stage("afterResultPath", flow.placed(view, selected))
        return self._succeeded(flow.leave(view, result), box.next)

    def _succeeded(self, shaped: Shaped, following: str | None) -> Inspection:
        self.assigned = shaped.assigned or {}
        return Inspection("SUCCEEDED", self._told(), shaped.output, following)

    def _told(self) -> Mapping[str, Json]:
        variables = {**self.given.variables, **self.assigned}
        return {**self.data, "variables": variables} if variables else self.data

    def _chosen(self, box: p.Choice, entered: View) -> Inspection:
        for rule in box.rules:
            if rule.condition.holds(entered):
                return self._succeeded(rule.flow.leave(self.view.after(entered.input), entered.input), rule.next)
        if box.default is None:
            cause = "Failed to transition out of the state. The state does not point to a next state."
            raise EvaluationFailed("States.Runtime", cause)
        return self._succeeded(box.flow.leave(self.view.after(entered.input), entered.input), box.default)

    def _ended(self, box: p.Fail, entered: View) -> Inspection:
        error = box.error.evaluate(entered) if box.error else None
        cause = box.cause.evaluate(entered) if box.cause else None
        return Inspection("FAILED", self._told(), error=error, cause=cause)

    def _limits(self, box: p.Map, entered: View) -> None:
        """The items and limits of a Map; too many failed iterations fail it."""
        items = self._read(box.reader, entered) if box.reader else box.items.evaluate(entered)
        if self._paths and not box.reader:
            self._stage("afterItemsPath", items)
        self._iterations(box, items)
        limits: dict[str, Expression | None] = {
            "maxConcurrency": box.max_concurrency,
            "toleratedFailureCount": box.tolerated_count,
            "toleratedFailurePercentage": box.tolerated_percentage,
        }
        for name, limit in limits.items():
            if limit is not None:
                self._stage(name, limit.evaluate(entered))
        self.data.setdefault("maxConcurrency", 0)
        failures = self.given.failed_iterations
        if self.given.failure is None and self._exceeds(failures, len(items)):
            raise EvaluationFailed(TOLERANCE_EXCEEDED, "The specified tolerated failure threshold was exceeded")

    def _read(self, reader: Reader, entered: View) -> list[Json]:
        items = self.given.items or []
        if isinstance(items, str):
            form = item_reader.form(reader, entered)
            try:
                items = item_reader.items("", form, {"Body": items})
            except item_reader.Unreadable as unreadable:
                raise EvaluationFailed(ITEM_READER_FAILED, str(unreadable)) from unreadable
            if form.pointer:
                self._stage("afterItemsPointer", items)
        most = reader.max_items.evaluate(entered) if reader.max_items else None
        return items[:most] if most else items

    def _iterations(self, box: p.Map, items: list[Json]) -> None:
        """What the iterations would receive, where the Map says so."""
        if box.selector is not None:
            items = [box.selector.evaluate(self._at(box, item)) for item in enumerate(items)]
            self._stage("afterItemSelector", items)
        if box.batcher is not None:
            self._stage("afterItemBatcher", batched(box.batcher, box.flow.enter(self.view), items))

    def _at(self, box: p.Map, item: tuple[int, Json]) -> View:
        around = Around(self.given, counts_retries=True, now=self.given.now, item=item)
        return box.flow.enter(View(self.given.input, around))

    def _exceeds(self, failures: int, items: int) -> bool:
        count, percentage = self.data.get("toleratedFailureCount"), self.data.get("toleratedFailurePercentage")
        over_count = count is not None and failures > count
        return over_count or (percentage is not None and failures * 100 > percentage * items)

    def failed(self, failure: Failure) -> Inspection:
        """Retried, caught, or the end, as the state's rules have it."""
        failed = Inspection("FAILED", self._told(), error=failure.error, cause=failure.cause)
        details: dict[str, Json] = {}
        for position, retrier in enumerate(self.box.retry):
            if matches(retrier.errors, failure):
                details["retryIndex"] = position
                pause = retrier.pause(self.given.retries + 1, 1.0)
                if pause is not None:
                    details["retryBackoffIntervalSeconds"] = round(pause)
                    return replace(failed, status="RETRIABLE", data={**self._told(), "errorDetails": details})
                break
        for position, catcher in enumerate(self.box.catch):
            if matches(catcher.errors, failure):
                shaped = catcher.flow.caught(self.view, {"Error": failure.error, "Cause": failure.cause})
                self.assigned = shaped.assigned or {}
                data = {**self._told(), "errorDetails": {**details, "catchIndex": position}}
                return replace(failed, status="CAUGHT_ERROR", data=data, output=shaped.output, next=catcher.next)
        return replace(failed, data={**self._told(), "errorDetails": details}) if details else failed
