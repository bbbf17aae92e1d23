"""The `linkflow` command.

Exit codes: 0 all is well; 1 the execution did not succeed; 2 the command was not understood; 3 the server could not be
reached, or refused.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from linkflow.client.client import ApiError, Client
from linkflow.client.demo.show import show
from linkflow.client.timeline import timeline

FAILED, REFUSED = 1, 3

main = typer.Typer(
    no_args_is_help=True,
    help="Durable workflows from the command line.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
workflows = typer.Typer(no_args_is_help=True, help="Create, list and read workflows.")
executions = typer.Typer(no_args_is_help=True, help="List, read and cancel executions.")
main.add_typer(workflows, name="workflows")
main.add_typer(executions, name="executions")

Url = Annotated[str, typer.Option(envvar="LINKFLOW_URL", help="Where the server is.")]
ApiKey = Annotated[str, typer.Option("--key", envvar="LINKFLOW_KEY", help="Your API key.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
_HERE = "http://127.0.0.1:8000"
_out = Console(soft_wrap=False)
_errors = Console(stderr=True)


@main.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def up(context: typer.Context) -> None:
    """Start LinkFlow on this machine; takes the options of scripts/run."""
    os.execv(sys.executable, [sys.executable, "-m", "functions", *context.args])  # noqa: S606 (our own program)


@main.command()
def demo() -> None:
    """Show an order intake at work: a webhook, a flaky shop, retries, a delay, a join, an answer."""
    try:
        with _refusals():
            asyncio.run(show(_out))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@main.command()
def run(
    workflow: str,
    given: Annotated[str, typer.Option("--input", help="JSON, or @FILE.")] = "null",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the result.")] = 30.0,
    url: Url = _HERE,
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Start a workflow and show what came of it."""
    with _client(url, key) as client:
        started = client.execute(workflow, _json(given), wait)
        execution = client.execution(started["id"])
    _show(execution, as_json)
    if execution["status"] not in ("succeeded", "running"):
        raise typer.Exit(FAILED)


@workflows.command("list")
def list_workflows(url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False) -> None:
    """All workflows, by name."""
    with _client(url, key) as client:
        _table(client.workflows(), ("id", "name", "version", "updated_at"), as_json)


@workflows.command("get")
def get_workflow(workflow: str, url: Url = _HERE, key: ApiKey = "") -> None:
    """One workflow with its definition, as JSON."""
    with _client(url, key) as client:
        _print_json(client.workflow(workflow))


@workflows.command("apply")
def apply_workflow(file: Path, name: str = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """Create a workflow from a definition in a JSON file."""
    with _client(url, key) as client:
        _print_json(client.create_workflow(name or file.stem, _json(f"@{file}")))


@executions.command("list")
def list_executions(
    status: str = "", limit: int = 20, url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False
) -> None:
    """The newest executions."""
    with _client(url, key) as client:
        found = client.executions(limit, **({"status": status} if status else {}))
        _table(found, ("id", "workflow", "status", "started_at", "closed_at", "error"), as_json)


@executions.command("show")
def show_execution(execution: str, url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False) -> None:
    """One execution, node by node."""
    with _client(url, key) as client:
        _show(client.execution(execution), as_json)


@executions.command("cancel")
def cancel_execution(execution: str, reason: str = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """Ask an execution to end."""
    with _client(url, key) as client:
        client.cancel(execution, reason)


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
        _errors.print(error.message, style="red", markup=False)
        for detail in error.details:
            _errors.print(f"  {detail.path}: {detail.message}", markup=False)
        raise typer.Exit(REFUSED) from None


def _json(text: str) -> Any:
    try:
        return json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{text}: {error}") from None


def _show(execution: Any, as_json: bool) -> None:
    if as_json:
        _print_json(execution)
        return
    _out.print(timeline(execution))
    _out.print("output:", execution["output"])


def _table(rows: list[Any], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    table = Table(*columns, box=None, header_style="dim")
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    _out.print(table)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
