"""The KeyRing port on KMS: envelope encryption.

KMS makes a data key; it seals for `FRESH_FOR` seconds or `MOST_USES` uses, then a new one is asked for. The encrypted
data key travels with what it sealed: two bytes of its length, the key, then a value as `FileKeyRing` writes it. The
context is authenticated by the cipher; KMS itself is told the workspace only, so that one data key serves a workspace.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from linkflow.adapters.aws.session import AwsSession
from linkflow.adapters.sqlite.keyring import FileKeyRing
from linkflow.errors import Broken
from linkflow.ports import Clock

FRESH_FOR = 300.0
MOST_USES = 10_000
_KEPT = 1_000
_NUMBER = 1


@dataclass(slots=True)
class _DataKey:
    ring: FileKeyRing
    encrypted: bytes
    made_at: float
    uses: int = 0


class KmsKeyRing:
    """`key` is the id or alias of the master key."""

    def __init__(self, session: AwsSession, key: str, clock: Clock) -> None:
        self._session = session
        self._key = key
        self._clock = clock
        self._sealing: dict[str, _DataKey] = {}
        self._opening: dict[bytes, FileKeyRing] = {}

    async def seal(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        data_key = await self._data_key(context)
        data_key.uses += 1
        sealed = await data_key.ring.seal(plaintext, context)
        return len(data_key.encrypted).to_bytes(2, "big") + data_key.encrypted + sealed

    async def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        length = int.from_bytes(sealed[:2], "big")
        encrypted, content = sealed[2 : 2 + length], sealed[2 + length :]
        if encrypted not in self._opening:
            if len(self._opening) >= _KEPT:
                self._opening.clear()
            self._opening[encrypted] = await self._decrypted(encrypted, context)
        return await self._opening[encrypted].open(content, context)

    async def _data_key(self, context: Mapping[str, str]) -> _DataKey:
        workspace, now = context.get("workspace", ""), self._clock.now()
        known = self._sealing.get(workspace)
        if known is not None and now - known.made_at < FRESH_FOR and known.uses < MOST_USES:
            return known
        made = await self._session.call(
            "kms", "generate_data_key", KeyId=self._key, KeySpec="AES_256", EncryptionContext=_told(context)
        )
        ring = FileKeyRing({_NUMBER: made["Plaintext"]})
        fresh = self._sealing[workspace] = _DataKey(ring, made["CiphertextBlob"], now)
        return fresh

    async def _decrypted(self, encrypted: bytes, context: Mapping[str, str]) -> FileKeyRing:
        try:
            answer = await self._session.call(
                "kms", "decrypt", CiphertextBlob=encrypted, EncryptionContext=_told(context)
            )
        except ClientError as error:
            raise Broken("A sealed value is damaged, or was sealed for something else.") from error
        try:
            return FileKeyRing({_NUMBER: answer["Plaintext"]})
        except ValueError as error:
            raise Broken("A sealed value is damaged: what it carries is no data key.") from error


def _told(context: Mapping[str, str]) -> dict[str, str]:
    return {"workspace": context["workspace"]} if context.get("workspace") else {}
