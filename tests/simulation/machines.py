"""Random state machines of the States Language, in both query languages.

Every value on its way is an object with a number `n` and a list `items` of such objects. States lead forwards only, and
whatever may race to fail a Parallel or a Map fails by the same name and cause, so the result is determined; unless a
machine is `timed`: then tasks may time out, and it is only sure to end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.unit.random_graphs import Chance, Drawn

CHILD: Final = "child"
SLOW_CHILD: Final = "slow_child"
DEEPEST: Final = 2
LONG: Final = 90_000_000
FAILURE: Final = {"Error": "http_status", "Cause": "The server answered 500."}
"""What the outside makes of a task that fails for good."""
ITEMS: Final = [
    {"n": 1, "items": [{"n": 7, "items": []}, {"n": 8, "items": []}]},
    {"n": 2, "items": []},
    {"n": 3, "items": [{"n": 9, "items": []}]},
]


Maker = Callable[[], Drawn]


@dataclass
class Paper:
    """Draws one machine of at most `left` states. `asks` numbers its questions, so that no two are the same."""

    chance: Chance
    queries: bool
    timed: bool
    left: int = 12
    asks: int = 0

    def whole(self) -> Drawn:
        return {"QueryLanguage": "JSONata" if self.queries else "JSONPath", **self.machine(0)}

    def machine(self, depth: int) -> Drawn:
        names = [f"S{self.left}_{number}" for number in range(self.chance.between(1, 5 if depth == 0 else 3))]
        self.left -= len(names)
        states = {name: self.state(names, position, depth) for position, name in enumerate(names)}
        return {"StartAt": names[0], "States": states}

    def state(self, names: list[str], position: int, depth: int) -> Drawn:
        following = names[position + 1 :]
        kinds: list[Maker] = [
            self.ask,
            self.ask,
            self.ask,
            self.passing,
            self.wait,
            self.child,
            self.token,
        ]
        if depth < DEEPEST and self.left > 0:
            kinds += [lambda: self.parallel(depth), lambda: self.map(depth)] * 2
        if following and self.chance.between(0, 5) == 5:
            return self.choice(following)
        if not following and self.chance.between(0, 11) == 11:
            return {"Type": "Fail", **FAILURE}
        made = self.chance.pick(kinds)()
        behind: Drawn = {"Next": following[0]} if following else {"End": True}
        return {**made, **self.mended(made["Type"], following), **behind}

    def mended(self, kind: str, following: list[str]) -> Drawn:
        """Its rules for failures."""
        if kind in ("Pass", "Wait"):
            return {}
        rules: Drawn = {}
        if self.chance.between(0, 1):
            most = self.chance.between(1, 2)
            retry: Drawn = {
                "ErrorEquals": ["States.ALL"],
                "IntervalSeconds": 1,
                "MaxAttempts": most,
                "BackoffRate": 1.5,
            }
            if self.chance.between(0, 1):
                retry["JitterStrategy"] = "FULL"
            rules["Retry"] = [retry]
        if following and self.chance.between(0, 1):
            shape: Drawn = {"Output": "{% $states.input %}"} if self.queries else {"ResultPath": "$.error"}
            rules["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": self.chance.pick(following), **shape}]
        return rules

    def ask(self) -> Drawn:
        self.asks += 1
        url = f"http://outside/{self.chance.pick(['ask', 'ask', 'fine'])}/{self.asks}"
        asked = self.called("linkflow:http_request", {"url": url, "method": "POST"}, "body", "$.body", "$r.body")
        return {**asked, "TimeoutSeconds": self.chance.pick([5, 20]) if self.timed else self.chance.pick([3_600, LONG])}

    def called(self, resource: str, arguments: Drawn, given: str, path: str, query: str) -> Drawn:
        """A Task that sends its number as `given`, and keeps what it hears as `r`."""
        if self.queries:
            output = "{% (  $r := $states.result; $merge([$states.input, {'r': {'v': " + query + "}}])) %}"
            body = {given: "{% {'n': $states.input.n, 'r': $states.input.r} %}"}
            return {"Type": "Task", "Resource": resource, "Arguments": {**arguments, **body}, "Output": output}
        shape: Drawn = {"ResultSelector": {"v.$": path}, "ResultPath": "$.r"}
        sent: Drawn = {given: {"n.$": "$.n", "items.$": "$.items"}}
        return {"Type": "Task", "Resource": resource, "Parameters": {**arguments, **sent}, **shape}

    def child(self) -> Drawn:
        """Waits for it, or not; then nothing is kept, since ids differ from run to run."""
        resource, child = "arn:aws:states:::states:startExecution", self.chance.pick([CHILD, CHILD, CHILD, SLOW_CHILD])
        if self.chance.between(0, 2):
            return self.called(f"{resource}.sync:2", {"StateMachineArn": child}, "Input", "$.Output.c", "$r.Output.c")
        begun = self.called(resource, {"StateMachineArn": child}, "Input", "$", "'begun'")
        return {**begun, "ResultPath": None} if not self.queries else begun

    def token(self) -> Drawn:
        self.asks += 1
        arguments: Drawn = {"url": f"http://outside/later/{self.asks}", "method": "POST"}
        waits = {"TimeoutSeconds": LONG} if not self.timed else {"TimeoutSeconds": 30, "HeartbeatSeconds": 10}
        resource = "linkflow:http_request.waitForTaskToken"
        if self.queries:
            arguments["body"] = "{% {'token': $states.context.Task.Token, 'asked': $states.input.n} %}"
            output = "{% $merge([$states.input, {'r': {'v': $states.result}}]) %}"
            return {"Type": "Task", "Resource": resource, "Arguments": arguments, "Output": output, **waits}
        arguments["body"] = {"token.$": "$$.Task.Token", "asked.$": "$.n"}
        shape: Drawn = {"ResultSelector": {"v.$": "$"}, "ResultPath": "$.r"}
        return {"Type": "Task", "Resource": resource, "Parameters": arguments, **shape, **waits}

    def passing(self) -> Drawn:
        kept = self.chance.between(0, 9)
        if self.queries:
            return {"Type": "Pass", "Output": f"{{% $merge([$states.input, {{'k': {kept}}}]) %}}"}
        return {"Type": "Pass", "Parameters": {"n.$": "$.n", "items.$": "$.items", "k": kept}}

    def wait(self) -> Drawn:
        return {"Type": "Wait", "Seconds": self.chance.pick([0, 1, 3, 20, 20, 100, 1_000])}

    def choice(self, following: list[str]) -> Drawn:
        number, target = self.chance.between(0, 3), self.chance.pick(following)
        if self.queries:
            rule: Drawn = {"Condition": f"{{% $states.input.n > {number} %}}", "Next": target}
        else:
            rule = {"Variable": "$.n", "NumericGreaterThan": number, "Next": target}
        return {"Type": "Choice", "Choices": [rule], "Default": following[0]}

    def parallel(self, depth: int) -> Drawn:
        branches = [self.machine(depth + 1) for _ in range(self.chance.between(1, 3))]
        return {"Type": "Parallel", "Branches": branches, **self.kept()}

    def map(self, depth: int) -> Drawn:
        processor: Drawn = self.machine(depth + 1)
        if self.chance.between(0, 3) == 3:
            processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        items = {"Items": "{% $states.input.items %}"} if self.queries else {"ItemsPath": "$.items"}
        most = self.chance.between(0, 2)
        return {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": most, **items, **self.kept()}

    def kept(self) -> Drawn:
        """A list of results is kept beside the rest."""
        if self.queries:
            return {"Output": "{% $merge([$states.input, {'p': $states.result}]) %}"}
        return {"ResultPath": "$.p"}
