"""Everything that a house keeps, laid open: for tests of what must not be kept."""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any

import boto3

from linkflow.runtime.settings import Settings


def everything_stored(settings: Settings) -> bytes:
    """All values in the store (and in the blobs), what is compressed both ways."""
    values = list(_sqlite(settings) if settings.family == "sqlite" else _aws(settings))
    assert values
    return b"\n".join(piece for value in values for piece in _readable(value))


def _sqlite(settings: Settings) -> Iterator[Any]:
    for path in settings.data.glob("*.db"):
        connection = sqlite3.connect(path)
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 (our own schema)
                yield from row
        connection.close()


def _aws(settings: Settings) -> Iterator[Any]:
    given: dict[str, Any] = {
        "endpoint_url": settings.endpoint_url,
        "region_name": settings.region,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    for page in boto3.client("dynamodb", **given).get_paginator("scan").paginate(TableName=settings.names):
        for item in page["Items"]:
            yield from (value for typed in item.values() for value in typed.values())
    s3 = boto3.client("s3", **given)
    for found in s3.list_objects_v2(Bucket=settings.names).get("Contents", []):
        yield s3.get_object(Bucket=settings.names, Key=found["Key"])["Body"].read()


def _readable(value: Any) -> Iterator[bytes]:
    content = value if isinstance(value, bytes) else str(value).encode()
    yield content
    if content[:1] == b"z":
        yield zlib.decompress(content[1:])
