"""The `linkflow` command: what it can do. How commands read, print and end stands in `terminal`."""

import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linkflow.client.demo.demo import demo as demonstrate
from linkflow.client.records import Finding
from linkflow.client.terminal import (
    FAILED,
    INTERRUPTED,
    SUCCEEDED,
    WRONG,
    ApiKey,
    AsJson,
    Limit,
    Reason,
    Url,
    connected,
    found_workflow,
    json_of,
    out,
    print_json,
    print_table,
    refusals,
    show,
    text_of,
)

if TYPE_CHECKING:
    from linkflow.client.calls import Parameter

_RUNNING = "running"
_HERE = "http://127.0.0.1:8000"

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


@main.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def up(context: typer.Context) -> None:
    """Start LinkFlow on this machine; takes the options of scripts/run."""
    os.execv(sys.executable, [sys.executable, "-m", "functions", *context.args])  # noqa: S606 (our own program)


@main.command()
def demo() -> None:
    """Show an order intake at work: a webhook, a flaky shop, retries, a delay, a join, an answer."""
    try:
        with refusals():
            demonstrate(out())
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
    value = json_of(given, "--input")
    with connected(url, key) as client:
        execution = client.execution(client.execute(found_workflow(client, workflow), value, wait).id)
    show(execution, as_json)
    if execution.status not in (SUCCEEDED, _RUNNING):
        raise typer.Exit(FAILED)


@workflows.command("list")
def list_workflows(url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False) -> None:
    """All workflows, by name."""
    with connected(url, key) as client:
        found = list(client.all_workflows())
    print_table(found, ("id", "name", "version", "updated_at"), as_json)


@workflows.command("get")
def get_workflow(workflow: str, url: Url = _HERE, key: ApiKey = "") -> None:
    """One workflow with its definition, as JSON."""
    with connected(url, key) as client:
        print_json(client.workflow(found_workflow(client, workflow)))


@workflows.command("apply")
def apply_workflow(
    file: Annotated[Path, typer.Argument(help="A definition, as JSON.")],
    name: Annotated[str, typer.Option(help="The file's name unless told.")] = "",
    url: Url = _HERE,
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a workflow from a definition."""
    definition = json_of(f"@{file}", "FILE")
    with connected(url, key) as client:
        workflow = client.create_workflow(name or file.stem, definition)
    if as_json:
        print_json(workflow)
        return
    told = [f"{workflow.id}  {workflow.name}"]
    told += [f"  POST {hook.url}  starts it at '{hook.node}'" for hook in workflow.hooks]
    told += [f"  mind {warning.path}: {warning.message}" for warning in workflow.warnings]
    out().print(*told, sep="\n", markup=False, highlight=False, soft_wrap=True)


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
    with connected(url, key) as client:
        filters["workflow"] = found_workflow(client, workflow) if workflow else None
        if counted:
            print_json(client.count(**filters))
            return
        found = list(islice(client.all_executions(limit, sort=sort, **filters), limit))
    print_table(found, ("id", "workflow", "status", "started_at", "closed_at", "error"), as_json)


@executions.command("show")
def show_execution(execution: str, url: Url = _HERE, key: ApiKey = "", as_json: AsJson = False) -> None:
    """One execution, node by node."""
    with connected(url, key) as client:
        show(client.execution(execution), as_json)


@executions.command("cancel")
def cancel_execution(execution: str, reason: Reason = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """Ask an execution to end, after its handlers for that; asking again ends it at once."""
    with connected(url, key) as client:
        client.cancel(execution, reason)


@executions.command("terminate")
def terminate_execution(execution: str, reason: Reason = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """End an execution at once."""
    with connected(url, key) as client:
        client.terminate(execution, reason)


@executions.command("pause")
def pause_execution(execution: str, reason: Reason = "", url: Url = _HERE, key: ApiKey = "") -> None:
    """Let nothing new begin."""
    with connected(url, key) as client:
        client.pause(execution, reason)


@executions.command("resume")
def resume_execution(execution: str, url: Url = _HERE, key: ApiKey = "") -> None:
    """Let everything that is due go on."""
    with connected(url, key) as client:
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
    with connected(url, key) as client:
        out().print(client.reset(execution, **place, version="newest" if newest else "same"))


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
        for one in check_asl_text(text_of(file))
    ]
    if found or as_json:
        print_table(found, ("path", "code", "severity", "message"), as_json)
    else:
        out().print("No problems.")
    if any(one.severity == "ERROR" for one in found):
        raise typer.Exit(WRONG)
