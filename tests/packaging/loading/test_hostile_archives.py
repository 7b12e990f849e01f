"""Every archive that means harm, or is broken, is refused with its reason; nothing is left, and the caller lives on."""

import bz2
import gzip
import io
import json
import lzma
import os
import re
import struct
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.archive.inspection import inspect_archive
from cloaca_nb.packaging.archive.members import Limits, open_archive
from cloaca_nb.packaging.loading.loader import check_archive

BLOCK = tarfile.BLOCKSIZE
ACCENT, SAME_ACCENT = "caf\u00e9.py", "cafe\u0301.py"
pytestmark = pytest.mark.usefixtures("scratch")


def refused(path: Path, reason: str, limits: Limits | None = None) -> PackageError:
    children = psutil.Process().children()  # of other tests, perhaps
    with pytest.raises(PackageError, match=reason) as caught:
        check_archive(path, limits)
    assert not {"data_pipeline", "my_lib"} & sys.modules.keys()
    assert psutil.Process().children() == children
    return caught.value


# -- members

MEMBERS: dict[str, tuple[str, dict[str, Any], str]] = {
    # name: the member's name, its fields, reason
    "traversal": ("../evil.py", {}, r"'\.\./evil\.py' climbs out"),
    "traversal in the middle": ("data_pipeline/../../evil.py", {}, "climbs out"),
    "traversal by a backslash": ("..\\evil.py", {}, "backslash"),
    "absolute": ("/etc/evil.py", {}, "absolute path"),
    "absolute on Windows": ("C:/evil.py", {}, "absolute path"),
    "symbolic link": ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "'link' is a symbolic link"),
    "symbolic link within": ("link", {"type": tarfile.SYMTYPE, "linkname": "manifest.json"}, "a symbolic link"),
    "hard link": ("link", {"type": tarfile.LNKTYPE, "linkname": "manifest.json"}, "'link' is a hard link"),
    "character device": ("null", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "'null' is a device"),
    "block device": ("disk", {"type": tarfile.BLKTYPE, "devmajor": 8}, "'disk' is a device"),
    "fifo": ("pipe", {"type": tarfile.FIFOTYPE}, "'pipe' is a FIFO"),
    "a kind that nobody knows": ("what", {"type": b"Z"}, "'what' is of an unknown kind"),
    "no name": ("./", {"type": tarfile.REGTYPE}, "has no name|climbs|is a file"),
    "control character": ("a\nb.py", {}, "can't be seen"),
    "right to left": ("a\u202eyp.b", {}, "can't be seen"),
    "no UTF-8": ("a\udcff.py", {}, "can't be seen"),
    "twice": ("manifest.json", {}, "two members 'manifest.json'"),
    "twice, spelt otherwise": ("./data_pipeline//helpers.py", {}, "two members 'data_pipeline/helpers.py'"),
    "letter case": ("data_pipeline/HELPERS.py", {}, "one file where letter case doesn't count"),
    "letter case of a folder": ("Data_Pipeline/more.py", {}, "one where letter case doesn't count"),
    "file and folder": ("data_pipeline/helpers.py/x", {}, "a file and a folder"),
    "a device of Windows": ("data_pipeline/con.py", {}, "'data_pipeline/con.py' has a name that Windows can't have"),
    "a folder of such a name": ("vendor/AUX/x.py", {}, "a name that Windows can't have"),
    "a character that Windows lacks": ("data_pipeline/what?.txt", {}, "a name that Windows can't have"),
    "a stream of Windows": ("data_pipeline/a.py:more", {}, "a name that Windows can't have"),
    "a dot at its end": ("data_pipeline/helpers.py.", {}, "a name that Windows can't have"),
    "too deep": ("a/" * 40 + "x", {}, "folders deep"),
    "too long a name": ("a" * 300, {}, "too long a name"),
    "Python's own": ("os.py", {}, r"'os\.py' would hide Python's module 'os'"),
    "Python's own, compiled": ("json.cpython-311-x86_64-linux-gnu.so", {}, "hide Python's module 'json'"),
    "Python's own, vendored": ("vendor/pathlib/__init__.py", {}, "'vendor/pathlib' would hide"),
    "what Python 3.11 had": ("imp.py", {}, "hide Python's module 'imp'"),
    "what Python 3.14 has": ("vendor/annotationlib.py", {}, "hide Python's module 'annotationlib'"),
    "on the page's list only": ("compile/__init__.py", {}, "hide Python's module 'compile'"),
    "cloaca_nb itself": ("vendor/cloaca_nb/__init__.py", {}, "hide cloaca_nb's own module 'cloaca_nb'"),
    "cloaca": ("cloaca.py", {}, "hide cloaca_nb's own module 'cloaca'"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_a_member(case: str, archive: Callable[..., Path], member: Callable[..., Any]) -> None:
    name, fields, reason = MEMBERS[case]
    refused(archive(members=[member(name, **fields)]), reason)


def test_names_that_differ_by_how_an_accent_is_written(archive: Callable[..., Path]) -> None:
    refused(archive({f"data_pipeline/{ACCENT}": "", f"data_pipeline/{SAME_ACCENT}": ""}), "one file where letter case")


def test_a_zero_byte_in_a_name(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"path": "data_pipeline/a\0.py"}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info)
    refused(written(tmp_path, stream.getvalue()), "can't be seen")


def test_what_modules_are_not_may_be_called_like_them(archive: Callable[..., Path]) -> None:
    found = check_archive(archive({"json.md": "", "data_pipeline/json.py": "", "vendor/my_lib/os.py": ""}))
    assert [workflow.name for workflow in found.workflows] == ["data_pipeline"]


def test_many_bad_members_are_counted_and_not_all_told(
    archive: Callable[..., Path], member: Callable[..., Any]
) -> None:
    error = refused(archive(members=[member(f"../{n}") for n in range(1000)]), "980 more members are refused")
    assert len(error.problems) < 30


# -- the stream


def written(tmp_path: Path, tar: bytes, *, times: int = 1, compress: Callable[[bytes], bytes] = bz2.compress) -> Path:
    """Write a compressed file whose content is repeated: compressed once, since bzip2 streams may follow each other."""
    path = tmp_path / "hostile.cloacina"
    path.write_bytes(compress(tar) * times)
    return path


def header(name: str = "x", *, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def with_size(field: bytes, name: str = "x") -> bytes:
    """Return a header with any bytes as its size, and a checksum that fits."""
    block = bytearray(header(name))
    block[124:136] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(**records: str) -> bytes:
    """Return a member with a pax header; a double underscore stands for a dot."""
    record = b""
    for name, value in records.items():
        text = f" {name.replace('__', '.')}={value}\n"
        record += f"{len(text) + 2}{text}".encode()
    padded = record + b"\0" * (-len(record) % BLOCK)
    return header("pax", size=len(record), kind=tarfile.XHDTYPE) + padded + header()


END = b"\0" * BLOCK * 2
TEN_MB = b"\0" * 10_000_000
HEADERS = header() * 10_000
TAR = header("data_pipeline/__init__.py", size=600) + b"#" * 1024 + END
STREAMS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a million members": (lambda at: written(at, HEADERS, times=100), "more than 50000 members"),
    "a bomb": (lambda at: written(at, TEN_MB, times=100), "100 times its size"),
    "a bomb in one member": (
        lambda at: written(at, header(size=10**9)[:BLOCK] + TEN_MB, times=60),
        "100 times its size",
    ),
    "gzip": (lambda at: written(at, TAR, compress=gzip.compress), "no bzip2 tar: it is gzip"),
    "xz": (lambda at: written(at, TAR, compress=lzma.compress), "no bzip2 tar: it is xz"),
    "a zip file": (lambda at: written(at, b"PK\x03\x04" + TAR, compress=bytes), "it is a zip file"),
    "not compressed": (lambda at: written(at, TAR, compress=bytes), "it is an uncompressed tar"),
    "text": (lambda at: written(at, b"hello", compress=bytes), "it is something else"),
    "empty": (lambda at: written(at, b"", compress=bytes), "it is empty"),
    "only the beginning of bzip2": (lambda at: written(at, b"BZh9garbage", compress=bytes), "can't be read|cut off"),
    "compressed twice": (lambda at: written(at, bz2.compress(TAR)), "tar is damaged"),
    "nothing in it": (lambda at: written(at, b""), "tar is damaged"),
    "cut off": (lambda at: cut(written(at, os.urandom(5000))), "cut off"),
    "a tar that is cut off": (lambda at: written(at, TAR[:700]), "tar is damaged"),
    "no end": (lambda at: written(at, TAR[:1536]), "tar is damaged"),
    "a damaged second header": (lambda at: written(at, header("a.py") + b"\1" * 4096), "tar is damaged"),
    "a member that is longer than the tar": (lambda at: written(at, header(size=10**8) + END), "tar is damaged"),
    "a negative size": (lambda at: written(at, with_size(b"\xff" * 12) + END), "tar is damaged"),
    "an endless size": (lambda at: written(at, with_size(b"\x80" + b"\xff" * 11) + END), "tar is damaged"),
    "a negative size by pax": (lambda at: written(at, pax(size="-10240000") + END), "tar is damaged|larger than"),
    "a name of 9 MB": (
        lambda at: written(at, header(size=9_000_000, kind=tarfile.GNUTYPE_LONGNAME) + TEN_MB),
        "larger than any name needs",
    ),
    "a pax header of 9 MB": (
        lambda at: written(at, header(size=9_000_000, kind=tarfile.XHDTYPE) + b"9" * 10_000_000),
        "larger than any name needs",
    ),
    "names of names of names": (
        lambda at: written(at, (header(size=1, kind=tarfile.GNUTYPE_LONGNAME) + b"a" + b"\0" * 511) * 5000 + END),
        "larger than any name needs|tar is damaged",
    ),
    "sparse": (lambda at: written(at, sparse(entries=1) + END), "a sparse file|tar is damaged"),
    "sparse without end": (lambda at: written(at, sparse(entries=100_000) + END), "larger than any name needs"),
    "sparse by pax": (
        lambda at: written(at, pax(GNU__sparse__major="1", GNU__sparse__minor="0") + END),
        "a sparse file|tar is damaged",
    ),
}


def cut(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def sparse(entries: int) -> bytes:
    """Return a GNU sparse member that says it is 8 GB large."""
    block = bytearray(header("holes", kind=tarfile.GNUTYPE_SPARSE))
    block[386:410] = b"%011o\0%011o\0" % (0, 1)
    block[482] = int(entries > 1)
    block[483:495] = b"%011o\0" % (8 * 1024**3 - 1)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    more = struct.pack("24s", b"%011o\0%011o\0" % (0, 1)) * 21 + b"\1" + b"\0" * 7
    return bytes(block) + more * (entries // 21)


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream(case: str, tmp_path: Path) -> None:
    make, reason = STREAMS[case]
    refused(make(tmp_path), reason)


def test_members_are_counted_while_they_are_read(tmp_path: Path) -> None:
    refused(written(tmp_path, HEADERS, times=5), "more than 1000 members", Limits(members=1000))


def test_an_archive_with_too_many_members_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, HEADERS, times=3)
    path.write_bytes(path.read_bytes()[:-10])  # who unpacks it to its end finds it cut off
    lifted = Limits(unpacked=10**12, ratio=10**9, members=15_000)
    refused(path, "more than 15000 members", lifted)
    refused(path, "cut off", replace(lifted, members=40_000))


def test_reading_headers_has_an_end(tmp_path: Path) -> None:
    refused(written(tmp_path, HEADERS), "take longer than 0 s", Limits(reading=0))


def test_more_than_is_loaded(archive: Callable[..., Path]) -> None:
    path = archive({"data_pipeline/data.bin": b"\0" * 2_000_000})
    refused(path, "more than 1 MB", Limits(unpacked=1_000_000))
    refused(path, "1 times its size", Limits(ratio=1, ratio_from=1_000_000))


def test_an_archive_in_an_archive_is_a_file_like_others(archive: Callable[..., Path]) -> None:
    bomb = bz2.compress(TEN_MB) * 1000
    assert check_archive(archive({"data_pipeline/bomb.bz2": bomb})).warnings != ()


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.cloacina", "There is no file")
    refused(tmp_path, "There is no file")


def test_nothing_is_written_while_a_member_is_refused(archive: Callable[..., Path], tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with open_archive(archive({"data_pipeline/HELPERS.py": ""})) as opened, pytest.raises(PackageError, match="case"):
        opened.extract(target)
    assert list(target.iterdir()) == []


def test_nothing_is_written_over(archive: Callable[..., Path], tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "manifest.json").write_text("mine")
    with open_archive(archive()) as opened, pytest.raises(PackageError, match="can't be unpacked: .*File exists"):
        opened.extract(target)
    assert (target / "manifest.json").read_text() == "mine"


# -- the manifest

MANIFESTS: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "no JSON"),
    "no UTF-8": (b'{"a": "\xff\xfe"}', "no JSON"),
    "no object": ("[]", "no JSON object"),
    "40 MB": (b" " * 40_000_000, "larger than 4,000,000 bytes"),
    "100 MB": (b" " * 100_000_000, "100 times its size"),
    "10,000 deep": ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested too deeply"),
    "a number without end": ('{"format_version": ' + "9" * 100_000 + "}", "no JSON"),
    "nothing": ("{}", "format_version is missing(.|\n)*created_at is missing"),
    "another format": ({"format_version": "3"}, r'format_version is \'3\', but has to be "2"'),
    "the number 2": ({"format_version": 2}, "format_version is '2'"),
    "another language": ({"language": "rust"}, "language is 'rust'"),
    "no package": ({"package": []}, r"package is '\[\]', but has to be an object"),
    "a name with a path": ({"package.name": "../x"}, "package.name is '../x'"),
    "no version": ({"package.version": ...}, "package.version is missing"),
    "a target that is no text": ({"package.targets": [1]}, "package.targets"),
    "tasks that are no list": ({"tasks": {}}, "tasks is"),
    "no tasks": ({"tasks": []}, "tasks is empty"),
    "tasks that are no objects": ({"tasks": ["extract"]}, "tasks is"),
    "a task twice": ({"tasks.1.id": "extract"}, "'extract' stands there twice"),
    "a task that is a number": ({"tasks.0.id": 1}, r"tasks\[0\].id is '1'"),
    "a task without function": ({"tasks.0.function": ...}, "task 'extract', function is missing"),
    "retries below 0": ({"tasks.0.retries": -1}, "task 'extract', retries is '-1'"),
    "no time": ({"created_at": "yesterday"}, "created_at is 'yesterday'"),
    "a wrong fingerprint": ({"package.fingerprint": "sha256:" + "0" * 64}, "fingerprint is wrong"),
    "a fingerprint that is cut off": ({"package.fingerprint": "sha256:abc"}, "fingerprint is wrong"),
    "a wrong fingerprint without its prefix": ({"package.fingerprint": "0" * 64}, "fingerprint is wrong"),
    "a wrong fingerprint in capitals": ({"package.fingerprint": "SHA256:" + "AB" * 32}, "fingerprint is wrong"),
    "a wrong fingerprint among spaces": ({"package.fingerprint": f" sha256:{'0' * 64}\n"}, "fingerprint is wrong"),
    "no fingerprint": ({"package.fingerprint": ...}, "package.fingerprint is missing"),
    "an empty fingerprint": ({"package.fingerprint": ""}, r"package.fingerprint is '', but has to be a text"),
    "a fingerprint of spaces": ({"package.fingerprint": " \n"}, r"package.fingerprint is ' \\n', but has to be"),
    "another Python": ({"python.requires_python": ">=4"}, "requires Python >=4, and this is 3"),
    "no specifier": ({"python.requires_python": "new"}, "no version specifier"),
    "a lie: more tasks": (
        {"tasks.0": {"id": "steal", "function": "data_pipeline:steal"}},
        "'extract' is in the code, but not in the manifest(.|\n)*'steal' is in the manifest, but the code",
    ),
    "a lie: dependencies": ({"tasks.2.dependencies": []}, r"dependencies \[\], the code \['transform'\]"),
    "a lie: function": (
        {"tasks.0.function": "data_pipeline:load"},
        "function 'data_pipeline:load', the code 'data_pipel",
    ),
    "a lie: retries": ({"tasks.1.retries": 9}, "retries 9, the code 2"),
    "a lie: timeout": ({"tasks.1.timeout_seconds": 9}, "timeout_seconds 9, the code 30"),
    "a lie: no timeout": ({"tasks.1.timeout_seconds": None}, "timeout_seconds None, the code 30"),
    "a lie: description": (
        {"tasks.0.description": "Drop all."},
        "description 'Drop all.', the code 'Fetch the raw",
    ),
    "a lie: a description of none": ({"tasks.1.description": "Fetch."}, "description 'Fetch.', the code ''"),
    "a lie: triggers": ({"triggers": [{"name": "nightly"}]}, "Trigger 'nightly' is in the manifest"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest(case: str, archive: Callable[..., Path]) -> None:
    manifest, reason = MANIFESTS[case]
    refused(archive(manifest=manifest), reason)


ENTRIES = [
    "os",
    "cloaca_nb",
    "cloaca",
    "__main__",
    "../data_pipeline",
    "data pipeline",
    "data_pipeline.",
    "class",
    "1st",
]


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_module_of_an_odd_name(name: str, archive: Callable[..., Path]) -> None:
    refused(archive(manifest={"python.entry_module": name}), re.escape(f"entry_module {name!r}"))


@pytest.mark.parametrize("name", ["data_pipeline.nothing", "datapipeline", "vendor", "my_lib"])
def test_an_entry_module_that_is_not_there(name: str, archive: Callable[..., Path]) -> None:
    refused(archive(manifest={"python.entry_module": name}), f"The entry module '{name}' is not there")


def test_no_manifest(archive: Callable[..., Path]) -> None:
    refused(archive({"manifest.json": None}), "no manifest.json at its root")


def test_machine_code_for_another_machine(archive: Callable[..., Path]) -> None:
    elsewhere = {"package.targets": ["vms-vax"]}
    refused(archive({"vendor/fast.so": b"\x7fELF"}, manifest=elsewhere), "Its machine code can't run here")
    assert "It holds no machine code" in check_archive(archive(manifest=elsewhere)).warnings[1]


def test_every_problem_is_told_at_once(archive: Callable[..., Path], member: Callable[..., Any]) -> None:
    bad = {"format_version": "1", "package.fingerprint": "sha256:00", "python.requires_python": ">=4"}
    error = refused(archive({"os.py": ""}, [member("../x"), member("/y")], bad), "is refused:\n  - ")
    for part in ("'../x'", "'/y'", "os.py", "format_version", "requires Python"):
        assert any(part in problem for problem in error.problems)


def test_what_the_code_shows_is_told_with_what_the_manifest_does(archive: Callable[..., Path]) -> None:
    bad = {"format_version": "1", "tasks.2.dependencies": [], "python.requires_python": ">=4"}
    assert len(refused(archive(manifest=bad), "format_version").problems) == 3


# -- the import

HANG = "import time\nwhile True: time.sleep(1)\n"
LATE_HANG = "import time; time.sleep(1000)\n"
# As daemons do it: two forks, a session of its own, and nothing of ours in the environment or among the descriptors.
DETACH = """
import os, pathlib
reader, writer = os.pipe()
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    pathlib.Path(os.environ['SEEN']).write_text(str(os.getpid()))
    os.execve('/bin/sleep', ['sleep', '1000'], {})
os.close(writer)
os.read(reader, 1)  # closed: it has begun
"""
FORK = "import os, pathlib\nif (child := os.fork()):\n    pathlib.Path(os.environ['SEEN']).write_text(str(child))\n"
SOON, LATER = 1.0, 6.0  # seconds: the latter leave time for something to happen first, on a busy machine too
LIMITS = {
    "hangs": SOON,
    "hangs and is deaf": SOON,
    "computes for ever": SOON,
    "forks and hangs": LATER,
    "forks a daemon and hangs": LATER,
    "floods output without end": LATER,
    "floods the answer": LATER,
}
IMPORTS: dict[str, tuple[str, str]] = {
    "hangs": (HANG, "Python workflow import timed out after 1s"),
    "hangs and is deaf": (f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{HANG}", "timed out"),
    "computes for ever": ("while True: pass\n", "timed out"),
    "forks and hangs": (FORK + HANG, "timed out"),
    "forks and leaves": (FORK + "    os._exit(0)\n" + HANG, "ended while it was imported with exit code 0"),
    "forks and hides": (FORK + f"else:\n    os.setsid()\n    {LATE_HANG}" + "1 / 0\n", "ZeroDivisionError"),
    "forks, hides and leaves": (FORK + f"    os._exit(3)\nos.setsid()\n{HANG}", "with exit code 3"),
    "forks a daemon": (DETACH + "1 / 0\n", "ZeroDivisionError"),
    "forks a daemon and hangs": (DETACH + HANG, "timed out"),
    "forks a daemon and leaves": (DETACH + "os._exit(3)\n", "with exit code 3"),
    "forks a daemon and crashes": (DETACH + "os.abort()\n", "by SIGABRT"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    "exits at once": ("import os\nos._exit(3)\n", "ended while it was imported with exit code 3"),
    "kills itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "by SIGKILL"),
    "crashes": ("import os\nos.abort()\n", "by SIGABRT"),
    "floods output": ("for n in range(200_000): print(n)\n1 / 0\n", "ZeroDivisionError"),
    "floods output without end": ("while True: print('spam ' * 100)\n", r"timed out(.|\n)*spam spam"),
    "floods the answer": (
        "import os\nfor fd in range(3, 64):\n  try:\n    while 1: os.write(fd, b'x' * 999)\n  except OSError: pass\n",
        "ended while|can't be understood|timed out",
    ),
    "answers in its place": (
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'[1]\\n')\n    except OSError: pass\n",
        "can't be understood",
    ),
    "closes everything": ("import os\nos.closerange(0, 256)\n", "ended while"),
    "recurses": ("def f(): f()\nf()\n", "RecursionError"),
    "is no Python": ("def\n", "SyntaxError"),
    "misses a module": ("import nowhere\n", "No module named 'nowhere'"),
    "registers nothing": ("x = 1\n", "registers no workflow"),
    "asks for input": ("input()\n", "EOFError"),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_an_import_that(
    case: str, archive: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, reason = IMPORTS[case]
    seen = tmp_path / "seen"
    monkeypatch.setenv("SEEN", str(seen))
    refused(archive({"data_pipeline/__init__.py": text}), reason, Limits(importing=LIMITS.get(case, 60.0)))
    if "fork" in case and ("daemon" not in case or sys.platform == "linux"):  # elsewhere daemons stay
        assert not is_running(int(seen.read_text()))


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_import_error_names_the_file_as_the_archive_has_it(archive: Callable[..., Path]) -> None:
    path = archive({"data_pipeline/helpers.py": "def f():\n    return {}['boom']\nf()\n"})
    error = str(refused(path, "KeyError: 'boom'"))
    assert 'File "data_pipeline/helpers.py", line 2, in f' in error
    assert "importlib" not in error


def test_files_that_an_import_leaves_are_gone(archive: Callable[..., Path]) -> None:
    text = "import os, tempfile\nopen('here', 'w').close()\ntempfile.mkdtemp()\nos.mkdir('data')\nos.chmod('data', 0)\n"
    refused(archive({"data_pipeline/__init__.py": text}), "registers no workflow")
    assert not Path("here").exists()


def test_code_whose_fingerprint_is_wrong_is_not_run(
    archive: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    text = "import os, pathlib\npathlib.Path(os.environ['SEEN']).touch()\n"
    wrong = {"package.fingerprint": f"sha256:{'a' * 64}"}
    refused(archive({"data_pipeline/__init__.py": text}, manifest=wrong), "fingerprint is wrong")
    assert not (tmp_path / "seen").exists()


def test_inspecting_runs_nothing(archive: Callable[..., Path]) -> None:
    found = inspect_archive(archive({"data_pipeline/__init__.py": HANG}))
    assert (found.problems, found.is_importable) == ((), True)
    assert json.dumps(found.manifest.to_dict())


@pytest.mark.parametrize("depth", [300, *range(900, 1000, 5)])
def test_a_manifest_that_is_nested_just_too_deeply_or_just_not(depth: int, archive: Callable[..., Path]) -> None:
    manifest = '{"a":' * depth + "1" + "}" * depth
    assert re.search(
        "nested too deeply|tasks is missing", " ".join(inspect_archive(archive(manifest=manifest)).problems)
    )


MEMORY = {
    "itself": "held = bytearray(400_000_000)\n",
    "in a child that hides": "import os\nif not os.fork():\n    os.setsid()\n    held = bytearray(400_000_000)\n",
}


@pytest.mark.parametrize("case", MEMORY)
def test_an_import_that_fills_the_memory_is_ended(case: str, archive: Callable[..., Path], scratch: Path) -> None:
    path = archive({"data_pipeline/__init__.py": f"{MEMORY[case]}{HANG}"})
    refused(path, "Importing it holds more than 300 MB of memory", Limits(memory=300_000_000))
