"""`python -m functions.rehearse FILE`: a state machine run from beginning to end on this machine, without a server and
without waiting. `linkflow asl run` ends here.

It is the engine itself, in memory: what it prints is what a server would have recorded. Exit codes: 0 it succeeded,
1 it did not, 2 the file or the definition is wrong.
"""

import argparse
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path

import msgspec

from functions.services import declare
from linkflow.execution.history import history
from linkflow.language.asl_check import check_asl_text
from linkflow.language.json import Json
from linkflow.runtime.hosts.rehearsal import Piece, Rehearsed, rehearse
from linkflow.runtime.telemetry import start_logging

FAILED, WRONG = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        text, value = _content(given.file), _json(given.input) if given.input else {}
        problems = [problem for problem in check_asl_text(text.decode("utf-8-sig")) if problem.severity == "ERROR"]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return WRONG
    if problems:
        for problem in problems:
            print(f"{problem.path}: {problem.advice or problem.message} ({problem.code})", file=sys.stderr)
        return WRONG
    start_logging("error")
    hosts = tuple(given.allow.split(",")) if given.allow else ()
    definition = msgspec.json.decode(text.removeprefix(BOM_UTF8))
    done = rehearse(declare, Piece("asl", definition, value, name=given.file, allow_hosts=hosts))
    _show(done, as_json=given.json)
    return 0 if done.state.status == "succeeded" else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("linkflow asl run", description="Run a state machine here, without waiting.")
    parser.add_argument("file", metavar="FILE", help="the definition, JSON; - is standard input")
    parser.add_argument("--input", metavar="FILE", help="what it starts with, JSON ({})")
    parser.add_argument("--allow", help="private hosts that it may call, comma-separated")
    parser.add_argument("--json", action="store_true", help="for programs: everything as JSON")
    return parser


def _content(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _json(file: str) -> Json:
    try:
        return msgspec.json.decode(_content(file))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not JSON: {error}") from None


def _show(done: Rehearsed, *, as_json: bool) -> None:
    told = history(done.program, [(turn.at, turn.events) for turn in done.turns])
    state, begun = done.state, done.turns[0].at
    failure = state.failure
    if as_json:
        events = [
            {"id": event.id, "type": event.type, "after": round(event.timestamp - begun, 3), "details": event.details}
            for event in told
        ]
        error = failure and {"error": failure.error, "cause": failure.cause}
        whole = {"status": state.status, "output": state.output, "failure": error, "events": events}
        print(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
        return
    for event in told:
        print(f"{event.timestamp - begun:>12.3f} s  {event.type:<32} {event.details.get('name', '')}".rstrip())
    print(f"\n{state.status}" + (" after all the time it was given" if state.status == "running" else ""))
    if failure is not None:
        place = "/".join(part for part in (failure.path, failure.node) if part)
        print(f"error: {failure.error}\ncause: {failure.cause}" + (f"\nstate: {place}" if place else ""))
    elif state.status == "succeeded":
        print(f"output: {msgspec.json.encode(state.output).decode()}")


if __name__ == "__main__":
    sys.exit(main())
