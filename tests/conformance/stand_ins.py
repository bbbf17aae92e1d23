"""What stands in for the services that a case's tasks call: functions by their behaviour, buckets in memory.

An answer says when it comes (seconds after the call) and what it is. Services that are not at hand are replayed from
the recording.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from linkflow.execution.commands import RunTask
from linkflow.execution.history_names import task_words
from linkflow.language.json import Json
from linkflow.language.json_text import compact


@dataclass(frozen=True)
class Answer:
    """`failed`, or with a `result`; `never`: no answer comes. `submitted` answers the request of a task that ends
    later."""

    result: Json = None
    error: str | None = None
    cause: str | None = None
    after: float = 0.0
    submitted: Json = None
    never: bool = False
    failed: bool = False


@dataclass
class StandIns:
    case: Mapping[str, Any]
    s3: dict[str, dict[str, str]] = field(init=False)
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.s3 = {bucket: dict(keys) for bucket, keys in (self.case.get("s3") or {}).items()}

    def answer(self, task: RunTask) -> Answer:
        words = task_words(task.resource)
        if words.prefix == "LambdaFunction":
            return self._function(task.resource.split(":function:")[1], task.arguments)
        if (words.service, words.resource) == ("lambda", "invoke"):
            return self._invoke(task.arguments)
        if words.service in ("s3", "aws-sdk:s3") and "s3" in self.case["requires"]:
            return self._bucket(words.resource, task.arguments)
        return self._replayed(task)

    def _invoke(self, arguments: Json) -> Answer:
        name = str(arguments["FunctionName"]).split(":function:")[-1]
        payload = arguments.get("Payload")
        payload = {} if payload is None else payload
        answer = self._function(name, _json_or_text(payload) if isinstance(payload, str) else payload)
        if answer.failed:
            return answer
        return Answer({"ExecutedVersion": "$LATEST", "Payload": answer.result, "StatusCode": 200}, after=answer.after)

    def _function(self, name: str, event: Json) -> Answer:
        known = self.case.get("lambdas", {}).get(name.split(":", maxsplit=1)[0])
        if known is None:
            arn = f"arn:aws:lambda:us-east-1:111111111111:function:{name}"
            return Answer(
                failed=True,
                error="Lambda.ResourceNotFoundException",
                cause=f"Function not found: {arn}:$LATEST (Service: AWSLambda; Status Code: 404; "
                "Error Code: ResourceNotFoundException; Request ID: <request_id>; Proxy: null)",
            )
        return behave(known, event)

    def _bucket(self, operation: str, arguments: Json) -> Answer:
        keys = self.s3.setdefault(arguments["Bucket"], {})
        match operation:
            case "getObject" if arguments["Key"] in keys:
                return Answer({"Body": keys[arguments["Key"]], "ContentLength": len(keys[arguments["Key"]])})
            case "getObject":
                return Answer(failed=True, error="S3.NoSuchKeyException", cause="The specified key does not exist.")
            case "putObject":
                body = arguments["Body"]
                keys[arguments["Key"]] = body if isinstance(body, str) else compact(body)
                return Answer({"ETag": '"etag"'})
            case _:
                prefix = arguments.get("Prefix", "")
                found = sorted(key for key in keys if key.startswith(prefix))
                return Answer({"Contents": [_listed(key, keys[key]) for key in found]})

    def _replayed(self, task: RunTask) -> Answer:
        recorded = [one for one in self.case["expected"].get("tasks", ()) if one["state"] == task.node]
        at = min(self.taken[task.node], len(recorded) - 1)
        self.taken[task.node] += 1
        if at < 0 or "outcome" not in recorded[at]:
            return Answer(never=True)
        outcome, submitted = recorded[at]["outcome"], recorded[at].get("submitted")
        if outcome.get("timed_out"):
            return Answer(never=True, submitted=submitted)
        cause = outcome.get("cause")
        return Answer(
            outcome.get("output"),
            outcome.get("error"),
            cause if cause is None or isinstance(cause, str) else json.dumps(cause),
            submitted=submitted,
            failed="output" not in outcome,
        )


def _listed(key: str, text: str) -> Json:
    """An object as `listObjectsV2` lists it for a Map."""
    digest = md5(text.encode(), usedforsecurity=False).hexdigest()
    return {
        "Etag": f'"{digest}"',
        "Key": key,
        "LastModified": 1_700_000_000,
        "Size": len(text.encode()),
        "StorageClass": "STANDARD",
    }


def behave(function: Mapping[str, Any], event: Json) -> Answer:
    match function["kind"]:
        case "identity":
            return Answer(event)
        case "return":
            return Answer(function["value"])
        case "raw":
            text = function["text"] if "text" in function else function["repeat"][0] * function["repeat"][1]
            return Answer(_json_or_text(text))
        case "format":
            return Answer(function["template"].replace("{event}", event if isinstance(event, str) else compact(event)))
        case "sleep":
            return Answer(function.get("then"), after=function["seconds"])
        case _:
            payload = function["payload"]
            return Answer(failed=True, error=payload["errorType"], cause=compact(payload))


def _json_or_text(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text
