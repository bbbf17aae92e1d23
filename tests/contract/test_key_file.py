"""The embedded ring's file: made once, readable by its owner only, and able to carry several keys."""

import base64
import stat
from pathlib import Path

import pytest

from linkflow.adapters.clock import VirtualClock
from linkflow.adapters.ids import SystemIds
from linkflow.adapters.sqlite.keyring import FILE, FileKeyRing
from linkflow.adapters.sqlite.secret import FILE as SECRET
from linkflow.adapters.sqlite.secret import kept_secret
from linkflow.errors import Broken

CONTEXT = {"workspace": "w"}


async def test_the_key_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    sealed = await FileKeyRing.open_file(tmp_path / "data").seal(b"secret", CONTEXT)
    (file,) = (tmp_path / "data").iterdir()
    assert file.name == FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await FileKeyRing.open_file(tmp_path / "data").open(sealed, CONTEXT) == b"secret"


async def test_a_ring_with_a_newer_key_opens_what_the_older_sealed_but_not_the_other_way_round(tmp_path: Path) -> None:
    older = FileKeyRing.open_file(tmp_path)
    with (tmp_path / FILE).open("a", encoding="ascii") as file:
        file.write(f"2 {base64.b64encode(b'k' * 32).decode()}\n")
    newer = FileKeyRing.open_file(tmp_path)
    assert await newer.open(await older.seal(b"secret", CONTEXT), CONTEXT) == b"secret"
    with pytest.raises(Broken):
        await older.open(await newer.seal(b"secret", CONTEXT), CONTEXT)


async def test_another_installations_key_does_not_open_it(tmp_path: Path) -> None:
    sealed = await FileKeyRing.open_file(tmp_path / "one").seal(b"secret", CONTEXT)
    with pytest.raises(Broken):
        await FileKeyRing.open_file(tmp_path / "other").open(sealed, CONTEXT)


@pytest.mark.parametrize("content", ["", "1", "1 not*base64", "1 c2hvcnQ=", "x a2V5"])
def test_a_damaged_key_file_is_refused_and_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(Broken, match="damaged"):
        FileKeyRing.open_file(tmp_path)
    assert (tmp_path / FILE).read_text() == content


def test_the_signing_secret_is_made_once_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    names = SystemIds(VirtualClock())
    first = kept_secret(tmp_path, names)
    assert len(first) >= 43
    assert kept_secret(tmp_path, names) == first
    assert stat.S_IMODE((tmp_path / SECRET).stat().st_mode) == 0o600
    (tmp_path / SECRET).write_text("\n")
    with pytest.raises(Broken, match="empty"):
        kept_secret(tmp_path, names)
