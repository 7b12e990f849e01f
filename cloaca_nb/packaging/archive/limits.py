"""What an archive may cost whoever reads and imports it."""

from dataclasses import dataclass
from typing import Final

__all__ = ["MB", "Limits"]

MB: Final = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may cost whoever reads it.

    Attributes:
        unpacked: bytes of the tar stream: members with their headers.
        ratio: how often larger than the archive it may be, above `ratio_from`.
        ratio_from: bytes of the tar stream.
        members: how many there may be.
        header: bytes that the headers of one member may take.
        manifest: bytes.
        reading: seconds until all headers are read.
        importing: seconds until the entry module is imported.
        memory: bytes that its process may hold until then, looked at five times a second.
    """

    unpacked: int = 500 * MB
    ratio: int = 100
    ratio_from: int = 50 * MB
    members: int = 50_000
    header: int = 16 * 1024
    manifest: int = 4 * MB
    reading: float = 120.0
    importing: float = 60.0
    memory: int = 4_000 * MB
