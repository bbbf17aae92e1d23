"""The table: conditional writes, key ranges, sparse indexes, writes that are one."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.sqlite.queue import SqliteQueue
from linkflow.adapters.sqlite.store import Store
from linkflow.adapters.sqlite.table import SqliteTable
from linkflow.errors import ConditionFailed
from linkflow.ports import Absent, Delete, Index, Item, Key, Page, Put, Queue, Range, Send, Table, Unchanged
from tests.contract.family import LINE, PLAIN

KEY = Key("EXEC#w#e", "TURN#00000001")


def item(sk: str, body: bytes = b"body", pk: str = "shelf") -> Item:
    return Item(Key(pk, sk), body)


async def pages(table: Table, what: Range) -> list[Page]:
    found = [await table.query(what)]
    while (cursor := found[-1].cursor) is not None:
        found.append(await table.query(replace(what, after=cursor)))
    return found


async def order(table: Table, what: Range) -> list[str]:
    return [found.key.sk for page in await pages(table, what) for found in page.items]


async def test_what_was_put_is_there_exactly_as_it_was_given(table: Table) -> None:
    given_item = Item(
        KEY,
        b"\x00body\xff",
        b"payload",
        7,
        {Index.LISTING: Key("ws", "a"), Index.DUE: Key("due", "b")},
        1_900_000_000.0,
    )
    assert await table.put(given_item) is None
    assert await table.get(KEY) == given_item


async def test_an_item_without_payload_indexes_or_expiry_comes_back_without_them(table: Table) -> None:
    await table.put(Item(KEY, b""))
    assert await table.get(KEY) == Item(KEY, b"")


async def test_nothing_is_found_where_nothing_was_put(table: Table) -> None:
    await table.put(item("a"))
    assert await table.get(Key("shelf", "b")) is None
    assert await table.get(Key("other", "a")) is None


async def test_an_unconditional_put_replaces_the_item_and_its_index_entries(table: Table) -> None:
    await table.put(Item(KEY, b"first", b"payload", indexes={Index.LISTING: Key("ws", "a")}))
    await table.put(Item(KEY, b"second", indexes={Index.DUE: Key("due", "b")}))
    assert await table.get(KEY) == Item(KEY, b"second", indexes={Index.DUE: Key("due", "b")})
    assert await order(table, Range("ws", index=Index.LISTING)) == []
    assert await order(table, Range("due", index=Index.DUE)) == [KEY.sk]


async def test_put_if_absent_answers_with_the_winner_and_leaves_it_alone(table: Table) -> None:
    winner = Item(KEY, b"winner", b"its payload")
    assert await table.put(winner, Absent()) is None
    assert await table.put(Item(KEY, b"loser"), Absent()) == winner
    assert await table.get(KEY) == winner


async def test_put_if_unchanged_replaces_only_the_version_it_names(table: Table) -> None:
    await table.put(Item(KEY, b"one", version=1))
    assert await table.put(Item(KEY, b"two", version=2), Unchanged(1)) is None
    assert await table.put(Item(KEY, b"late", version=2), Unchanged(1)) == Item(KEY, b"two", version=2)
    assert await table.get(KEY) == Item(KEY, b"two", version=2)


async def test_put_if_unchanged_refuses_when_there_is_nothing_to_replace(table: Table) -> None:
    with pytest.raises(ConditionFailed):
        await table.put(Item(KEY, b"body", version=2), Unchanged(1))
    assert await table.get(KEY) is None


async def test_of_many_who_put_if_absent_at_once_exactly_one_wins_and_the_others_see_it(table: Table) -> None:
    contenders = [Item(KEY, str(number).encode()) for number in range(20)]
    answers = await asyncio.gather(*(table.put(contender, Absent()) for contender in contenders))
    assert answers.count(None) == 1
    winner = contenders[answers.index(None)]
    assert all(answer in (None, winner) for answer in answers)
    assert await table.get(KEY) == winner


async def test_counting_together_with_unchanged_loses_no_count(table: Table) -> None:
    await table.put(Item(KEY, b"0", version=0))

    async def count() -> None:
        seen = await table.get(KEY)
        while seen is not None:
            counted = Item(KEY, str(int(seen.body) + 1).encode(), version=seen.version + 1)
            seen = await table.put(counted, Unchanged(seen.version))

    await asyncio.gather(*(count() for _ in range(8)))
    assert await table.get(KEY) == Item(KEY, b"8", version=8)


async def test_a_refused_write_does_not_touch_those_that_arrive_with_it(table: Table) -> None:
    await table.put(Item(KEY, b"there"))
    answers = await asyncio.gather(
        table.put(item("a"), Absent()),
        table.put(item("none"), Unchanged(1)),
        table.delete(KEY, Unchanged(9)),
        table.put(item("b"), Absent()),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [type(None), ConditionFailed, ConditionFailed, type(None)]
    assert await order(table, Range("shelf")) == ["a", "b"]


async def test_a_deleted_item_is_gone_from_the_table_and_its_indexes(table: Table) -> None:
    await table.put(Item(KEY, b"body", indexes={Index.LISTING: Key("ws", "a")}))
    await table.delete(KEY)
    assert await table.get(KEY) is None
    assert await order(table, Range("ws", index=Index.LISTING)) == []


async def test_deleting_what_is_not_there_is_fine(table: Table) -> None:
    await table.delete(KEY)
    await table.delete(KEY, Absent())


async def test_a_delete_whose_condition_fails_removes_nothing(table: Table) -> None:
    await table.put(Item(KEY, b"body", version=3))
    with pytest.raises(ConditionFailed):
        await table.delete(KEY, Unchanged(2))
    assert await table.get(KEY) is not None
    await table.delete(KEY, Unchanged(3))
    assert await table.get(KEY) is None


async def test_a_conditional_delete_of_nothing_refuses(table: Table) -> None:
    with pytest.raises(ConditionFailed):
        await table.delete(KEY, Unchanged(1))


async def test_a_range_includes_both_its_ends_and_nothing_else(table: Table) -> None:
    for sk in ("a", "b", "c", "d"):
        await table.put(item(sk))
    await table.put(item("b", pk="another"))
    assert await order(table, Range("shelf", "b", "c")) == ["b", "c"]
    assert await order(table, Range("shelf")) == ["a", "b", "c", "d"]
    assert await order(table, Range("shelf", first="c")) == ["c", "d"]
    assert await order(table, Range("shelf", last="b")) == ["a", "b"]
    assert await order(table, Range("nothing")) == []


async def test_a_reversed_range_comes_backwards(table: Table) -> None:
    for sk in ("a", "b", "c", "d"):
        await table.put(item(sk))
    assert await order(table, Range("shelf", "b", "d", reverse=True)) == ["d", "c", "b"]
    assert await order(table, Range("shelf", reverse=True, limit=1)) == ["d", "c", "b", "a"]


async def test_a_range_read_carries_the_whole_item(table: Table) -> None:
    whole = Item(Key("shelf", "a"), b"body", b"payload", 4, {Index.DUE: Key("due", "1")})
    await table.put(whole)
    assert list((await table.query(Range("shelf"))).items) == [whole]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 7, 8])
async def test_pages_together_are_the_whole_range_each_item_once(table: Table, limit: int, reverse: bool) -> None:
    names = [f"{number:02}" for number in range(7)]
    for sk in names:
        await table.put(item(sk))
    found = await pages(table, Range("shelf", limit=limit, reverse=reverse))
    assert all(len(page.items) <= limit for page in found)
    expected = names[::-1] if reverse else names
    assert [entry.key.sk for page in found for entry in page.items] == expected


@pytest.mark.parametrize("reverse", [False, True])
async def test_pages_of_an_index_are_complete_where_many_items_share_one_index_key(table: Table, reverse: bool) -> None:
    for number in range(7):
        await table.put(changed(item(f"{number}"), indexes={Index.DUE: Key("due", "same")}))
    found = await order(table, Range("due", index=Index.DUE, limit=3, reverse=reverse))
    assert sorted(found) == [f"{number}" for number in range(7)]


async def test_a_cursor_stays_good_when_its_item_is_deleted(table: Table) -> None:
    for sk in ("a", "b", "c"):
        await table.put(item(sk))
    first = await table.query(Range("shelf", limit=2))
    await table.delete(Key("shelf", "b"))
    rest = await table.query(Range("shelf", limit=2, after=first.cursor))
    assert [entry.key.sk for entry in rest.items] == ["c"]


async def test_an_index_holds_only_the_items_that_say_so_in_its_own_order(table: Table) -> None:
    await table.put(changed(item("a"), indexes={Index.LISTING: Key("ws", "2")}))
    await table.put(changed(item("b"), indexes={Index.LISTING: Key("ws", "1"), Index.DUE: Key("ws", "9")}))
    await table.put(item("c"))
    assert await order(table, Range("ws", index=Index.LISTING)) == ["b", "a"]
    assert await order(table, Range("ws", "2", "2", index=Index.LISTING)) == ["a"]
    assert await order(table, Range("ws", index=Index.DUE)) == ["b"]


async def test_items_read_through_an_index_carry_their_body_but_no_payload(table: Table) -> None:
    whole = Item(Key("shelf", "a"), b"body", b"payload", 2, {Index.LISTING: Key("ws", "1")})
    await table.put(whole)
    (found,) = (await table.query(Range("ws", index=Index.LISTING))).items
    assert (found.key, found.body, found.payload, found.version) == (whole.key, b"body", None, 2)
    assert found.indexes[Index.LISTING] == Key("ws", "1")


async def test_keys_are_ordered_by_their_utf_8_bytes(table: Table) -> None:
    names = ["Z", "a", "aa", "ä", "z", "é", "ﬀ", "\ue000", "😀", "日本", "#", "~"]
    for sk in names:
        await table.put(item(sk))
    assert await order(table, Range("shelf")) == sorted(names, key=str.encode)


async def test_a_body_of_300_kb_and_a_payload_are_kept_whole(table: Table) -> None:
    body = bytes(range(256)) * 1200
    await table.put(Item(KEY, body, b"p" * 50_000))
    stored = await table.get(KEY)
    assert stored is not None
    assert (stored.body, stored.payload) == (body, b"p" * 50_000)


async def test_a_transaction_writes_all(table: Table) -> None:
    await table.put(item("old"))
    await table.put(changed(item("counted"), version=1))
    await table.transact(
        [
            Put(item("new"), Absent()),
            Put(changed(item("counted", b"2"), version=2), Unchanged(1)),
            Delete(Key("shelf", "old"), Unchanged(1)),
            Put(item("plain")),
        ]
    )
    assert await order(table, Range("shelf")) == ["counted", "new", "plain"]


@pytest.mark.parametrize(
    "failing",
    [
        Put(item("there"), Absent()),
        Put(item("there"), Unchanged(5)),
        Put(item("nowhere"), Unchanged(1)),
        Delete(Key("shelf", "there"), Unchanged(5)),
    ],
)
async def test_a_transaction_with_one_failing_condition_writes_nothing(table: Table, failing: Put | Delete) -> None:
    await table.put(item("there", b"as it was"))
    with pytest.raises(ConditionFailed):
        await table.transact([Put(item("a")), failing, Put(item("b"), Absent())])
    assert list((await table.query(Range("shelf"))).items) == [item("there", b"as it was")]


async def test_of_transactions_that_want_the_same_name_one_wins_whole(table: Table) -> None:
    async def claim(owner: str) -> bool:
        try:
            await table.transact([Put(item("name", owner.encode()), Absent()), Put(item(f"by {owner}"), Absent())])
        except ConditionFailed:
            return False
        return True

    won = await asyncio.gather(*(claim(owner) for owner in "abcdef"))
    assert won.count(True) == 1
    assert await order(table, Range("shelf")) == [f"by {'abcdef'[won.index(True)]}", "name"]


async def test_a_put_that_goes_through_sends_its_messages(table: Table, queue: Queue) -> None:
    sends = [Send(LINE.name, b"wake", group="e"), Send(PLAIN.name, b"task")]
    assert await table.put(Item(KEY, b"turn"), Absent(), sends) is None
    assert [message.body for message in await queue.receive(LINE.name)] == [b"wake"]
    assert [message.body for message in await queue.receive(PLAIN.name)] == [b"task"]


async def test_a_put_that_loses_sends_nothing(table: Table, queue: Queue) -> None:
    await table.put(Item(KEY, b"winner"))
    await table.put(Item(KEY, b"loser"), Absent(), [Send(PLAIN.name, b"task")])
    with pytest.raises(ConditionFailed):
        await table.put(item("none"), Unchanged(1), [Send(PLAIN.name, b"task")])
    assert await queue.receive(PLAIN.name) == ()


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.booleans()), max_size=30))
def test_any_sequence_of_conditional_puts_leaves_what_a_dictionary_would(
    writes: list[tuple[str, int, bool]],
) -> None:
    async def both() -> None:
        store = Store.open(None)
        table = SqliteTable(store, SqliteQueue(store, VirtualClock(), ()))
        model: dict[str, Item] = {}
        for sk, version, absent in writes:
            wanted = changed(item(sk, f"{version}".encode()), version=version + 1)
            holds = sk not in model if absent else sk in model and model[sk].version == version
            try:
                lost = await table.put(wanted, Absent() if absent else Unchanged(version))
            except ConditionFailed:
                assert not absent
                assert sk not in model
                continue
            assert (lost is None) == holds
            assert lost == (None if holds else model[sk])
            if holds:
                model[sk] = wanted
        assert list((await table.query(Range("shelf"))).items) == [model[sk] for sk in sorted(model)]
        await store.close()

    asyncio.run(both())
