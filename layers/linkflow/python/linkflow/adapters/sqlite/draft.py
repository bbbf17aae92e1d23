"""Files that appear whole or not at all, though several processes may want to be the one that makes them."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def draft(path: Path) -> Iterator[Path]:
    """A name beside `path` to write the file under. On leaving, it is linked to `path`, durably; if another process
    was first, that one's file stands and this one is dropped. The body closes (and syncs) what it writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.with_name(f"{path.name}.draft-{secrets.token_hex(8)}")
    try:
        yield name
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        name.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
