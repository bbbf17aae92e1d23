"""Who must keep the contract: the registry of adapter families."""

from tests.contract.aws_family import ENDPOINT, on_an_emulator
from tests.contract.family import LINE, MAX_RECEIVES, PLAIN, QUEUES, VISIBILITY, Factory, Family
from tests.contract.sqlite_family import in_a_file, in_memory, on_a_slow_disk

__all__ = ["FAMILIES", "LINE", "MAX_RECEIVES", "PLAIN", "QUEUES", "VISIBILITY", "Factory", "Family"]

_EMBEDDED: dict[str, Factory] = {
    "sqlite": in_a_file,
    "sqlite on a slow disk": on_a_slow_disk,
    "sqlite in memory": in_memory,
}
FAMILIES: dict[str, Factory] = {**({} if ENDPOINT else _EMBEDDED), "aws": on_an_emulator}
