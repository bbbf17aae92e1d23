"""What a distributed Map writes of its results: a manifest, and the results by how they ended (developer guide,
"ResultWriter"). Each file is one request; the manifest comes last, so that whoever finds it finds all.
"""

from typing import Final

import msgspec

from linkflow.execution.state import Iterations
from linkflow.language.items import Writer
from linkflow.language.json import Json
from linkflow.language.json_text import compact

_STATUSES: Final = {"SUCCEEDED_0.json": "SUCCEEDED", "FAILED_0.json": "FAILED"}

File = tuple[str, str]
"""A name and its text."""


def files(writer: Writer, work: Iterations) -> list[File]:
    written = {name: text(writer, entries) for name, entries in _entries(writer, work).items() if entries}
    listed = {
        status: [{"Key": f"{folder(work)}/{name}", "Size": len(written[name].encode())}] if name in written else []
        for name, status in _STATUSES.items()
    }
    manifest = {
        "DestinationBucket": work.writer.get("Bucket"),
        "MapRunArn": work.run,
        "ResultFiles": {"FAILED": listed["FAILED"], "PENDING": [], "SUCCEEDED": listed["SUCCEEDED"]},
    }
    return [*written.items(), ("manifest.json", compact(manifest))]


def request(work: Iterations, name: str, content: str) -> Json:
    """The arguments of `s3:putObject`."""
    return {"Bucket": work.writer.get("Bucket"), "Key": f"{folder(work)}/{name}", "Body": content}


def result(work: Iterations) -> Json:
    """The Map state's own result."""
    details = {"Bucket": work.writer.get("Bucket"), "Key": f"{folder(work)}/manifest.json"}
    return {"MapRunArn": work.run, "ResultWriterDetails": details}


def folder(work: Iterations) -> str:
    prefix = str(work.writer.get("Prefix", "")).rstrip("/")
    run = work.run.rsplit(":", 1)[-1]
    return f"{prefix}/{run}" if prefix else run


def formatted(writer: Writer, work: Iterations) -> list[Json]:
    """The results as the state's own output, where a writer shapes them and nothing is written."""
    return [entry for entries in _entries(writer, work).values() for entry in entries]


def text(writer: Writer, entries: list[Json]) -> str:
    if writer.output_type == "JSONL":
        return "\n".join(map(compact, entries))
    return compact(entries)


def _entries(writer: Writer, work: Iterations) -> dict[str, list[Json]]:
    outputs = [work.results[index] for index in sorted(work.results)]
    if writer.transformation == "COMPACT":
        succeeded = outputs
    elif writer.transformation == "FLATTEN":
        succeeded = [one for output in outputs for one in (output if isinstance(output, list) else [output])]
    else:
        succeeded = [
            _record(work, index, "SUCCEEDED", {"Output": _text(work.results[index])}) for index in sorted(work.results)
        ]
    failed = [
        _record(work, index, "FAILED", {"Error": failure.error, "Cause": failure.cause})
        for index, failure in sorted(work.errors.items())
    ]
    return {"SUCCEEDED_0.json": succeeded, "FAILED_0.json": failed}


def _record(work: Iterations, index: int, status: str, ended: dict[str, Json]) -> Json:
    item = work.items[index]
    return {"Name": str(index), "Input": _text(item), "InputDetails": {"Included": True}, "Status": status, **ended}


def _text(value: Json) -> str:
    return msgspec.json.encode(value).decode()
