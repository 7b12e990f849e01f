"""Members counted while a tar stream goes by, so that one with millions of them ends before it is unpacked."""

import tarfile
from typing import Final

from cloaca_nb.errors import PackageError

__all__ = ["MemberCount", "too_many"]

BLOCK: Final = tarfile.BLOCKSIZE
# Headers that only say more of the next one: they are no members, and bytes follow them.
_OF_THE_NEXT: Final = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


class MemberCount:
    """Goes from header to header of a tar that comes in pieces; at what is no header it stops looking.

    Whether the tar is damaged is for whoever reads it as a whole.
    """

    def __init__(self, most: int) -> None:
        """Count up to `most` members."""
        self._most = most
        self._count = 0
        self._rest = b""  # of a header whose end is still to come
        self._skip = 0  # bytes until the next header
        self._is_looking = True

    def take(self, piece: bytes) -> None:
        """Look at the next bytes.

        Raises:
            PackageError: if there are too many members.
        """
        if not self._is_looking:
            return
        data = self._rest + piece
        at = self._skip
        while self._is_looking and at + BLOCK <= len(data):
            at += BLOCK + self._after(data[at : at + BLOCK])
        self._rest = data[at:]
        self._skip = max(0, at - len(data))

    def _after(self, header: bytes) -> int:
        """Count a header, and return how many bytes lie between it and the next one."""
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            self._is_looking = False
            return 0
        is_of_the_next = info.type in _OF_THE_NEXT
        self._count += not is_of_the_next
        if self._count > self._most:
            raise too_many(self._most)
        has_bytes = is_of_the_next or info.isreg() or info.type not in tarfile.SUPPORTED_TYPES
        return -(-max(0, info.size) // BLOCK) * BLOCK if has_bytes else 0


def too_many(most: int) -> PackageError:
    """Return the error of an archive with more members than are loaded."""
    return PackageError(f"It has more than {most} members, which is the most that is loaded.")
