"""A States Language document becomes a program. It has passed `asl_check`; every expression is parsed here, once.

Query languages: the machine's `QueryLanguage` holds for all its states, also those of branches and processors, unless
a state says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import msgspec

from linkflow.language import program as p
from linkflow.language.asl import maps
from linkflow.language.asl.choices import compile_condition
from linkflow.language.asl.moments import compile_moment
from linkflow.language.asl.path_flow import PathCatch, PathFlow
from linkflow.language.asl.paths import Constant, Payload, TextPath
from linkflow.language.asl.queries import Query, Template, is_query
from linkflow.language.asl.query_flow import QueryCatch, QueryFlow
from linkflow.language.asl.waits import BY_TOKEN, CALLED_BACK, RECEIVE, bare, plain
from linkflow.language.flow import Expression, Flow
from linkflow.language.handlers import Catcher, Retrier
from linkflow.language.json import Json

Document = Mapping[str, Json]
Manners = Mapping[str, p.Manner]
"""How tasks of node types run, by resource."""
NO_MANNERS: Final[Manners] = MappingProxyType({})

JSONATA: Final = "JSONata"
_WORKING: Final = frozenset({"Task", "Parallel", "Map"})
"""States with a result of their own."""


def compile_asl(document: Document, manners: Manners = NO_MANNERS) -> p.Program:
    """`document` has passed the check."""
    compiler = _Compiler(document.get("QueryLanguage", "JSONPath"), manners)
    root = compiler.machine("", document)
    content = sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
    return p.Program(content, "asl", root, compiler.machines, document.get("TimeoutSeconds"))


def compile_state(name: str, state: Document, language: str = "JSONPath") -> p.Program:
    """A program of one state, which ends the machine wherever it leads (TestState)."""
    compiler = _Compiler(language)
    root = compiler.machine("", {"StartAt": name, "States": {name: state}})
    return p.Program("", "asl", root, compiler.machines)


@dataclass(slots=True)
class _Compiler:
    language: str
    manners: Manners = field(default_factory=dict)
    machines: dict[str, p.Machine] = field(default_factory=dict)

    def machine(self, address: str, document: Document) -> p.Machine:
        states = {name: self.state(address, name, state) for name, state in document["States"].items()}
        compiled = p.Machine(address, document["StartAt"], states)
        self.machines[address] = compiled
        return compiled

    def state(self, address: str, name: str, state: Document) -> p.State:
        jsonata = state.get("QueryLanguage", self.language) == JSONATA
        kind = state["Type"]
        flow: Flow = QueryFlow(state, works=kind in _WORKING) if jsonata else PathFlow(state)
        common = _Common(name, flow, state.get("Next"), _retry(state), _catch(state, jsonata=jsonata))
        match kind:
            case "Pass":
                return p.Pass(name=name, flow=flow, next=common.next)
            case "Succeed":
                return p.Succeed(name=name, flow=flow)
            case "Wait":
                return p.Wait(name=name, flow=flow, next=common.next, moment=compile_moment(state))
            case "Fail":
                return _fail(common, state, jsonata=jsonata)
            case "Choice":
                return _choice(common, state, jsonata=jsonata)
            case "Task" if bare(state["Resource"]) == RECEIVE:
                timeout = maps.number(state, "TimeoutSeconds")
                return p.Receive(**common.fields(), timeout=timeout)
            case "Task":
                return _task(common, state, self.manners, jsonata=jsonata)
            case "Parallel":
                branches = tuple(
                    self.machine(p.address_of(address, name, index), branch)
                    for index, branch in enumerate(state["Branches"])
                )
                return p.Parallel(**common.fields(), branches=branches)
            case _:
                return self.map(common, address, state, jsonata=jsonata)

    def map(self, common: "_Common", address: str, state: Document, *, jsonata: bool) -> p.Map:
        document = state["ItemProcessor"] if "ItemProcessor" in state else state["Iterator"]
        distributed = document.get("ProcessorConfig", {}).get("Mode") == maps.DISTRIBUTED
        return p.Map(
            **common.fields(),
            processor=self.machine(p.address_of(address, common.name, p.ITEM), document),
            items=maps.items(state, jsonata=jsonata, keyed=distributed),
            selector=maps.selector(state, jsonata=jsonata),
            max_concurrency=maps.limit(state, "MaxConcurrency"),
            tolerated_count=maps.limit(state, "ToleratedFailureCount"),
            tolerated_percentage=maps.percentage(state),
            batcher=maps.batcher(state, jsonata=jsonata),
            reader=maps.reader(state, jsonata=jsonata),
            writer=maps.writer(state, jsonata=jsonata),
            distributed=distributed,
            label=state.get("Label"),
        )


@dataclass(frozen=True, slots=True)
class _Common:
    """What every state that can fail has."""

    name: str
    flow: Flow
    next: str | None
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]

    def fields(self) -> "_Fields":
        return {"name": self.name, "flow": self.flow, "next": self.next, "retry": self.retry, "catch": self.catch}


_Fields = dict[str, Json]


def _retry(state: Document) -> tuple[Retrier, ...]:
    return tuple(
        Retrier(
            errors=tuple(rule["ErrorEquals"]),
            interval=rule.get("IntervalSeconds", 1),
            max_attempts=rule.get("MaxAttempts", 3),
            backoff=rule.get("BackoffRate", 2.0),
            max_delay=rule.get("MaxDelaySeconds"),
            jitter=rule.get("JitterStrategy", "NONE") == "FULL",
        )
        for rule in state.get("Retry", ())
    )


def _catch(state: Document, *, jsonata: bool) -> tuple[Catcher, ...]:
    return tuple(
        Catcher(tuple(rule["ErrorEquals"]), QueryCatch(rule, position) if jsonata else PathCatch(rule), rule["Next"])
        for position, rule in enumerate(state.get("Catch", ()))
    )


def _fail(common: _Common, state: Document, *, jsonata: bool) -> p.Fail:
    return p.Fail(
        name=common.name,
        flow=common.flow,
        error=_text(state, "Error", jsonata=jsonata),
        cause=_text(state, "Cause", jsonata=jsonata),
    )


def _text(state: Document, name: str, *, jsonata: bool) -> Expression | None:
    """A text of a Fail state: as it stands, behind a path, made by an intrinsic function, or by an expression."""
    if f"{name}Path" in state:
        return TextPath(state[f"{name}Path"], f"{name}Path")
    value = state.get(name)
    if value is None:
        return None
    return Query(value, name, "string") if jsonata and is_query(value) else Constant(value)


def _choice(common: _Common, state: Document, *, jsonata: bool) -> p.Choice:
    return p.Choice(
        name=common.name,
        flow=common.flow,
        rules=tuple(
            p.Rule(
                compile_condition(rule, f"Choices[{position}]"),
                rule["Next"],
                _rule_flow(state, rule, position, jsonata),
            )
            for position, rule in enumerate(state["Choices"])
        ),
        default=state.get("Default"),
    )


def _rule_flow(state: Document, rule: Document, position: int, jsonata: bool) -> Flow:
    """A rule that matched shapes the output by its own Assign and Output, else by the state's."""
    own = {name: rule[name] for name in ("Assign", "Output") if name in rule}
    inherited = {name: value for name, value in state.items() if name in ("InputPath", "OutputPath", "Output")}
    if jsonata:
        return QueryFlow({**inherited, **own}, works=False, location=f"Choices[{position}]/" if own else "")
    return PathFlow({**inherited, **own})


def _task(common: _Common, state: Document, manners: Manners, *, jsonata: bool) -> p.Task:
    resource: str = state["Resource"]
    credentials, manner = state.get("Credentials"), manners.get(plain(resource), p.Manner())
    return p.Task(
        **common.fields(),
        resource=resource,
        pattern=pattern_of(resource),
        timeout=maps.span(state, "TimeoutSeconds"),
        heartbeat=maps.span(state, "HeartbeatSeconds"),
        credentials=_credentials(credentials, jsonata=jsonata),
        at_most_once=manner.at_most_once,
        isolated=manner.isolated,
    )


def _credentials(value: Json, *, jsonata: bool) -> Expression | None:
    if value is None:
        return None
    return Template(value, "Credentials") if jsonata else Payload(value)


_REMOTE = "linkflow:remote_task"


def pattern_of(resource: str) -> p.Pattern:
    if resource.endswith(CALLED_BACK) or resource in BY_TOKEN:
        return "token"
    if ":activity:" in resource or resource == _REMOTE:
        return "activity"
    return "sync" if resource.endswith((".sync", ".sync:2")) else "request"
