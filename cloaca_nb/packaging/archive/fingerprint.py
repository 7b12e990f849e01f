"""The fingerprint of an archive: one number for all that is in it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["MANIFEST", "PREFIX", "counted", "fingerprint"]

MANIFEST: Final = "manifest.json"
PREFIX: Final = "sha256:"


def fingerprint(members: Iterable[tuple[str, int, Iterable[bytes]]]) -> str:
    """Return ``sha256:`` and the digest, in hexadecimal, of all members.

    For each file, sorted by the bytes of its path: the path in UTF-8, a zero byte, its length in decimal digits, a zero
    byte, its bytes. Folders, dates, owners and modes don't count.

    Args:
        members: path, length in bytes, and bytes in pieces, in any order; the manifest's as `counted` gives them.

    >>> fingerprint([]) == "sha256:" + hashlib.sha256().hexdigest()
    True
    """
    digest = hashlib.sha256()
    for path, length, pieces in sorted(members, key=lambda one: one[0].encode()):
        digest.update(f"{path}\0{length}\0".encode())
        for piece in pieces:
            digest.update(piece)
    return PREFIX + digest.hexdigest()


def counted(manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes by which a manifest counts: without ``package.fingerprint``, keys sorted, no spaces, UTF-8.

    Args:
        manifest: as JSON gives it.
    """
    package = manifest.get("package")
    bare = {key: value for key, value in package.items() if key != "fingerprint"} if isinstance(package, dict) else {}
    text = json.dumps({**manifest, "package": bare}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="surrogatepass")
