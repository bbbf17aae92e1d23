"""What stands around the iterations of a Map: where its items come from, how they are grouped, where results go."""

from dataclasses import dataclass

from linkflow.language.flow import Expression


@dataclass(frozen=True, slots=True)
class Batcher:
    """Items grouped into `{"Items": […]}` (plus `BatchInput`) by count and by bytes of JSON."""

    max_items: Expression | None
    max_bytes: Expression | None
    batch_input: Expression | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Where a distributed Map's items come from (`resource` and its evaluated `arguments`), and how they are read."""

    resource: str
    arguments: Expression
    input_type: Expression
    csv_headers: Expression | None = None
    csv_delimiter: Expression | None = None
    items_pointer: Expression | None = None
    max_items: Expression | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Where a distributed Map's results go (nowhere without a `resource`), and in which form."""

    resource: str | None
    arguments: Expression
    output_type: str = "JSON"
    transformation: str = "NONE"
