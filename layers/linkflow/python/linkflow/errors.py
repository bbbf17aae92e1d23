"""Everything that can go wrong, as one tree. The text lives in the class; the class says whose move it is.

    LinkFlowError
    ├── Refused                  the caller's move: change the request          4xx
    │   ├── Malformed            not what the door takes (JSON, types)          400
    │   ├── Unauthenticated      no key, or a wrong one                         401
    │   ├── Untrusted            a webhook's caller who cannot prove who it is  401
    │   ├── BadSignature         not signed, or not by whom it should be        401
    │   ├── Forbidden            a good key that may not do this                403
    │   ├── Barred               a caller whose address is not let in           403
    │   ├── NotAsked             a known person who may not decide this         403
    │   ├── NotFound             no such thing in this workspace                404
    │   ├── WrongMethod          something is there, but not for this HTTP method       405
    │   ├── Conflict             the thing is not in a state that allows it     409
    │   │   └── Held             held by somebody, and takes no starts           409
    │   ├── Outdated             changed by somebody else meanwhile             412
    │   ├── LinkOver             a link that was used, or came too late         410
    │   ├── TooLarge             over a documented limit                        413
    │   ├── Invalid              well-formed but wrong: every fault listed      422
    │   ├── RateLimited          too many requests; says when to come back      429
    │   ├── LongHeaders          more headers than are kept                     431
    │   └── NotConfigured        this installation was not set up for it        501
    ├── TryAgain                 nobody's fault, the same call may succeed      503
    │   ├── Throttled            a store or queue asked us to slow down
    │   ├── Maintenance          the engine takes no starts for a while
    │   ├── Unopened             an execution whose opening is not there yet
    │   └── Unreachable          a store or queue did not answer
    ├── ConditionFailed          a conditional write lost; never leaves the stores
    └── Broken                   our fault: a bug or a damaged record           500

Errors of a *workflow* (a node that failed, an expression that found nothing) are not exceptions but data:
`execution.state.Failure`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in what the caller sent: where (`$.nodes[2].config.url`), a stable code, how to mend it."""

    path: str
    code: str
    message: str


class LinkFlowError(Exception):
    """The root. `code` is stable and documented; the message is for people; `details` lists every fault."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: Sequence[Fault] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})


class Refused(LinkFlowError):
    """The request cannot be carried out as it is; sending it again unchanged will not help."""

    status = 400
    code = "refused"


class Malformed(Refused):
    code = "malformed_request"


class Unauthenticated(Refused):
    status = 401
    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__(
            "No valid API key. Send it as 'Authorization: Bearer lf_…'; the first start prints one.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class Untrusted(Refused):
    """`message` says which proof is missing or wrong, and never what the right one would be."""

    status = 401
    code = "untrusted_caller"


class BadSignature(Refused):
    status = 401
    code = "bad_signature"


class Forbidden(Refused):
    status = 403
    code = "forbidden"

    def __init__(self, permission: str) -> None:
        super().__init__(f"This API key lacks the permission '{permission}'.")


class Barred(Refused):
    status = 403
    code = "address_not_allowed"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"Calls from {address or 'an unknown address'} are not let in here; 'allow_from' says which are."
        )


class NotAsked(Refused):
    status = 403
    code = "not_asked"


class NotFound(Refused):
    status = 404
    code = "not_found"

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"There is no {kind} '{identifier}' in this workspace.")


class WrongMethod(Refused):
    status = 405
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"This address does not take {method}, but {allowed}.", headers={"Allow": allowed})


class Conflict(Refused):
    status = 409
    code = "conflict"


class Held(Conflict):
    code = "held"

    def __init__(self, what: str, mode: str, reason: str) -> None:
        doing = {"pause": "paused", "drain": "being drained"}[mode]
        said = f" ({reason})" if reason else ""
        super().__init__(f"The {what} is {doing}{said} and takes no starts; resume it, or try again later.")


class Outdated(Refused):
    status = 412
    code = "outdated"

    def __init__(self, kind: str, revision: int) -> None:
        super().__init__(
            f"Somebody changed the {kind} meanwhile; the revision is {revision} now. Read again, and send your change "
            "with that revision."
        )


class LinkOver(Refused):
    status = 410
    code = "link_over"


class TooLarge(Refused):
    status = 413
    code = "too_large"

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(f"{what} is {size:,} bytes; the limit is {limit:,}.")


class Invalid(Refused):
    status = 422
    code = "invalid"

    def __init__(self, what: str, faults: Sequence[Fault]) -> None:
        count = f"{len(faults)} problem" + ("s" if len(faults) != 1 else "")
        super().__init__(f"{what} has {count}; see details.", faults)


class RateLimited(Refused):
    status = 429
    code = "rate_limited"

    def __init__(self, what: str, retry_after: int) -> None:
        super().__init__(f"Too many {what}; try again in {retry_after} s.", headers={"Retry-After": str(retry_after)})


class LongHeaders(Refused):
    status = 431
    code = "headers_too_large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"The headers are {size:,} bytes; the limit is {limit:,}.")


class NotConfigured(Refused):
    """The operator's move: a setting is missing, and the message says which."""

    status = 501
    code = "not_configured"


class TryAgain(LinkFlowError):
    status = 503
    code = "try_again"


class Throttled(TryAgain):
    code = "throttled"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} asked us to slow down; try again.", headers={"Retry-After": "1"})


class Maintenance(TryAgain):
    code = "maintenance"

    def __init__(self, reason: str) -> None:
        said = f": {reason}" if reason else ""
        super().__init__(
            f"The engine takes no starts for a while{said}. Try again later.", headers={"Retry-After": "60"}
        )


class Stopping(TryAgain):
    code = "stopping"

    def __init__(self) -> None:
        super().__init__("This process is being stopped; try again.", headers={"Retry-After": "1"})


class Unopened(TryAgain):
    code = "unopened"

    def __init__(self, execution: str) -> None:
        super().__init__(f"The opening of {execution} is not there yet; try again.", headers={"Retry-After": "1"})


class Unreachable(TryAgain):
    code = "unreachable"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} did not answer; try again.", headers={"Retry-After": "1"})


class ConditionFailed(LinkFlowError):
    """A conditional write found the item otherwise than expected. The stores turn it into a meaning."""

    code = "condition_failed"


class Broken(LinkFlowError):
    """Something that cannot be. `message` is for the log; callers are told only that it is our fault."""
