"""What ends a task from outside: a token names one task of one execution, and cannot be guessed. A link is the same for
a browser or any other program: an address that is good for one person, and for a time.

Its proof is keyed with the execution's salt, so that only who was handed the token can make it up. It is the same
whenever it is asked for, as everything here.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal

import msgspec

from linkflow.execution.state import State


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


def _proof(bare: Token | Link, salt: str) -> str:
    key = blake2b(salt.encode(), digest_size=32).digest()
    return blake2b(msgspec.json.encode(bare), key=key, digest_size=16).hexdigest()
