"""What the units of `meter.py` cost: AWS's public on-demand list for us-east-1, without free tiers and discounts.

Checked in November 2026 against the pages named beside each; change the date with the numbers.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Unit(StrEnum):
    """What AWS bills by."""

    WRITE = "write units"
    """One KB written to the table or to one of its indexes (aws.amazon.com/dynamodb/pricing/on-demand)."""
    READ = "read units"
    """Four KB read so that every finished write is seen; half as much is billed where reads may lag (same page)."""
    FIFO = "FIFO requests"
    """64 KB of a call to a FIFO queue (aws.amazon.com/sqs/pricing)."""
    QUEUE = "queue requests"
    """The same, to a queue without order."""
    INVOCATION = "invocations"
    """aws.amazon.com/lambda/pricing, and so is the next."""
    COMPUTE = "GB-seconds"
    BLOB_PUT = "blobs written"
    """aws.amazon.com/s3/pricing, and so is the next."""
    BLOB_GET = "blobs read"
    REQUEST = "HTTP requests"
    """To the REST API (aws.amazon.com/api-gateway/pricing)."""
    LOG = "GB of log"
    """aws.amazon.com/cloudwatch/pricing"""


_MILLION: Final = 1_000_000

DOLLARS: Final[Mapping[Unit, float]] = {
    Unit.WRITE: 0.625 / _MILLION,
    Unit.READ: 0.125 / _MILLION,
    Unit.FIFO: 0.50 / _MILLION,
    Unit.QUEUE: 0.40 / _MILLION,
    Unit.INVOCATION: 0.20 / _MILLION,
    Unit.COMPUTE: 0.0000166667,
    Unit.BLOB_PUT: 5.00 / _MILLION,
    Unit.BLOB_GET: 0.40 / _MILLION,
    Unit.REQUEST: 3.50 / _MILLION,
    Unit.LOG: 0.50,
}
"""US dollars for one of each."""

STANDARD_TRANSITION: Final = 25.0 / _MILLION
"""One state transition of a Standard state machine (aws.amazon.com/step-functions/pricing)."""
EXPRESS_REQUEST: Final = 1.0 / _MILLION
"""One execution of an Express state machine, beside its GB-seconds (in steps of 64 MB and 100 ms)."""
EXPRESS_GB_SECOND: Final = 0.00001667
