"""Envelope encryption: only the ring opens what it sealed, whole, and for what it was sealed for."""

import pytest

from linkflow.errors import Broken
from linkflow.ports import KeyRing

CONTEXT = {"workspace": "ws_1", "credential": "crm"}


@pytest.mark.parametrize("plaintext", [b"", b"secret", b"s" * 100_000], ids=["empty", "short", "long"])
async def test_what_was_sealed_opens_in_its_context(keyring: KeyRing, plaintext: bytes) -> None:
    sealed = await keyring.seal(plaintext, CONTEXT)
    assert await keyring.open(sealed, dict(reversed(CONTEXT.items()))) == plaintext


async def test_the_sealed_value_does_not_show_the_secret_and_never_looks_the_same(keyring: KeyRing) -> None:
    first, second = await keyring.seal(b"secret", CONTEXT), await keyring.seal(b"secret", CONTEXT)
    assert b"secret" not in first
    assert first != second


@pytest.mark.parametrize(
    "context",
    [{}, {"workspace": "ws_1"}, {**CONTEXT, "workspace": "ws_2"}, {**CONTEXT, "more": ""}],
    ids=["none", "less", "other", "more"],
)
async def test_another_context_does_not_open_it(keyring: KeyRing, context: dict[str, str]) -> None:
    sealed = await keyring.seal(b"secret", CONTEXT)
    with pytest.raises(Broken):
        await keyring.open(sealed, context)


async def test_no_damaged_value_opens(keyring: KeyRing) -> None:
    sealed = await keyring.seal(b"secret", CONTEXT)
    damaged = [sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :] for place in (0, 1, len(sealed) - 1)]
    for value in (*damaged, sealed[:-1], sealed + b"\0", sealed[:5], b""):
        with pytest.raises(Broken):
            await keyring.open(value, CONTEXT)
