from ipaddress import ip_network
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from linkflow.language.graph.template import has_expression
from linkflow.nodes.base import TriggerNode

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$")]
WEEK = 604_800.0


def _network(text: str) -> str:
    return str(ip_network(text, strict=False))


Network = Annotated[str, AfterValidator(_network)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deduplication(_Part):
    """Calls that are the same by a `header`, an `expression` over the call (`{{ trigger.body.id }}`) or the `body`,
    within `window` seconds of the first, are one call. A call without the header, or whose expression gives null, is
    unlike any other."""

    by: Literal["header", "expression", "body"]
    header: HeaderName | None = None
    expression: str | None = Field(None, max_length=10_000)
    window: float = Field(86_400.0, ge=1, le=WEEK)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.by == "header" and self.header is None:
            raise ValueError("Name the 'header' that tells calls apart.")
        if self.by == "expression" and not has_expression(self.expression):
            raise ValueError("Write the 'expression' that tells calls apart, such as {{ trigger.body.id }}.")
        return self


class Rate(_Part):
    """At most so many `calls` in each period of so many `seconds`."""

    calls: int = Field(ge=1, le=1_000_000)
    seconds: int = Field(60, ge=1, le=86_400)


class NoProof(_Part):
    type: Literal["none"] = "none"


class HeaderProof(_Part):
    """The secret stands in a header of its own."""

    type: Literal["header"]
    header: HeaderName = "X-Webhook-Secret"


class BasicProof(_Part):
    """The secret is the password of `user`."""

    type: Literal["basic"]
    user: str = Field("linkflow", min_length=1, max_length=200, pattern=r"^[^:]+$")


class BearerProof(_Part):
    type: Literal["bearer"]


class HmacProof(_Part):
    """The body is signed with the secret, in the way of a provider, or in one's own: then `header` holds `prefix` and
    the HMAC of the body. `tolerance`: seconds by which a signed timestamp may be off."""

    type: Literal["hmac"]
    preset: Literal["github", "stripe", "slack", "linkflow", "custom"] = "custom"
    header: HeaderName = "X-Signature"
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = Field("", max_length=50)
    tolerance: float = Field(300.0, ge=1, le=86_400)


Authentication = Annotated[NoProof | HeaderProof | BasicProof | BearerProof | HmacProof, Field(discriminator="type")]


class Webhook(TriggerNode):
    """Starts the workflow when its address is called. Output: `{"method", "path", "headers", "query", "body"}`; `path`
    is what follows the address, a JSON body is parsed, any other is text. What proves who calls is not kept.

    The secret that `authentication` asks for is made (or given) with the workflow, shown once, and kept sealed."""

    type: ClassVar[str] = "webhook"
    fixed: ClassVar[frozenset[str]] = frozenset(
        {"method", "answer", "authentication", "allow_from", "rate", "max_body"}
    )

    method: Method | Literal["ANY"] | Annotated[list[Method], Field(min_length=1)] = "POST"
    answer: Literal["at_once", "when_done", "respond_node"] = "at_once"
    """What the caller gets: 202 at once, the execution's output, or what a respond node says."""
    authentication: Authentication = NoProof()
    allow_from: list[Network] = Field(default_factory=list, max_length=200)
    """Networks (`203.0.113.0/24`, `2001:db8::/32`) that may call; empty means all."""
    deduplicate: Deduplication | None = None
    rate: Rate | None = None
    max_body: int | None = Field(None, ge=0)
    """Bytes; never more than the installation takes."""

    @property
    def methods(self) -> tuple[str, ...]:
        if self.method == "ANY":
            return ("GET", "POST", "PUT", "PATCH", "DELETE")
        return (self.method,) if isinstance(self.method, str) else tuple(self.method)

    @property
    def secretive(self) -> bool:
        """Whether its callers must prove who they are."""
        return self.authentication.type != "none"
