"""What a Map's reader brought, as items: JSON, JSON lines, CSV, or the listing of a bucket.

Pure functions of text; how the text is fetched is the engine's affair. Source: developer guide, "ItemReader".
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

import msgspec

from linkflow.language.items import Reader
from linkflow.language.json import Json
from linkflow.language.json_text import NotJson, parsed
from linkflow.language.view import View

DELIMITERS: Final[Mapping[str, str]] = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_NOTHING: Final = object()


class Unreadable(Exception):
    """`States.ItemReaderFailed`; the message is its cause."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the text is to be read. `pointer` is a JSON pointer (RFC 6901) to the items in a document."""

    input_type: str = "JSON"
    headers: tuple[str, ...] | None = None
    delimiter: str = ","
    pointer: str = ""


def form(reader: Reader, view: View) -> Form:
    headers = reader.csv_headers.evaluate(view) if reader.csv_headers else None
    delimiter = reader.csv_delimiter.evaluate(view) if reader.csv_delimiter else "COMMA"
    return Form(
        input_type=reader.input_type.evaluate(view),
        headers=None if headers is None else tuple(headers),
        delimiter=DELIMITERS.get(delimiter, ","),
        pointer=reader.items_pointer.evaluate(view) if reader.items_pointer else "",
    )


def items(resource: str, form: Form, result: Json) -> list[Json]:
    """The items in a reader's answer: `Contents` of a listing, else the text in `Body`. Raises `Unreadable`."""
    if not isinstance(result, dict):
        raise Unreadable("The reader's answer is not an object.")
    if resource.endswith((":listObjectsV2", ":listObjects")):
        return list(result.get("Contents", ()))
    body = result.get("Body")
    if not isinstance(body, str):
        raise Unreadable("The reader's answer has no text in its Body.")
    match form.input_type:
        case "CSV":
            return list(rows(body, form))
        case "JSONL":
            return [_parsed(line, f"line {number}") for number, line in enumerate(body.split("\n"), 1) if line.strip()]
        case "MANIFEST":
            return manifest(body)
        case _:
            return _array(_parsed(body, "file"), form.pointer)


def rows(text: str, form: Form) -> Iterator[Json]:
    """One object of texts per row: missing cells are empty, cells beyond the headers are left out."""
    try:
        yield from _rows(csv.reader(StringIO(text, newline=""), delimiter=form.delimiter), form)
    except csv.Error as error:
        raise Unreadable(f"The file is not CSV: {error}") from error


def _rows(lines: Iterator[list[str]], form: Form) -> Iterator[Json]:
    headers = form.headers if form.headers is not None else tuple(next(lines, ()))
    if len(set(headers)) != len(headers):
        raise Unreadable("CSV headers cannot contain duplicates.")
    for cells in lines:
        if cells:
            yield {name: cells[at] if at < len(cells) else "" for at, name in enumerate(headers)}


def manifest(body: str) -> list[Json]:
    """The files that an S3 inventory's manifest names."""
    document = _parsed(body, "manifest")
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list):
        raise Unreadable("Attempting to map over a manifest without files.")
    return files


def _array(document: Json, pointer: str) -> list[Json]:
    for part in pointer.split("/")[1:]:
        document = _member(document, part.replace("~1", "/").replace("~0", "~"))
        if document is _NOTHING:
            raise Unreadable(f"The ItemsPointer '{pointer}' does not lead to an array.")
    if isinstance(document, dict) and pointer:
        return [{"Key": key, "Value": value} for key, value in document.items()]
    if not isinstance(document, list):
        raise Unreadable("Attempting to map over non-iterable node.")
    return document


def _member(document: Json, part: str) -> Json:
    match document:
        case dict():
            return document.get(part, _NOTHING)
        case list() if part.isdigit() and int(part) < len(document):
            return document[int(part)]
        case _:
            return _NOTHING


def _parsed(text: str, what: str) -> Json:
    try:
        return parsed(text)
    except NotJson as error:
        raise Unreadable(f"The {what} is not JSON: {error}") from error


def batches(items: Sequence[Json], most: int | None, largest: int | None, common: Json) -> Iterator[list[Json]]:
    """Items in groups of at most `most`, and of at most `largest` bytes of JSON with `common` (one item at least)."""
    batch: list[Json] = []
    start = len(msgspec.json.encode({**common, "Items": []}))
    size = start
    for item in items:
        length = len(msgspec.json.encode(item)) + 1
        if batch and ((most and len(batch) >= most) or (largest and size + length > largest)):
            yield batch
            batch, size = [], start
        batch.append(item)
        size += length
    if batch:
        yield batch
