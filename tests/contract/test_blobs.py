"""Large values by name."""

from linkflow.ports import Blobs


async def test_a_blob_is_kept_whole(blobs: Blobs) -> None:
    content = bytes(range(256)) * 8000
    await blobs.put("w/e/ünïcode name", content)
    assert await blobs.get("w/e/ünïcode name") == content


async def test_an_empty_blob_is_a_blob(blobs: Blobs) -> None:
    await blobs.put("empty", b"")
    assert await blobs.get("empty") == b""


async def test_a_name_never_written_has_no_content(blobs: Blobs) -> None:
    assert await blobs.get("nothing") is None


async def test_the_same_content_may_be_written_again(blobs: Blobs) -> None:
    await blobs.put("name", b"content")
    await blobs.put("name", b"content")
    assert await blobs.get("name") == b"content"


async def test_a_deleted_blob_is_gone_and_deleting_it_again_is_fine(blobs: Blobs) -> None:
    await blobs.put("name", b"content")
    await blobs.delete("name")
    await blobs.delete("name")
    assert await blobs.get("name") is None
