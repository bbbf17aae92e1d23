"""Which Resources of a Task wait for the outside world, as LinkFlow names them.

    linkflow:wait_for_signal     {"name", "filter"?, "with"?}   ends with the payload of a signal
    linkflow:wait_for_event      {"type", "filter"?, "with"?}   ends with a CloudEvent
    linkflow:wait_for_callback   {"notify"?}                    ends with what is posted to its link
    linkflow:approval            {"title", …}                   ends when enough people have decided

`filter` is JSONata as it stands, without `{% %}`: it is judged when something comes, over `signal` or `event`, and over
the members of `with`, which is where values of the execution go. Each may also end in `.waitForTaskToken`.
"""

from typing import Final

CALLED_BACK: Final = ".waitForTaskToken"
RECEIVE: Final = "linkflow:wait_for_signal"
EVENT: Final = "linkflow:wait_for_event"
CALLBACK: Final = "linkflow:wait_for_callback"
APPROVAL: Final = "linkflow:approval"

BY_TOKEN: Final = frozenset({EVENT, CALLBACK, APPROVAL})
"""Those that are tasks, ended by their token whether or not the Resource says so."""


def bare(resource: str) -> str:
    """The resource without the pattern that it may have as well."""
    return resource.removesuffix(CALLED_BACK)


def plain(resource: str) -> str:
    """The resource without any pattern: what is to be done, however it ends."""
    return bare(resource.removesuffix(":2").removesuffix(".sync"))
