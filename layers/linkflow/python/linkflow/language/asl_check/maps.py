"""What only a Map has: where items come from, how they are grouped, where results go (States Language, Map State)."""

import re
from collections.abc import Mapping
from typing import Final

from linkflow.language.asl_check.fields import Shape, both, check_shape, only_jsonata, only_jsonpath
from linkflow.language.asl_check.resources import resource
from linkflow.language.asl_check.scope import Site, is_object
from linkflow.language.asl_check.values import (
    expected,
    one_of,
    path,
    reference,
    template,
    text,
    texts,
    whole,
)
from linkflow.language.json import Json

LONGEST_LABEL: Final = 40

_LABEL_FORBIDS: Final = re.compile(r"[\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]")

PROCESSOR_CONFIG: Final = Shape(
    fields={"Mode": both(one_of("INLINE", "DISTRIBUTED")), "ExecutionType": both(one_of("STANDARD", "EXPRESS"))}
)

_READER_CONFIG: Final = Shape(
    fields={
        "InputType": both(one_of("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")),
        "CSVHeaderLocation": both(one_of("FIRST_ROW", "GIVEN")),
        "CSVHeaders": both(texts),
        "CSVDelimiter": both(one_of("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")),
        "MaxItems": both(whole(0, 100_000_000)),
        "MaxItemsPath": only_jsonpath(reference),
        "ManifestType": both(one_of("ATHENA_DATA", "S3_INVENTORY")),
        "Transformation": both(one_of("NONE", "LOAD_AND_FLATTEN")),
        "ItemsPointer": both(text),
    },
    exclusive=(("MaxItems", "MaxItemsPath"),),
)

_READER: Final = Shape(
    fields={
        "Resource": both(resource),
        "Parameters": only_jsonpath(template),
        "Arguments": only_jsonata(template),
        "ReaderConfig": both(lambda site, value: check_shape(site, value, _READER_CONFIG)),
    },
    required=("Resource",),
)

_WRITER_CONFIG: Final = Shape(
    fields={
        "OutputType": both(one_of("JSON", "JSONL")),
        "Transformation": both(one_of("NONE", "COMPACT", "FLATTEN")),
    }
)

_WRITER: Final = Shape(
    fields={
        "Resource": both(resource),
        "Parameters": only_jsonpath(template),
        "Arguments": only_jsonata(template),
        "WriterConfig": both(lambda site, value: check_shape(site, value, _WRITER_CONFIG)),
    }
)

_BATCHER: Final = Shape(
    fields={
        "MaxItemsPerBatch": both(whole(0)),
        "MaxItemsPerBatchPath": only_jsonpath(reference),
        "MaxInputBytesPerBatch": both(whole(0, 262_144)),
        "MaxInputBytesPerBatchPath": only_jsonpath(reference),
        "BatchInput": both(template),
    },
    exclusive=(
        ("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
        ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
    ),
)


def item_reader(site: Site, value: Json) -> None:
    check_shape(site, value, _READER)
    given = value.get("ReaderConfig") if is_object(value) else None
    if is_object(given) and given.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in given:
        site.at("ReaderConfig").error("These fields are required: [CSVHeaders]", "List the column names in CSVHeaders.")


def result_writer(site: Site, value: Json) -> None:
    check_shape(site, value, _WRITER)
    if is_object(value) and "Resource" not in value and "WriterConfig" not in value:
        site.error("These fields are required: [Resource]", "Name where results go, or how they look in WriterConfig.")


def item_batcher(site: Site, value: Json) -> None:
    check_shape(site, value, _BATCHER)
    if is_object(value) and not any(name.startswith("Max") for name in value):
        site.error(
            "ItemBatcher must set a maximum number of items or of bytes per batch",
            "Add MaxItemsPerBatch or MaxInputBytesPerBatch.",
        )


def items_path(site: Site, value: Json) -> None:
    """A path to the array; null is not one."""
    if value is None:
        site.error("Value is not a Reference Path", "Drop ItemsPath to iterate over the input itself.")
    else:
        path(site, value)


def label(site: Site, value: Json) -> None:
    """Part of a map run's ARN, so without characters that mean something there."""
    if not isinstance(value, str):
        expected(site, "String")
    elif not value:
        site.error("Label cannot be empty", "Give the Map a label, or drop the field.", code="INVALID_LABEL_NAME")
    elif len(value) > LONGEST_LABEL:
        site.error(f"Label cannot exceed {LONGEST_LABEL} characters", "Shorten the label.", code="INVALID_LABEL_NAME")
    elif found := _LABEL_FORBIDS.search(value):
        site.error(
            f"Label contains invalid character: {found[0]!r}",
            "Use letters, digits, '-', '_', '.' and the like; no space, bracket, wildcard or control character.",
            code="INVALID_LABEL_NAME",
        )


def is_distributed(processor: Mapping[str, Json]) -> bool:
    config = processor.get("ProcessorConfig")
    return is_object(config) and config.get("Mode") == "DISTRIBUTED"
