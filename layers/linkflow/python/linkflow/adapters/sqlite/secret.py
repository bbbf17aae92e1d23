"""The signing secret of an installation that was given none: made once, kept in a file beside the database."""

import os
from pathlib import Path

from linkflow.adapters.sqlite.draft import draft
from linkflow.errors import Broken
from linkflow.ports import Ids

FILE = "secret"


def kept_secret(directory: Path, names: Ids) -> str:
    """The secret of `directory`, made if it has none. Raises `Broken` for a file that holds nothing."""
    path = directory / FILE
    if not path.exists():
        owners_only(path, names.secret() + "\n")
    text = path.read_text("utf-8").strip()
    if not text:
        raise Broken(f"The file {path} is empty; delete it to have a new secret made, or write the old one into it.")
    return text


def owners_only(path: Path, content: str) -> None:
    """Write a file that is readable by its owner only, from the first byte on; one that is there already stands."""
    with draft(path) as name:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
