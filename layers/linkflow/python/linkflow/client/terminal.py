"""What the commands of `linkflow` share: their options, what they read, what they print, and how they end.

Exit codes: 0 all is well; 1 the execution did not succeed; 2 the command was not understood, or what was to be checked
is wrong; 3 the server could not be reached, or refused. What people read goes to standard output, what went wrong to
standard error.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from linkflow.client.calls import ApiError
from linkflow.client.client import Client
from linkflow.client.records import Execution, Json, Record
from linkflow.client.timeline import timeline

FAILED, WRONG, REFUSED, INTERRUPTED = 1, 2, 3, 130
SUCCEEDED = "succeeded"
_WIDE = 160
"""Columns where nobody looks: a file or another program."""


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise typer.BadParameter(f"'{value}' is no address: it begins with http:// or https://.")
    return value


def _token(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise typer.BadParameter("A key is made of letters, digits, '-' and '_'.")
    return value.strip()


Url = Annotated[str, typer.Option(envvar="LINKFLOW_URL", callback=_address, help="Where the server is.")]
ApiKey = Annotated[str, typer.Option("--key", envvar="LINKFLOW_KEY", callback=_token, help="Your API key.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="At most so many.")]
Reason = Annotated[str, typer.Option(help="Kept in its book.")]


@contextmanager
def connected(url: str, key: str) -> Iterator[Client]:
    with refusals(), Client(url, key) as client:
        yield client


@contextmanager
def refusals() -> Iterator[None]:
    """What the server refused is told in a sentence, with every fault."""
    try:
        yield
    except ApiError as error:
        told = [error.message, *(f"  {detail.path}: {detail.message}" for detail in error.details)]
        sys.stderr.write("\n".join(told) + "\n")
        raise typer.Exit(REFUSED) from None


def found_workflow(client: Client, workflow: str) -> str:
    """The id of what may be an id or a name. Raises `ApiError`."""
    if workflow.startswith("wf_"):
        return workflow
    named = [one.id for one in client.all_workflows() if one.name == workflow]
    if len(named) == 1:
        return named[0]
    if named:
        raise ApiError(409, "ambiguous", f"Several workflows are called '{workflow}'; say which: {', '.join(named)}.")
    raise ApiError(404, "not_found", f"No workflow is called '{workflow}'; `linkflow workflows list` shows all.")


def json_of(text: str, where: str) -> Json:
    try:
        return msgspec.json.decode(Path(text[1:]).read_bytes() if text.startswith("@") else text)
    except (OSError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{text}: {error}", param_hint=where) from None


def text_of(file: str) -> str:
    """What a file, or standard input for `-`, holds; a byte order mark is passed over."""
    try:
        return (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="FILE") from None


def out() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE)


def show(execution: Execution, as_json: bool) -> None:
    if as_json:
        print_json(execution)
        return
    console = out()
    console.print(timeline(execution, console.width))
    if execution.error:
        console.print(f"\nerror: {execution.error}", style="red", markup=False, highlight=False, soft_wrap=True)
    elif execution.status == SUCCEEDED:
        text = msgspec.json.encode(execution.output).decode()
        console.print(f"\noutput: {text}", markup=False, highlight=False, soft_wrap=True)


def print_table(rows: Sequence[Record], columns: Iterable[str], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == "id")
    for row in rows:
        told = msgspec.to_builtins(row)
        table.add_row(*("" if told[name] is None else str(told[name]) for name in columns))
    out().print(table, markup=False)


def print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
