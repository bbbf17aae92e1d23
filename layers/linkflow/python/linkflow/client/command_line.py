"""The `linkflow` command.

Exit codes: 0 all is well; 1 the execution did not succeed; 2 the command was not understood, or what was to be checked
is wrong; 3 the server could not be reached, or refused. What people read goes to standard output, what went wrong to
standard error.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from linkflow.client.calls import ApiError, Parameter
from linkflow.client.client import Client
from linkflow.client.demo.demo import demo as demonstrate
from linkflow.client.records import Execution, Finding, Json, Record
from linkflow.client.timeline import timeline

FAILED, WRONG, REFUSED, INTERRUPTED = 1, 2, 3, 130
_SUCCEEDED, _RUNNING = "succeeded", "running"
_HERE = "http://127.0.0.1:8000"
_WIDE = 160
"""Columns where nobody looks: a file or another program."""

main = typer.Typer(
    help="Durable workflows from the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
workflows = typer.Typer(no_args_is_help=True, help="Create, list and read workflows.")
executions = typer.Typer(no_args_is_help=True, help="List, read, end, hold and reset executions.")
asl = typer.Typer(no_args_is_help=True, help="State machines in the Amazon States Language.")
main.add_typer(workflows, name="workflows")
main.add_typer(executions, name="executions")
main.add_typer(asl, name="asl")


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


@main.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def up(context: typer.Context) -> None:
    """Start LinkFlow on this machine; takes the options of scripts/run."""
    os.execv(sys.executable, [sys.executable, "-m", "functions", *context.args])  # noqa: S606 (our own program)


@main.command()
def demo() -> None:
    """Show an order intake at work: a webhook, a flaky shop, retries, a delay, a join, an answer."""
    try:
        with _refusals():
            demonstrate(_out())
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


@main.command()
def run(
    workflow: Annotated[str, typer.Argument(help="Its id, or its name where only one has it.")],
    given: Annotated[str, typer.Option("--input", help="JSON, or @FILE.")] = "null",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the result; 0 only starts.")] = 30.0,
    url: Url = _HERE,
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Start a workflow and show what came of it. One that still runs after the wait is no failure."""
    value = _json(given, "--input")
    with _client(url, key) as client:
        execution = client.execution(client.execute(_found(client, workflow), value, wait).id)
    _show(execution, as_json)
    if execution.status not in (_SUCCEEDED, _RUNNING):
        raise typer.Exit(FAILED)


@workflows.command("list")
def list_workflows(url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False) -> None:
    """All workflows, by name."""
    with _client(url, key) as client:
        found = list(client.all_workflows())
    _table(found, ("id", "name", "version", "updated_at"), as_json)


@workflows.command("get")
def get_workflow(workflow: str, url: Url = _HERE, key: ApiKey = "") -> None:
    """One workflow with its definition, as JSON."""
    with _client(url, key) as client:
        _print_json(client.workflow(_found(client, workflow)))


@workflows.command("apply")
def apply_workflow(
    file: Annotated[Path, typer.Argument(help="A definition, as JSON.")],
    name: Annotated[str, typer.Option(help="The file's name unless told.")] = "",
    url: Url = _HERE,
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a workflow from a definition."""
    definition = _json(f"@{file}", "FILE")
    with _client(url, key) as client:
        workflow = client.create_workflow(name or file.stem, definition)
    if as_json:
        _print_json(workflow)
        return
    told = [f"{workflow.id}  {workflow.name}"]
    told += [f"  POST {hook.url}  starts it at '{hook.node}'" for hook in workflow.hooks]
    told += [f"  mind {warning.path}: {warning.message}" for warning in workflow.warnings]
    _out().print(*told, sep="\n", markup=False, highlight=False, soft_wrap=True)


@executions.command("list")
def list_executions(
    status: Annotated[list[str], typer.Option(help="Only those of this status; several: any of them.")] = [],  # noqa: B006 (typer's way)
    workflow: Annotated[str | None, typer.Option(help="Only those of this workflow.")] = None,
    trigger: Annotated[str | None, typer.Option(help="Only what was started so; map: parts of wide Maps.")] = None,
    since: Annotated[str | None, typer.Option(help="Started then or later, such as 2026-01-31T09:30:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Started then or before.")] = None,
    business_key: Annotated[str | None, typer.Option(help="Exactly this business key.")] = None,
    tag: Annotated[list[str], typer.Option(help="Has this tag; several: all of them.")] = [],  # noqa: B006 (same)
    attribute: Annotated[list[str], typer.Option(help="NAME=VALUE, NAME>=NUMBER or NAME<=NUMBER.")] = [],  # noqa: B006 (same)
    error: Annotated[str | None, typer.Option(help="Failed with this error code.")] = None,
    parent: Annotated[str | None, typer.Option(help="Child executions of this one.")] = None,
    text: Annotated[str | None, typer.Option(help="Words of its name, business key or error, or its id.")] = None,
    sort: Annotated[
        str, typer.Option(help="started_at, closed_at or duration; - before it: descending.")
    ] = "-started_at",
    archived: Annotated[bool, typer.Option("--archived", help="Those in the archive.")] = False,
    counted: Annotated[bool, typer.Option("--count", help="Only how many there are, by status.")] = False,
    limit: Limit = 20,
    url: Url = _HERE,
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Executions, the newest first."""
    filters: dict[str, Parameter | None] = {
        "status": status,
        "trigger": trigger,
        "started_from": since,
        "started_to": until,
        "business_key": business_key,
        "tag": tag,
        "attribute": attribute,
        "error": error,
        "parent": parent,
        "text": text,
        "archived": "true" if archived else None,
    }
    with _client(url, key) as client:
        filters["workflow"] = _found(client, workflow) if workflow else None
        if counted:
            _print_json(client.count(**filters))
            return
        found = list(islice(client.all_executions(limit, sort=sort, **filters), limit))
    _table(found, ("id", "workflow", "status", "started_at", "closed_at", "error"), as_json)


@executions.command("show")
def show_execution(execution: str, url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False) -> None:
    """One execution, node by node."""
    with _client(url, key) as client:
        _show(client.execution(execution), as_json)


Reason = Annotated[str, typer.Option(help="Kept in its book.")]


@executions.command("cancel")
def cancel_execution(execution: str, reason: Reason = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """Ask an execution to end, after its handlers for that; asking again ends it at once."""
    with _client(url, key) as client:
        client.cancel(execution, reason)


@executions.command("terminate")
def terminate_execution(execution: str, reason: Reason = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """End an execution at once."""
    with _client(url, key) as client:
        client.terminate(execution, reason)


@executions.command("pause")
def pause_execution(execution: str, reason: Reason = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """Let nothing new begin."""
    with _client(url, key) as client:
        client.pause(execution, reason)


@executions.command("resume")
def resume_execution(execution: str, url: Url = _HERE, key: ApiKey = "") -> None:
    """Let everything that is due go on."""
    with _client(url, key) as client:
        client.resume(execution)


@executions.command("reset")
def reset_execution(
    execution: str,
    node: Annotated[str, typer.Option(help="From before the last entry into this node.")] = "",
    turn: Annotated[int, typer.Option(min=-1, help="From behind this turn, as the events have it.")] = -1,
    newest: Annotated[bool, typer.Option("--newest", help="By the newest version, if it fits.")] = False,
    url: Url = _HERE,
    key: ApiKey = "",
) -> None:
    """Take an execution up again: prints the id of the new one."""
    place: dict[str, Parameter] = {"node": node} if node else {"turn": turn} if turn >= 0 else {}
    if not place:
        raise typer.BadParameter("Say from where: --node NAME or --turn N.")
    with _client(url, key) as client:
        _out().print(client.reset(execution, **place, version="newest" if newest else "same"))


@asl.command(
    "run", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def run_machine(context: typer.Context) -> None:
    """Run a state machine on this machine, without a server and without waiting: FILE --input FILE."""
    os.execv(sys.executable, [sys.executable, "-m", "functions.rehearse", *context.args])  # noqa: S606 (ours)


@asl.command("check")
def check_machine(
    file: Annotated[str, typer.Argument(help="A state machine, as JSON; - is standard input.")], as_json: AsJson = False
) -> None:
    """Tell everything that is wrong with a state machine; no server is needed. Warnings alone are no fault: exit code
    0, as the machine would be accepted."""
    from linkflow.language.asl_check import check_asl_text  # noqa: PLC0415 (a tenth of a second the others need not wait)

    found = [
        Finding(path=one.path, code=one.code, severity=one.severity, message=one.advice or one.message)
        for one in check_asl_text(_text(file))
    ]
    if found or as_json:
        _table(found, ("path", "code", "severity", "message"), as_json)
    else:
        _out().print("No problems.")
    if any(one.severity == "ERROR" for one in found):
        raise typer.Exit(WRONG)


@contextmanager
def _client(url: str, key: str) -> Iterator[Client]:
    with _refusals(), Client(url, key) as client:
        yield client


@contextmanager
def _refusals() -> Iterator[None]:
    """What the server refused is told in a sentence, with every fault."""
    try:
        yield
    except ApiError as error:
        told = [error.message, *(f"  {detail.path}: {detail.message}" for detail in error.details)]
        sys.stderr.write("\n".join(told) + "\n")
        raise typer.Exit(REFUSED) from None


def _found(client: Client, workflow: str) -> str:
    """The id of what may be an id or a name. Raises `ApiError`."""
    if workflow.startswith("wf_"):
        return workflow
    named = [one.id for one in client.all_workflows() if one.name == workflow]
    if len(named) == 1:
        return named[0]
    if named:
        raise ApiError(409, "ambiguous", f"Several workflows are called '{workflow}'; say which: {', '.join(named)}.")
    raise ApiError(404, "not_found", f"No workflow is called '{workflow}'; `linkflow workflows list` shows all.")


def _json(text: str, where: str) -> Json:
    try:
        return msgspec.json.decode(Path(text[1:]).read_bytes() if text.startswith("@") else text)
    except (OSError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{text}: {error}", param_hint=where) from None


def _text(file: str) -> str:
    """What a file, or standard input for `-`, holds; a byte order mark is passed over."""
    try:
        return (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="FILE") from None


def _out() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE)


def _show(execution: Execution, as_json: bool) -> None:
    if as_json:
        _print_json(execution)
        return
    out = _out()
    out.print(timeline(execution, out.width))
    if execution.error:
        out.print(f"\nerror: {execution.error}", style="red", markup=False, highlight=False, soft_wrap=True)
    elif execution.status == _SUCCEEDED:
        text = msgspec.json.encode(execution.output).decode()
        out.print(f"\noutput: {text}", markup=False, highlight=False, soft_wrap=True)


def _table(rows: Sequence[Record], columns: Iterable[str], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == "id")
    for row in rows:
        told = msgspec.to_builtins(row)
        table.add_row(*("" if told[name] is None else str(told[name]) for name in columns))
    _out().print(table, markup=False)


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
