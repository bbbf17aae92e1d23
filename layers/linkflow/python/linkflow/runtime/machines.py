"""The state machines that come with the platform (`state_machines/`), read when they are first asked for."""

from functools import lru_cache
from importlib import resources

import msgspec

from linkflow.language.json import Json

PACKAGE = "state_machines"


@lru_cache
def shipped(name: str) -> Json:
    """The definition. Raises `FileNotFoundError` for a name that is none."""
    document: Json = msgspec.json.decode(resources.files(PACKAGE).joinpath(f"{name}.asl.json").read_bytes())
    return document
