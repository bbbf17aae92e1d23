"""What ends a task from outside: a token names one task of one execution, and cannot be guessed. A link is the same for
a browser or any other program: an address that is good for one person, and for a time.

Its proof is keyed with the execution's salt, so that only who was handed the token can make it up. It is the same
whenever it is asked for, as everything here.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal

import msgspec

from linkflow.execution.state import State
from linkflow.language.json import Json


class Token(msgspec.Struct, frozen=True, array_like=True):
    """`execution` is the id that its names give it."""

    workspace: str
    execution: str
    scope: int
    task: int
    proof: str = ""


LinkKind = Literal["resume", "approval"]


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What an address says at which somebody outside ends a task: as `person`, until the moment `expires`."""

    kind: LinkKind
    workspace: str
    execution: str
    scope: int
    task: int
    person: str
    expires: int
    proof: str = ""


_DECODER = msgspec.json.Decoder(Token)
_TOKEN = re.compile(r"WyJ[\w-]{40,}={0,2}")
"""The beginning is that of a list with a text."""
_LINKS = msgspec.json.Decoder(Link)


def task_token(state: State, scope: int, task: int) -> str:
    """The token of this task."""
    bare = Token(state.workspace, state.names.execution_id, scope, task)
    whole = msgspec.structs.replace(bare, proof=_proof(bare, state.salt))
    return urlsafe_b64encode(msgspec.json.encode(whole)).decode()


def read_token(token: str) -> Token | None:
    """What a token says of itself, which proves nothing yet; None for a text that is no token."""
    try:
        return _DECODER.decode(urlsafe_b64decode(token.encode()))
    except (binascii.Error, UnicodeError, msgspec.MsgspecError):
        return None


def taken_over(value: Json, state: State, scope: int, task: int) -> Json:
    """`value`, with the token that this task has now in place of the one it had in an execution from whose book this
    one goes on. (Whoever wrote what looks like one gets it where the task's own token goes anyway.)"""

    def now(found: re.Match[str]) -> str:
        before = read_token(found[0])
        same = before is not None and (before.workspace, before.scope, before.task) == (state.workspace, scope, task)
        return task_token(state, scope, task) if same else found[0]

    match value:
        case str():
            return _TOKEN.sub(now, value)
        case dict():
            return {name: taken_over(one, state, scope, task) for name, one in value.items()}
        case list():
            return [taken_over(one, state, scope, task) for one in value]
        case _:
            return value


def link(state: State, kind: LinkKind, scope: int, task: int, expires: float, person: str = "") -> str:
    """The last part of such an address."""
    bare = Link(kind, state.workspace, state.names.execution_id, scope, task, person, int(expires))
    whole = msgspec.structs.replace(bare, proof=_proof(bare, state.salt))
    return urlsafe_b64encode(msgspec.json.encode(whole)).decode().rstrip("=")


def read_link(text: str) -> Link | None:
    """What a link says of itself, which proves nothing yet; None for a text that is no link."""
    try:
        return _LINKS.decode(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (binascii.Error, UnicodeError, msgspec.MsgspecError):
        return None


def proves(token: Token | Link, state: State) -> bool:
    """Whether it was made for this execution."""
    bare = msgspec.structs.replace(token, proof="")
    ours = bare.execution == state.names.execution_id and bare.workspace == state.workspace
    return ours and compare_digest(token.proof.encode(), _proof(bare, state.salt).encode())


# ---------------------------------------------------------------- what stands for them in the book

StoodFor = Literal["resume", "approval", "token"]
_STAND_IN = re.compile(r"~(resume|approval|token)~(\d+)~([0-9a-f]*)~([0-9a-f]{32})~")


def stand_in(state: State, kind: StoodFor, scope: int, task: int, expires: float = 0.0, person: str = "") -> str:
    """A text for a token or the last part of a link, which proves nothing to anybody: books are shown to people who may
    not decide for others. It is made of characters that no encoding of addresses changes."""
    name = person.encode().hex()
    return f"~{kind}~{int(expires)}~{name}~{_mark(state, kind, scope, task, int(expires), name)}~"


def filled_in(value: Json, state: State, scope: int, task: int, before: Sequence[State] = ()) -> Json:
    """`value`, with the real ones in place of what stands for them. Only what was made for this task counts, so nobody
    gets a link by writing what looks like one; in an execution that goes on from the books of others, their states
    `before`, it may have been made there."""

    def real(found: re.Match[str]) -> str:
        kind, expires, name, mark = found.groups()
        marks = [_mark(one, kind, scope, task, int(expires), name) for one in (state, *before)]
        if not any(compare_digest(mark, one) for one in marks):
            return found[0]
        if kind == "token":
            return task_token(state, scope, task)
        return link(state, "resume" if kind == "resume" else "approval", scope, task, int(expires), _text(name))

    match value:
        case str():
            return _STAND_IN.sub(real, value)
        case dict():
            return {name: filled_in(one, state, scope, task, before) for name, one in value.items()}
        case list():
            return [filled_in(one, state, scope, task, before) for one in value]
        case _:
            return value


def _text(name: str) -> str:
    return bytes.fromhex(name).decode()


def _mark(state: State, kind: str, scope: int, task: int, expires: int, name: str) -> str:
    key = blake2b(b"stand-in" + state.salt.encode(), digest_size=32).digest()
    told = msgspec.json.encode([kind, state.names.execution_id, scope, task, expires, name])
    return blake2b(told, key=key, digest_size=16).hexdigest()


def _proof(bare: Token | Link, salt: str) -> str:
    key = blake2b(salt.encode(), digest_size=32).digest()
    return blake2b(msgspec.json.encode(bare), key=key, digest_size=16).hexdigest()
