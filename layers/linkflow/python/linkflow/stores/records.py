"""The records that stores keep, as they are written: compact JSON, unknown fields ignored, new fields with defaults."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from linkflow.execution.state import Status
from linkflow.language.json import Json

AnyRecord = TypeVar("AnyRecord", bound=msgspec.Struct)


class Archived(msgspec.Struct, frozen=True, array_like=True):
    """Where an archived book is: so many bytes of a blob. `turns` is the number of its last turn, `at` the moment."""

    blob: str
    start: int
    size: int
    turns: int
    at: float


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What lists and searches know of an execution. `check_at`: when the watchdog looks after it (open ones only).
    `business_key` is the caller's own name for it, `attributes` are what else it may be searched by; `parent` is the
    execution whose task waits for it."""

    workspace: str
    execution: str
    workflow: str
    version: int
    started_at: float
    name: str = ""
    trigger: str = "manual"
    status: Status = "running"
    closed_at: float | None = None
    error: str | None = None
    check_at: float | None = None
    business_key: str = ""
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, str | float | bool] = {}
    priority: int = 0
    parent: str = ""
    unique: bool = False
    """Whether its business key was claimed for it alone."""
    reset_to: str = ""
    """The execution that took it up again, the last one if there are several."""
    archived: Archived | None = None


class Workflow(msgspec.Struct, frozen=True, omit_defaults=True):
    workspace: str
    id: str
    name: str
    dialect: str
    version: int
    created_at: float
    updated_at: float
    hooks: tuple["Hook", ...] = ()


class Hook(msgspec.Struct, frozen=True):
    """A webhook's address, given once and kept: `token` is the secret part of it."""

    node: str
    token: str


class WorkflowVersion(msgspec.Struct, frozen=True):
    """An immutable snapshot. `definition` is the document as JSON text, `hash` names its content."""

    number: int
    hash: str
    dialect: str
    definition: msgspec.Raw
    created_at: float
    express: bool = False
    """Of a state machine: nothing is recorded before it waits or ends."""


class HookSecret(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a webhook's callers prove themselves with, sealed; good until the moment `until`, or for ever."""

    sealed: bytes
    until: float | None = None


class HookTarget(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a webhook's token leads, and what its node says about calls."""

    workspace: str
    workflow: str
    node: str
    config: Mapping[str, Json] = {}
    secrets: tuple[HookSecret, ...] = ()


class File(msgspec.Struct, frozen=True):
    """A file as its bucket lists it: bytes, the digest of its content, when it was written, and the blob that holds
    it."""

    bucket: str
    name: str
    size: int
    digest: str
    modified: float
    blob: str


class ApiKey(msgspec.Struct, frozen=True):
    """Stored under the hash of its text; the text itself is shown once and kept nowhere."""

    id: str
    workspace: str
    user: str
    name: str
    created_at: float


class Owner(msgspec.Struct, frozen=True):
    user: str
    workspace: str
    created_at: float


class Claim(msgspec.Struct, frozen=True):
    """Which execution has a business key for itself."""

    execution: str


class Answered(msgspec.Struct, frozen=True):
    """What an idempotency key stands for: the execution it started, and the request's digest."""

    execution: str
    digest: str


_encoder = msgspec.json.Encoder()


def encode(record: msgspec.Struct) -> bytes:
    return _encoder.encode(record)


def decode(content: bytes, kind: type[AnyRecord]) -> AnyRecord:
    return msgspec.json.decode(content, type=kind)
