"""The digest of a secret: enough to see that it is another one now, and of no use to whoever gets hold of the history.

The digest of a short text can be guessed: try every word, and compare. So that of a secret is made with a key, random
and of this history alone, which lies in a file beside it that only its owner may read; and slowly (scrypt, some 30 ms
and 16 MB a guess), for the case that somebody gets that as well. Without the key, as in a copy of the database, there
is nothing to compare a guess with. A history that has lost its key takes every secret for another one: tasks that read
it are executed again.
"""

import logging
import os
import secrets
import threading
from hashlib import scrypt
from pathlib import Path
from typing import Final

__all__ = ["SecretDigest", "is_of_secret"]

PREFIX: Final = "secret:"  # of the digests that are made here
BYTES: Final = 16
KEY_BYTES: Final = 32
logger = logging.getLogger(__name__)
SLOWLY: Final = {"n": 1 << 14, "r": 8, "p": 1}


class SecretDigest:
    """Makes the digests of secrets, each once in a process; for several threads.

    Args:
        path: of the file with the key, made when it is first needed; None: a key of this object's own.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._key = b""
        self._making = threading.Lock()  # of the key: two would make one secret look like two
        self._made: dict[str, str] = {}

    def __call__(self, digest: str) -> str:
        """Return the digest of a secret, given the one that tells too much."""
        made = self._made.get(digest)
        if made is None:
            hashed = scrypt(digest.encode(), salt=self._key_at_hand(), dklen=BYTES, **SLOWLY)
            made = self._made[digest] = f"{PREFIX}{hashed.hex()}"
        return made

    def _key_at_hand(self) -> bytes:
        with self._making:
            self._key = self._key or _key_in(self._path)
            return self._key


def is_of_secret(digest: str) -> bool:
    """Say whether a digest was made here."""
    return digest.startswith(PREFIX)


def _key_in(path: Path | None) -> bytes:
    """Return the key in a file, made if it isn't there; where that can't be, one for this process alone."""
    key = secrets.token_bytes(KEY_BYTES)
    if path is None:
        return key
    try:
        if not path.exists():
            _write(path, key)
        return path.read_bytes()
    except OSError as error:
        logger.warning("The key for digests of secrets can't be kept: %s. Tasks that read one run again.", error)
        return key


def _write(path: Path, key: bytes) -> None:
    """Write the key at one stroke, unless another process is faster."""
    new = path.with_name(f"{path.name}-{secrets.token_hex(4)}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
        os.link(new, path)
    except FileExistsError:
        return
    finally:
        new.unlink(missing_ok=True)
