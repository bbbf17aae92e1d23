"""Secrets sealed with AES-256-GCM under a key that lies in a file beside the database, never in it.

A sealed value is: format (one byte, 1), number of the key (one byte), nonce (12 bytes), ciphertext with tag. The key
file has one line per key, `<number> <base64>`; the last one seals, all of them open, so a key is rotated by adding a
line. A nonce is random; NIST SP 800-38D (8.3) allows 2³² values under one key that way. Whoever loses the file loses
the secrets: back it up apart from the database.
"""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from linkflow.adapters.sqlite.secret import owners_only
from linkflow.errors import Broken

FILE = "linkflow.key"
_FORMAT = 1
_NONCE = 12


class FileKeyRing:
    """The keys of a file, or any others: `keys` by number (0 to 255), the last one in order seals."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._newest = list(keys)[-1]

    @classmethod
    def passing(cls) -> "FileKeyRing":
        """One that is kept nowhere: what it seals is lost with the process."""
        return cls({1: AESGCM.generate_key(256)})

    @classmethod
    def open_file(cls, directory: Path) -> "FileKeyRing":
        """The ring of `directory`, with a first key if it has none. Raises `Broken` for a file that is damaged."""
        path = directory / FILE
        if not path.exists():
            owners_only(path, f"1 {base64.b64encode(AESGCM.generate_key(256)).decode('ascii')}\n")
        try:
            lines = [line.split() for line in path.read_text("ascii").splitlines() if line.strip()]
            return cls({int(number): base64.b64decode(key, validate=True) for number, key in lines})
        except (ValueError, IndexError) as error:
            raise Broken(f"The key file {path} is damaged; restore it from its backup.") from error

    async def seal(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        nonce = os.urandom(_NONCE)
        ciphertext = self._ciphers[self._newest].encrypt(nonce, plaintext, _canonical(context))
        return bytes((_FORMAT, self._newest)) + nonce + ciphertext

    async def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        cipher = self._ciphers.get(sealed[1]) if len(sealed) > 2 + _NONCE and sealed[0] == _FORMAT else None
        if cipher is None:
            raise Broken("A sealed value is damaged, or its key is not in the key file.")
        try:
            return cipher.decrypt(sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :], _canonical(context))
        except InvalidTag as error:
            raise Broken("A sealed value is damaged, or was sealed for something else.") from error


def _canonical(context: Mapping[str, str]) -> bytes:
    return json.dumps(context, sort_keys=True, separators=(",", ":")).encode()
