"""Workflows with a shape of their own, each for something that chance would seldom bring about: work for remote
workers, approvals, executions that go on in one another, what a schedule starts, and what signals and events do."""

from collections.abc import Mapping
from typing import Final

from linkflow.language.json import Json
from tests.unit.graphs import graph, node
from tests.unit.random_graphs import LONG, SIGNAL, Chance, Drawn, Sheet

PEOPLE: Final = ("ann", "bob", "cem")
NEWS: Final = "news"
"""The type of all events."""
QUEUE: Final = "hands"
"""The task queue of all work for remote workers (of a workspace)."""


def asks(name: str, expression: str) -> Drawn:
    return {"url": f"http://outside/ask/{name}", "method": "POST", "body": expression}


def labour(chance: Chance) -> Drawn:
    """A random graph, in which also remote workers are asked."""
    more = {"remote_task": lambda expression: _work(chance, expression)}
    sheet = Sheet(chance, "steady", left=8, request=asks, more=more, signals=False)
    return sheet.workflow(node("start", "manual"))


def _work(chance: Chance, expression: str) -> Drawn:
    beat: Drawn = chance.pick([{}, {"heartbeat": 25}])
    return {"queue": QUEUE, "payload": expression, **beat}


def once(drawn: Json) -> Json:
    """The same, where each attempt of remote work is made at most once."""
    match drawn:
        case {"type": "remote_task"}:
            return {**drawn, "at_most_once": True}
        case dict():
            return {name: once(one) for name, one in drawn.items()}
        case list():
            return [once(one) for one in drawn]
        case _:
            return drawn


def apart(chance: Chance) -> Drawn:
    """Questions asked from where no table, key or secret is: two at a time, and one behind them."""
    retry: Drawn = {"max_attempts": chance.pick([1, 3]), "interval": 1, "jitter": False}
    more: Drawn = {"on_error": "continue", "timeout": LONG, "retry": retry}
    nodes = [node("start", "manual")]
    for name, asked in (("a", "trigger.n"), ("b", "trigger"), ("c", "nodes.a.body")):
        config = {"url": f"http://outside/apart/{name}", "method": "POST", "body": f"{{{{ {asked} }}}}"}
        nodes.append(node(name, "ask_apart", config, **more))
    nodes.append(node("end", "set", {"values": {name: f"{{{{ nodes.{name}.status }}}}" for name in "abc"}}))
    return graph(nodes, "start -> a", "start -> b", "a -> c", "b -> end", "c -> end")


def approvals(chance: Chance) -> Drawn:
    """One decision, or two at the same time. What is behind them says how they were decided, and no more."""
    nodes, edges = [node("start", "manual")], []
    for number in range(chance.between(1, 2)):
        asked = f"a{number}"
        nodes += [node(asked, "approval", _question(chance, asked))]
        nodes += [node(f"{asked}_{way}", "set", {"values": {asked: way}}) for way in ("yes", "no")]
        edges += [f"start -> {asked}", f"{asked} -approved-> {asked}_yes", f"{asked} -rejected-> {asked}_no"]
    return graph(nodes, *edges)


def _question(chance: Chance, name: str) -> Drawn:
    people = list(PEOPLE[: chance.between(1, 3)])
    told = {"link": "{{ approval.url }}", "person": "{{ approval.assignee }}", "asked": "{{ trigger.n }}"}
    notify = {"url": f"http://outside/vote/{name}", "method": "POST", "body": told}
    required = chance.between(1, len(people))
    return {"title": name, "assignees": people, "required": required, "notify": notify}


def chain(chance: Chance) -> Drawn:
    """It counts `n` down, one execution for each."""
    nodes = [
        node("start", "manual"),
        node("ask", "http_request", asks("link", "{{ trigger.n }}"), on_error="continue", timeout=3_600),
        node("pause", "delay", {"seconds": chance.pick([0, 3, 20])}),
        node("over", "condition", {"all": [{"left": "{{ trigger.n }}", "operator": "equals", "right": 0}]}),
        node("again", "continue_as_new", {"input": "{{ {'n': trigger.n - 1, 'items': []} }}"}),
        node("end", "set", {"values": {"n": "{{ trigger.n }}"}}),
    ]
    return graph(nodes, "start -> ask", "ask -> pause", "pause -> over", "over -true-> end", "over -false-> again")


def greeted(chance: Chance) -> Drawn:
    """It hears one signal, or waits in vain, and takes its time."""
    nodes = [
        node("start", "manual"),
        node("hear", "wait_for_signal", {"name": SIGNAL}, timeout=chance.pick([5, 50]), on_error="continue"),
        node("pause", "delay", {"seconds": chance.pick([0, 5, 40])}),
        node("end", "set", {"values": {"n": "{{ trigger.n }}"}}),
    ]
    return graph(nodes, "start -> hear", "hear -> pause", "pause -> end")


def told(chance: Chance) -> Drawn:
    """It waits for its event; each event also starts an execution of it."""
    wait = {"type": NEWS, "filter": "{{ event.data.n = trigger.n }}"}
    nodes = [
        node("start", "manual"),
        node("pause", "delay", {"seconds": chance.pick([0, 5, 40])}),
        node("hear", "wait_for_event", wait),
        node("end", "set", {"values": {"n": "{{ trigger.n }}"}}),
        node("news", "event", {"type": NEWS}),
        node("ask", "http_request", asks("news", "{{ trigger.id }}"), on_error="continue", timeout=3_600),
    ]
    return graph(nodes, "start -> pause", "pause -> hear", "hear -> end", "news -> ask")


def brief(chance: Chance, settings: Mapping[str, Json] | None = None) -> Drawn:
    """A question and a pause: something that takes its time."""
    nodes = [
        node("start", "manual"),
        node("ask", "http_request", asks("brief", "{{ trigger.n }}"), on_error="continue", timeout=3_600),
        node("pause", "delay", {"seconds": chance.pick([0, 5, 40])}),
        node("end", "set", {"values": {"n": "{{ trigger.n }}"}}),
    ]
    return graph(nodes, "start -> ask", "ask -> pause", "pause -> end", **(settings or {}))
