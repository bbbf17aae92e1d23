"""S3's verbs over the files of a workspace: `getObject`, `putObject`, `listObjectsV2` (Amazon S3 API reference).

Errors have the names that Step Functions gives them. Buckets are made by writing into them.
"""

from typing import Final

from linkflow.engine.engine import Call, Engine, Told
from linkflow.execution.events import TaskSucceeded
from linkflow.execution.surroundings import moment_text
from linkflow.language.json import Json
from linkflow.language.json_text import compact
from linkflow.nodes.base import NodeFailed
from linkflow.stores.records import File

LONGEST_NAME: Final = 1_024
"""Bytes of UTF-8."""


async def get_object(engine: Engine, call: Call) -> Told:
    bucket, name = _text(call, "Bucket"), _text(call, "Key")
    found = await engine.files.get(call.workspace, bucket, name)
    if found is None:
        raise NodeFailed("S3.NoSuchKeyException", "The specified key does not exist.", retryable=False)
    file, content = found
    try:
        body = content.decode()
    except UnicodeDecodeError as error:
        raise NodeFailed("S3.NotText", f"'{name}' is not UTF-8 text, which is all a state can hold.") from error
    return _answer(engine, call, {"Body": body, "ContentLength": file.size, "ETag": f'"{file.digest}"'})


async def put_object(engine: Engine, call: Call) -> Told:
    """A `Body` that is no text is written as JSON."""
    bucket, name, body = _text(call, "Bucket"), _text(call, "Key"), call.task.arguments.get("Body", "")
    content = (body if isinstance(body, str) else compact(body)).encode()
    file = await engine.files.put(call.workspace, bucket, name, content, engine.clock.now())
    return _answer(engine, call, {"ETag": f'"{file.digest}"'})


async def list_objects(engine: Engine, call: Call) -> Told:
    bucket, prefix = _text(call, "Bucket"), call.task.arguments.get("Prefix") or ""
    found = [_listed(file) async for file in engine.files.listed(call.workspace, bucket, str(prefix))]
    return _answer(engine, call, {"Contents": found, "IsTruncated": False, "KeyCount": len(found), "Name": bucket})


def _listed(file: File) -> Json:
    """As a Map sees an object of a listing (recorded)."""
    return {
        "Etag": f'"{file.digest}"',
        "Key": file.name,
        "LastModified": moment_text(file.modified),
        "Size": file.size,
        "StorageClass": "STANDARD",
    }


def _text(call: Call, name: str) -> str:
    given = call.task.arguments
    value = given.get(name) if isinstance(given, dict) else None
    if not isinstance(value, str) or not 0 < len(value.encode()) <= LONGEST_NAME:
        raise NodeFailed("States.Runtime", f"'{name}' must be a text of 1 to {LONGEST_NAME} bytes.", retryable=False)
    return value


def _answer(engine: Engine, call: Call, output: Json) -> Told:
    now = engine.clock.now()
    return TaskSucceeded(call.task.scope, call.task.task, output, now, now)
