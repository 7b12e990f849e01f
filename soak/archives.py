"""A fuzz target: archives and manifests that were damaged at random are refused with a reason, or are still good.

`python soak/archives.py [SECONDS] [SEED]` goes on until something else happens, or the time is over. Each case is made
from a seed, which is told when it fails: `python soak/archives.py 0 SEED` tries that one again.
"""

import bz2
import io
import itertools
import json
import random
import resource
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.archive.inspection import Inspection, inspect_archive, inspected

PATIENCE: Final = 20.0  # seconds for one case: none comes near it
MEMORY: Final = 2_000_000_000  # bytes of address space: what goes beyond is a bomb that went off
BLOCK: Final = tarfile.BLOCKSIZE
KINDS: Final = b"\0001234567LKSxgXDAVMN\xff"
WORDS: Final[list[Any]] = [
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "2",
    "..",
    "a" * 10_000,
    "\ud800",
    "\0",
    [],
    {},
    [[]],
    [{}],
    {"id": {}},
]
NAMES: Final = [
    "../x",
    "/x",
    "a/../b",
    "os.py",
    "vendor/io.py",
    "C:x",
    "a\\b",
    "\0",
    "é",
    "e\u0301",
    "A.py",
    ".",
    "a//b",
    "",
]
MANIFEST: Final[dict[str, Any]] = {
    "format_version": "2",
    "package": {"name": "a", "version": "1", "fingerprint": "sha256:placeholder", "targets": ["linux-x86_64"]},
    "language": "python",
    "python": {"requires_python": ">=3.11", "entry_module": "a"},
    "tasks": [{"id": "one", "function": "a:one", "dependencies": [], "retries": 0, "timeout_seconds": 1.5}],
    "triggers": [],
    "created_at": "2026-01-15T10:30:00Z",
}


def main(seconds: float, seed: int | None) -> int:
    """Try cases, and return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        if seed is None:
            return soak(seconds, Path(folder))
        say(attempt(seed, Path(folder)))
    return 0


def soak(seconds: float, folder: Path) -> int:
    """Try one case after the other, and say what came of them."""
    outcomes: Counter[str] = Counter()
    first = random.SystemRandom().randrange(2**32)
    slowest, begun = 0.0, time.monotonic()
    for seed in itertools.count(first):
        if (started := time.monotonic()) > begun + seconds:
            break
        try:
            outcomes[attempt(seed, folder)] += 1
        except BaseException:  # an interrupt too: its seed is worth knowing
            say(f"seed {seed}:")
            raise
        slowest = max(slowest, time.monotonic() - started)
    for outcome, times in outcomes.most_common():
        say(f"{times:8,}  {outcome}")
    say(f"{outcomes.total():8,}  archives from seed {first}, the slowest in {slowest:.2f} s")
    return int(slowest > PATIENCE)


def attempt(seed: int, folder: Path) -> str:
    """Read one archive; return what came of it, or raise if that should not have."""
    path = folder / "fuzzed.cloacina"
    path.write_bytes(made(random.Random(seed)))  # noqa: S311 - the same archive for the same seed
    try:
        found = inspect_archive(path)
        if found.is_importable:
            check_extraction(path, folder, found)
        outcome = "importable" if found.is_importable else "refused for what it holds"
    except PackageError as error:
        outcome = f"refused: {error.problems[0].partition(':')[0][:50]}"
    left = {one.name for one in folder.iterdir()} - {path.name}
    require(not left, f"left behind: {left}")
    return outcome


def check_extraction(path: Path, folder: Path, found: Inspection) -> None:
    """Unpack what may be imported, and see that nothing is anywhere else."""
    with tempfile.TemporaryDirectory(dir=folder) as out, inspected(path) as (archive, _):
        target = Path(out) / "package"
        target.mkdir()
        archive.extract(target)
        written = {one.relative_to(target).as_posix() for one in target.rglob("*") if one.is_file()}
        require(written == found.files.keys(), f"written: {written}, found: {found.files.keys()}")
        require(len(written) == len({path.casefold() for path in written}), f"one file elsewhere: {written}")
        require([one.name for one in Path(out).iterdir()] == ["package"], "something is beside the folder")


def require(holds: bool, what: str) -> None:  # noqa: FBT001 - the condition that is required
    """Raise if a condition doesn't hold."""
    if not holds:
        raise AssertionError(what)


def say(text: str) -> None:
    """Tell the person at the screen, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def happens(dice: random.Random, share: float) -> bool:
    """Say whether something happens that happens in this share of cases."""
    return dice.random() < share


def made(dice: random.Random) -> bytes:
    """Return an archive that is damaged in one or several of four places: manifest, members, tar, compressed stream."""
    manifest = json.dumps(damaged_manifest(dice)).encode() if happens(dice, 0.5) else json.dumps(MANIFEST).encode()
    if happens(dice, 0.3):
        manifest = damaged(dice, manifest)
    tar = tar_of(dice, manifest)
    if happens(dice, 0.5):
        tar = damaged_headers(dice, tar)
    packed = bz2.compress(tar, 1)
    return damaged(dice, packed) if happens(dice, 0.1) else packed


def tar_of(dice: random.Random, manifest: bytes) -> bytes:
    """Return a tar in one of three formats, some of whose members are odd."""
    stream = io.BytesIO()
    layout = dice.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    with tarfile.open(fileobj=stream, mode="w", format=layout, errors="surrogatepass") as tar:
        members = [("manifest.json", manifest), ("a/__init__.py", b"x = 1\n"), ("vendor/b/c.py", b"#" * 600)]
        members += [(odd_name(dice), b"") for _ in range(dice.choice([0, 0, 1, 5]))]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if happens(dice, 0.2):
                info.type = bytes([dice.choice(KINDS)])
                info.linkname = odd_name(dice)
            if layout == tarfile.PAX_FORMAT and happens(dice, 0.3):
                keys = ["path", "linkpath", "size", "mtime", "hdrcharset", "GNU.sparse.major", "GNU.sparse.map"]
                info.pax_headers = {dice.choice(keys): dice.choice(["-1", "9" * 40, "BINARY", "1,1", "a", "../b"])}
            add(tar, info, data)
    return stream.getvalue()


def add(tar: tarfile.TarFile, info: tarfile.TarInfo, data: bytes) -> None:
    """Add a member, unless the format can't write such a name."""
    try:
        tar.addfile(info, io.BytesIO(data))
    except ValueError:
        tar.addfile(tarfile.TarInfo("plain"))


def odd_name(dice: random.Random) -> str:
    """Return a path of a few parts, some of which should not be there."""
    parts = dice.choices([*NAMES, "a", "vendor", "__init__.py", "x" * 90], k=dice.randint(1, 3))
    return "/".join(parts)


def damaged_headers(dice: random.Random, tar: bytes) -> bytes:
    """Return a tar with changes that its checksums hide: fields of headers, blocks that are doubled or gone."""
    blocks = [bytearray(tar[at : at + BLOCK]) for at in range(0, len(tar), BLOCK)]
    for _ in range(dice.randint(1, 4)):
        number = dice.randrange(min(len(blocks), 12))
        match dice.choice(["change", "double", "remove"]):
            case "change":
                field(dice, blocks[number])
            case "double":
                blocks.insert(number, bytearray(blocks[number]))
            case "remove":
                del blocks[number]
    return b"".join(blocks)


def field(dice: random.Random, block: bytearray) -> None:
    """Write anything into a field of a header, and a checksum that fits."""
    start, length = dice.choice([(0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (345, 155)])
    values = [
        b"\xff" * length,
        b"7" * length,
        b"\x80" + dice.randbytes(length - 1),
        b"\0" * length,
        dice.randbytes(length),
    ]
    block[start : start + length] = dice.choice(values) if length > 1 else bytes([dice.choice(KINDS)])
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Return bytes some of which are changed, gone, or there twice."""
    spoiled = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        start = dice.randrange(len(spoiled) + 1)
        end = start + dice.randint(0, 16)
        part = spoiled[start:end]
        spoiled[start:end] = dice.choice([dice.randbytes(len(part)), b"", bytes(part) * 2, b"[" * 50_000])
    return bytes(spoiled)


def damaged_manifest(dice: random.Random) -> dict[str, Any]:
    """Return a manifest some of whose values are something else, or gone."""
    manifest: dict[str, Any] = json.loads(json.dumps(MANIFEST))
    for _ in range(dice.randint(1, 3)):
        table = dice.choice([manifest, manifest["package"], manifest["python"], *manifest["tasks"]])
        if not isinstance(table, dict) or not table:
            continue
        key = dice.choice(list(table))
        if table is not manifest and happens(dice, 0.2):
            del table[key]
        elif key not in ("package", "python", "tasks"):
            table[key] = dice.choice(WORDS)
    return manifest


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else 60.0, int(sys.argv[2]) if sys.argv[2:] else None))
