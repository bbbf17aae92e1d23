"""Every verb of the platform, as its state machines name them."""

from collections.abc import Mapping
from typing import Final

from linkflow.engine.engine import Integration
from linkflow.engine.platform import bulk, deletion, deliveries, upkeep
from linkflow.engine.platform.verb import PREFIX, only_for_the_platform

PLATFORM: Final[Mapping[str, Integration]] = {
    PREFIX + name: only_for_the_platform(verb)
    for name, verb in {**deliveries.VERBS, **bulk.VERBS, **deletion.VERBS, **upkeep.VERBS}.items()
}
