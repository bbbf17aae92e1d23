"""The one place that reads the environment. Every setting is a variable `LINKFLOW_<NAME>`; all have a default except
where the chosen family cannot work without. Secrets never appear in `repr`, so a settings object may be logged.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from linkflow.errors import Fault, Invalid

MEBIBYTE = 1024 * 1024
_PREFIX = "LINKFLOW_"


class Settings(BaseModel):
    """What may differ between two installations of LinkFlow. Sizes are bytes, durations seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Literal["sqlite", "aws"] = Field("sqlite", description="Which adapters: one file, or AWS.")
    data: Path = Field(Path("data"), description="Directory of the SQLite file and of the key file (sqlite family).")
    host: str = Field("127.0.0.1", description="Address the embedded host listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the embedded host listens on; 0 picks a free one.")
    public_url: str = Field("", description="How callers reach this installation; empty means the listening address.")
    stage: str = Field("dev", pattern=r"^[a-z0-9-]{1,32}$", description="Name of the installation; part of AWS names.")
    region: str = Field("us-east-1", description="AWS region.")
    endpoint_url: str | None = Field(None, description="AWS endpoint of an emulator; empty means AWS itself.")
    table: str = Field("", description="DynamoDB table; empty means `linkflow-<stage>`.")
    bucket: str = Field("", description="S3 bucket of large values; empty means `linkflow-<stage>`.")
    kms_key: str = Field("", description="KMS key id or alias; empty means `alias/linkflow-<stage>`.")
    secret: SecretStr = Field(
        SecretStr(""),
        description="Signs calls into `/engine/v1` and callbacks out; empty: made and kept in `<data>/secret` (sqlite "
        "family), or both are refused (aws).",
    )
    allow_hosts: tuple[str, ...] = Field(
        (), description="Hosts, addresses or networks that nodes may reach although they are private; comma-separated."
    )
    cors_origins: tuple[str, ...] = Field((), description="Web origins that may call the API; comma-separated.")
    log: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level that is logged.")
    max_body: int = Field(MEBIBYTE, ge=1024, description="Largest request body the API takes, bytes.")
    resident: bool = Field(True, description="Whether the process stays: then a visit takes as long as it needs.")
    visit_seconds: float = Field(45.0, gt=0, description="How long one visit may drive one execution.")
    concurrency: int = Field(200, ge=1, description="Messages of one queue handled at a time in one process.")

    @property
    def address(self) -> str:
        """Where callers reach us, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def names(self) -> str:
        """What the names of AWS resources begin with."""
        return f"linkflow-{self.stage}"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environment` (the process's own by default). Raises `Invalid` listing every fault.
    Variables with our prefix that are no settings are somebody else's (the client has its own)."""
    source = os.environ if environment is None else environment  # noqa: TID251 (this is the one place)
    given = {
        name: _parsed(name, source[_PREFIX + name.upper()])
        for name in Settings.model_fields
        if _PREFIX + name.upper() in source
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        faults = [
            Fault(_PREFIX + str(e["loc"][0]).upper(), e["type"], e["msg"]) for e in error.errors(include_input=False)
        ]
        raise Invalid("The environment", faults) from None


def _parsed(name: str, text: str) -> str | tuple[str, ...] | None:
    if name in {"allow_hosts", "cors_origins"}:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name == "endpoint_url":
        return text or None
    return text
