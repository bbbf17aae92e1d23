"""Logs: one JSON object a line on standard error, with the same keys everywhere.

    _log.info("turn", extra={"workspace": …, "execution": …, "turn": 7, "events": 3})

`message` is a stable machine word (or a short sentence where people are told something once); everything else is a
key. Reserved keys: `time`, `level`, `logger`, `message`, `error`, `traceback`. A value under a key that looks like a
secret is masked, and so are such keys inside mappings. A line costs about 20 µs of CPU, one
below the level 0.3 µs.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import msgspec

MASKED = "***"
_SECRET = re.compile(
    r"secret|password|passwd|token(?!s)|authorization|api_?key|credential|cookie|signature|private", re.IGNORECASE
)
_encoder = msgspec.json.Encoder(enc_hook=str)
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for key, value in vars(record).items():
            if key not in _OWN:
                line[key] = MASKED if _is_secret(key) else _masked(value)
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = self.formatException(record.exc_info)
        return _encoder.encode(line).decode()


@lru_cache(1024)
def _is_secret(key: str) -> bool:
    return _SECRET.search(key) is not None


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): MASKED if _is_secret(str(key)) else _masked(inner) for key, inner in value.items()}
    return value


def start_logging(level: str, stream: TextIO | None = None) -> None:
    """Send everything from `level` (`debug`, `info`, `warning`, `error`) up to `stream` (standard error). Libraries
    speak only from `warning` up, unless `level` is `debug`."""
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    for ours in ("linkflow", "functions"):
        logging.getLogger(ours).setLevel(level.upper())
