"""The queues: what is sent is delivered until it is deleted, and the lines of FIFO groups never overtake themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from linkflow.ports import Message, Queue, QueueSpec, Send
from tests.contract.family import FAIR, FAIR_LINE, LINE, MAX_RECEIVES, PLAIN, VISIBILITY, Family

Elapse = Callable[[float], Awaitable[None]]


def task(body: str, delay: float = 0.0) -> Send:
    return Send(PLAIN.name, body.encode(), delay=delay)


def news(body: str, group: str = "g", deduplication: str | None = None) -> Send:
    return Send(LINE.name, body.encode(), group=group, deduplication=deduplication)


def bodies(messages: Sequence[Message]) -> list[str]:
    return [message.body.decode() for message in messages]


async def drain(queue: Queue, name: str) -> list[str]:
    """Everything that can be had, deleted batch by batch."""
    found: list[str] = []
    while messages := await queue.receive(name):
        found += bodies(messages)
        await queue.delete(messages)
    return found


async def test_a_message_is_delivered_with_all_that_was_sent(queue: Queue) -> None:
    await queue.send([Send(PLAIN.name, "é body".encode())])
    (message,) = await queue.receive(PLAIN.name)
    assert (message.queue, message.body, message.receives, message.group) == (PLAIN.name, "é body".encode(), 1, None)
    await queue.send([news("n", "group")])
    (message,) = await queue.receive(LINE.name)
    assert (message.queue, message.body, message.receives, message.group) == (LINE.name, b"n", 1, "group")


async def test_an_empty_queue_answers_at_once_with_nothing(queue: Queue) -> None:
    assert not await queue.receive(PLAIN.name)
    assert not await queue.receive(LINE.name)


async def test_sending_nothing_is_fine(queue: Queue) -> None:
    await queue.send([])
    assert await queue.depth(PLAIN.name) == 0


async def test_one_send_of_many_reaches_all_queues_it_names(queue: Queue) -> None:
    await queue.send([*(task(f"{number}") for number in range(25)), news("n")])
    assert sorted(await drain(queue, PLAIN.name), key=int) == [f"{number}" for number in range(25)]
    assert await drain(queue, LINE.name) == ["n"]


async def test_a_batch_is_not_larger_than_its_limit(queue: Queue) -> None:
    await queue.send([task(f"{number}") for number in range(5)])
    assert len(await queue.receive(PLAIN.name, limit=2)) <= 2


async def test_a_deleted_message_never_comes_again(queue: Queue, elapse: Elapse) -> None:
    await queue.send([task("once")])
    await queue.delete(await queue.receive(PLAIN.name))
    await elapse(VISIBILITY + 1)
    assert not await queue.receive(PLAIN.name)
    assert await queue.depth(PLAIN.name) == 0


async def received_by_six(family: Family, name: str, limit: int) -> list[Sequence[Message]]:
    """What six receivers get that come at the same moment, or one by one where the emulator has no lock."""
    if family.unlocked:
        return [await family.queue.receive(name, limit) for _ in range(6)]
    return await asyncio.gather(*(family.queue.receive(name, limit) for _ in range(6)))


async def test_two_receivers_never_hold_the_same_message(family: Family) -> None:
    await family.queue.send([task(f"{number}") for number in range(20)])
    batches = await received_by_six(family, PLAIN.name, 5)
    held = [message.id for batch in batches for message in batch]
    assert len(held) == len(set(held))
    assert len(held) <= 20


async def test_a_message_in_flight_comes_again_after_the_visibility_timeout_and_counts_its_receives(
    queue: Queue, elapse: Elapse
) -> None:
    await queue.send([task("again")])
    (first,) = await queue.receive(PLAIN.name)
    await elapse(VISIBILITY - 1)
    assert not await queue.receive(PLAIN.name)
    await elapse(2)
    (second,) = await queue.receive(PLAIN.name)
    assert (second.id, second.body, second.receives) == (first.id, first.body, 2)
    assert second.receipt != first.receipt


async def test_a_stale_receipt_is_ignored(queue: Queue, elapse: Elapse) -> None:
    await queue.send([task("mine now")])
    stale = await queue.receive(PLAIN.name)
    await elapse(VISIBILITY + 1)
    fresh = await queue.receive(PLAIN.name)
    assert len(fresh) == 1
    await queue.delete(stale)
    assert await queue.depth(PLAIN.name) == 1
    await queue.delete(fresh)
    assert await queue.depth(PLAIN.name) == 0


async def test_a_stale_receipt_does_not_postpone_what_somebody_else_holds(queue: Queue, elapse: Elapse) -> None:
    await queue.send([task("mine now")])
    (stale,) = await queue.receive(PLAIN.name)
    await elapse(VISIBILITY + 1)
    assert len(await queue.receive(PLAIN.name)) == 1
    await queue.postpone(stale, 0)
    assert not await queue.receive(PLAIN.name)


async def test_deleting_twice_is_fine(queue: Queue) -> None:
    await queue.send([task("a")])
    held = await queue.receive(PLAIN.name)
    await queue.delete(held)
    await queue.delete(held)
    assert await queue.depth(PLAIN.name) == 0


async def test_a_message_given_back_comes_again_at_once(queue: Queue) -> None:
    await queue.send([task("again")])
    (held,) = await queue.receive(PLAIN.name)
    await queue.postpone(held, 0)
    (again,) = await queue.receive(PLAIN.name)
    assert (again.id, again.receives) == (held.id, 2)


async def test_a_postponed_message_stays_away_as_long_as_asked(queue: Queue, elapse: Elapse) -> None:
    await queue.send([task("later")])
    (held,) = await queue.receive(PLAIN.name)
    await queue.postpone(held, VISIBILITY * 3)
    await elapse(VISIBILITY * 3 - 1)
    assert not await queue.receive(PLAIN.name)
    await elapse(2)
    assert bodies(await queue.receive(PLAIN.name)) == ["later"]


async def test_a_delayed_message_comes_when_its_delay_is_over(queue: Queue, elapse: Elapse) -> None:
    await queue.send([task("late", delay=900), task("now")])
    assert await drain(queue, PLAIN.name) == ["now"]
    await elapse(899)
    assert not await queue.receive(PLAIN.name)
    await elapse(2)
    assert bodies(await queue.receive(PLAIN.name)) == ["late"]


@pytest.mark.parametrize("spec", [PLAIN, LINE], ids=lambda spec: spec.name)
async def test_after_its_last_receive_a_message_goes_to_the_dead_letters(
    queue: Queue, elapse: Elapse, spec: QueueSpec
) -> None:
    group = "g" if spec.fifo else None
    await queue.send([Send(spec.name, b"poison", group=group)])
    for receives in range(1, MAX_RECEIVES + 1):
        (message,) = await queue.receive(spec.name)
        assert message.receives == receives
        await elapse(VISIBILITY + 1)
    assert not await queue.receive(spec.name)
    (dead,) = await queue.receive(spec.dead_letters)
    assert (dead.body, dead.queue, dead.group) == (b"poison", spec.dead_letters, group)
    await queue.delete([dead])
    await elapse(VISIBILITY + 1)
    assert await queue.depth(spec.dead_letters) == 0
    assert await queue.depth(spec.name) == 0


async def test_depth_counts_messages_in_flight_and_delayed_ones(queue: Queue) -> None:
    await queue.send([task("a"), task("b"), task("c", delay=60), news("1"), news("2"), news("3", "h")])
    await queue.receive(PLAIN.name, limit=1)
    await queue.receive(LINE.name, limit=1)
    assert await queue.depth(PLAIN.name) == 3
    assert await queue.depth(LINE.name) == 3


async def test_messages_of_a_group_come_in_the_order_they_were_sent(queue: Queue) -> None:
    for number in range(25):
        await queue.send([news(f"{number}")])
    assert await drain(queue, LINE.name) == [f"{number}" for number in range(25)]


async def test_one_send_of_many_keeps_the_order_of_its_group(queue: Queue) -> None:
    await queue.send([news(f"{number}") for number in range(25)])
    assert await drain(queue, LINE.name) == [f"{number}" for number in range(25)]


async def test_while_a_message_of_a_group_is_in_flight_nothing_later_of_it_is_delivered(queue: Queue) -> None:
    await queue.send([news("1"), news("2")])
    (first,) = await queue.receive(LINE.name, limit=1)
    await queue.send([news("3")])
    assert not await queue.receive(LINE.name)
    await queue.delete([first])
    assert bodies(await queue.receive(LINE.name))[0] == "2"


async def test_groups_do_not_wait_for_each_other(queue: Queue) -> None:
    await queue.send([news("a1", "a"), news("a2", "a"), news("b1", "b")])
    assert bodies(await queue.receive(LINE.name, limit=1)) == ["a1"]
    assert bodies(await queue.receive(LINE.name)) == ["b1"]


async def test_a_group_keeps_its_order_when_its_first_message_is_redelivered(queue: Queue, elapse: Elapse) -> None:
    await queue.send([news("1"), news("2"), news("3")])
    held = await queue.receive(LINE.name)
    assert bodies(held) == ["1", "2", "3"][: len(held)]
    await elapse(VISIBILITY + 1)
    assert await drain(queue, LINE.name) == ["1", "2", "3"]


async def test_a_group_keeps_its_order_when_its_first_message_is_given_back(queue: Queue) -> None:
    await queue.send([news("1"), news("2")])
    (held,) = await queue.receive(LINE.name, limit=1)
    await queue.postpone(held, 0)
    assert await drain(queue, LINE.name) == ["1", "2"]


async def test_nothing_of_a_group_is_delivered_while_a_later_part_of_its_batch_is_in_flight(queue: Queue) -> None:
    await queue.send([news("1"), news("2"), news("3")])
    held = await queue.receive(LINE.name, limit=2)
    if len(held) == 2:
        await queue.postpone(held[0], 0)
        assert not await queue.receive(LINE.name)
        await queue.postpone(held[1], 0)
    else:
        await queue.postpone(held[0], 0)
    assert await drain(queue, LINE.name) == ["1", "2", "3"]


async def test_a_poisonous_head_makes_way_for_the_rest_of_its_group(queue: Queue, elapse: Elapse) -> None:
    await queue.send([news("poison"), news("good")])
    for _ in range(MAX_RECEIVES):
        assert bodies(await queue.receive(LINE.name, limit=1)) == ["poison"]
        await elapse(VISIBILITY + 1)
    assert await drain(queue, LINE.name) == ["good"]
    assert await drain(queue, LINE.dead_letters) == ["poison"]


async def test_receivers_at_once_never_share_a_group(family: Family) -> None:
    await family.queue.send([news(f"{number}", f"group {number % 4}") for number in range(24)])
    batches = await received_by_six(family, LINE.name, 10)
    holders: dict[str | None, int] = {}
    for receiver, batch in enumerate(batches):
        for message in batch:
            assert holders.setdefault(message.group, receiver) == receiver
    assert holders


async def test_a_repeated_deduplication_id_is_dropped_even_after_the_first_was_deleted(family: Family) -> None:
    if family.forgetful:
        pytest.skip("this emulator forgets a deduplication id with its deleted message")
    queue = family.queue
    await queue.send([news("first", deduplication="x"), news("repeated", deduplication="x")])
    assert await drain(queue, LINE.name) == ["first"]
    await queue.send([news("repeated", deduplication="x"), news("other", deduplication="y")])
    assert await drain(queue, LINE.name) == ["other"]


async def test_a_deduplication_id_may_be_used_again_after_five_minutes(queue: Queue, elapse: Elapse) -> None:
    await queue.send([news("first", deduplication="x")])
    assert await drain(queue, LINE.name) == ["first"]
    await elapse(299)
    await queue.send([news("too early", deduplication="x")])
    assert await drain(queue, LINE.name) == []
    await elapse(2)
    await queue.send([news("second", deduplication="x")])
    assert await drain(queue, LINE.name) == ["second"]


async def test_messages_without_a_deduplication_id_are_never_taken_for_repetitions(queue: Queue) -> None:
    await queue.send([news("same")])
    await queue.send([news("same")])
    assert await drain(queue, LINE.name) == ["same", "same"]


@pytest.mark.parametrize("sent", [task("a"), news("a")], ids=["plain", "fifo"])
async def test_a_receiver_that_waits_gets_a_message_when_it_is_sent(queue: Queue, sent: Send) -> None:
    waiting = asyncio.create_task(queue.receive(sent.queue, wait=5))
    await asyncio.sleep(0)
    await queue.send([sent])
    assert bodies(await waiting) == ["a"]


async def test_a_body_of_200_kb_is_delivered_whole(queue: Queue) -> None:
    body = ("é" * 100_000).encode()
    await queue.send([Send(PLAIN.name, body)])
    (message,) = await queue.receive(PLAIN.name)
    assert message.body == body


@pytest.mark.parametrize("spec", [FAIR, FAIR_LINE], ids=lambda spec: spec.name)
async def test_who_has_many_messages_does_not_hold_up_who_has_one(family: Family, spec: QueueSpec) -> None:
    """SQS promises this for its own scheduling; an emulator takes the shares, and serves in order."""
    group = "g{}" if spec.fifo else None

    def sent(number: int, share: str) -> Send:
        own = group.format(f"{share}{number}") if group else None
        return Send(spec.name, f"{share}{number}".encode(), group=own, share=share)

    await family.queue.send([sent(number, "a") for number in range(1_000 if family.fair else 30)])
    await family.queue.send([sent(0, "b")])
    first = bodies(await family.queue.receive(spec.name, limit=10))
    assert first
    if family.fair:
        assert "b0" in first[:3]


async def test_shares_take_turns_and_who_comes_late_begins_where_the_others_are(family: Family) -> None:
    if not family.fair:
        pytest.skip("this emulator serves in order")
    queue = family.queue
    await queue.send([Send(FAIR.name, f"a{number}".encode(), share="a") for number in range(50)])
    for _ in range(20):
        await queue.delete(await queue.receive(FAIR.name, limit=1))
    await queue.send([Send(FAIR.name, f"b{number}".encode(), share="b") for number in range(50)])
    served = [bodies(await queue.receive(FAIR.name, limit=1))[0][0] for _ in range(40)]
    assert abs(served.count("a") - served.count("b")) <= 2
