"""What tests of waits have in common: executions that have come to their wait, and links that were sent out."""

import json
from typing import Any

from tests.flow.house import House
from tests.flow.outside import Outside

Json = Any


async def until_submitted(house: House, execution: str, times: int = 1) -> None:
    """Returns when the execution's task (or so many) waits for the outside world."""
    after, seen = -1, 0
    for _ in range(100):
        page = await house.events(execution, after, 5)
        seen += sum(event["type"] == "TaskSubmitted" for event in page["data"])
        if seen >= times:
            return
        assert not page["closed"], page
        after = page["next_after"]
    raise AssertionError("nothing was submitted")


def sent(outside: Outside, number: int = 0) -> Json:
    """The body of a call that was made."""
    return json.loads(outside.seen[number]["body"])


def path_of(url: str) -> str:
    """A link as the house under test knows it, whatever its public address."""
    return "/" + url.split("/", 3)[3]


def notifying(outside: Outside, **body: Json) -> Json:
    return {"url": f"{outside.address}/ok", "method": "POST", "body": body}
