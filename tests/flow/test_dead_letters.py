"""Dead letters through the engine's door."""

from linkflow.engine.dead_letters import bury
from linkflow.messages import LANE
from linkflow.ports import Message
from tests.flow.door import Door
from tests.flow.house import House


async def test_dead_letters_are_listed_with_their_reason_sent_again_and_forgotten(house: House) -> None:
    door = await Door.of(house)
    for workspace in (door.workspace, "ws_other"):
        body = f'{{"type":"wake","workspace":"{workspace}","execution":"ex_none"}}'.encode()
        await bury(house.world.engine, Message("1", LANE.name, body, 20, "1", "ex_none"), "KeyError: 'x'")
    page = (await door.send("GET", "/engine/v1/dead-letters")).json()
    (letter,) = page["data"]
    assert (letter["queue"], letter["reason"], letter["workspace"]) == ("lane", "KeyError: 'x'", door.workspace)
    assert len((await door.send("GET", "/engine/v1/dead-letters?everywhere=true")).json()["data"]) == 2
    unknown = await door.send("POST", "/engine/v1/dead-letters/redrive", {"ids": ["lane.nothing"]})
    assert (unknown.status_code, "dead letter" in unknown.json()["error"]["message"]) == (404, True)
    again = await door.send("POST", "/engine/v1/dead-letters/redrive", {"ids": [letter["id"]]})
    assert again.json() == {"count": 1}
    gone = await door.send("POST", "/engine/v1/dead-letters/purge", {"everywhere": True})
    assert gone.json() == {"count": 1}
    assert (await door.send("GET", "/engine/v1/dead-letters?everywhere=true")).json()["data"] == []


async def test_remote_workers_may_sign_instead_of_having_a_key(house: House) -> None:
    door = await Door.of(house)
    answer = await door.send("POST", "/engine/v1/task-queues/print/poll", {"worker": "w"})
    assert (answer.status_code, answer.json()) == (200, {"data": []})
    assert (await house.http.post("/engine/v1/task-queues/print/poll", json={})).status_code == 401
